"""What a function is given from outside: its settings, its AWS clients, time and chance."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore
from botocore.config import Config

from drumbeat.ledger.table import Table

from .session import make_session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    # both are a tenth of what a call costs: our own parameters are checked by the types and the tests, and botocore
    # would put its own name together anew for each call
    parameter_validation=False,
    user_agent=f"drumbeat Botocore/{botocore.__version__}",
)


class Settings(NamedTuple):
    """What the stack tells a function through its environment; read once, when the function starts."""

    task: str = ""
    module: str = ""
    table: str = ""
    bucket: str = ""
    queue_url: str = ""
    backfill_url: str = ""
    dispatcher: str = ""
    idempotency_table: str = ""
    handlers: str = ""
    tasks: str = ""
    dispatchers: str = ""
    backfills: str = ""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Read DRUMBEAT_TASK, DRUMBEAT_MODULE, ... and, for the dispatcher, its own name."""
        found = {name: environ.get(f"DRUMBEAT_{name.upper()}", "") for name in cls._fields}
        found["dispatcher"] = found["dispatcher"] or environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        return cls(**found)


@dataclass(frozen=True)
class Services:
    """AWS and the world, as parameters; a client is made when it is first used."""

    settings: Settings
    session: Any = field(default_factory=make_session)  # botocore's: boto3's own costs a third of the start besides
    sleep: Callable[[float], None] = field(default_factory=lambda: time.sleep)
    draw: Callable[[], float] = random.random

    @classmethod
    def ready(cls, settings: Settings) -> "Services":
        """With the client that every invocation needs: made while a function starts, when it has a whole CPU."""
        made = cls(settings)
        made.table  # noqa: B018  (it is kept)
        return made

    @staticmethod
    def now() -> datetime:
        """The time, for the record only: no decision compares it with another machine's."""
        return datetime.now(UTC)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        client: SQSClient = self._client("sqs")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda."""
        client: LambdaClient = self._client("lambda")
        return client

    @cached_property
    def events(self) -> "EventBridgeClient":
        """EventBridge."""
        client: EventBridgeClient = self._client("events")
        return client

    @cached_property
    def table(self) -> Table:
        """The ledger."""
        return Table(self.dynamodb, self.settings.table)

    def _client(self, name: str) -> Any:
        return self.session.create_client(name, config=_CONFIG)
