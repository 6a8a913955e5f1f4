"""AWS clients, each made when it is first used."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


class Clients:
    """What an operator needs of a session: boto3's, or whatever else has `client(name)`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self._session.client("dynamodb")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self._session.client("s3")
        return client

    @cached_property
    def functions(self) -> "LambdaClient":
        client: LambdaClient = self._session.client("lambda")
        return client

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        client: EventBridgeSchedulerClient = self._session.client("scheduler")
        return client
