"""Scheduler's universal targets: any API action, called with the schedule's input under the schedule's role.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html: the ARN is
`arn:aws:scheduler:::aws-sdk:SERVICE:ACTION`; actions that only read aren't supported.
"""

import json
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .functions import Recursive, Throttled
from .sandbox import Outcome
from .services import ServiceError
from .undelivered import PREFIX
from .world import World

READ_ONLY = (
    "get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover",
    "validate", "batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "testMigration",
    "retrieve", "testConnection", "translateDocument", "isAuthorized", "invokeModel",
)  # fmt: skip
_BOTO_NAMES = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}


def is_universal(arn: str) -> bool:
    return arn.startswith(PREFIX)


def refusal(arn: str, text: str | None) -> str | None:
    """Return why Scheduler would refuse a universal target, None if it wouldn't."""
    service, _, action = arn.removeprefix(PREFIX).partition(":")
    if not service or not action:
        return f"{arn} is no universal target; it has to read {PREFIX}SERVICE:ACTION"
    if action.startswith(READ_ONLY):
        return f"{arn} only reads; Scheduler calls no such actions"
    try:
        json.loads(text or "{}")
    except ValueError as error:
        return f"the input of {arn} is not JSON ({error}); it has to be the action's parameters"
    return None


class Universal:
    """Calls actions through boto3, which leads back to the local cloud."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clients: dict[str, Any] = {}

    def call(self, arn: str, text: str, *, role_arn: str | None, source: str) -> None:
        """Call an action; raises ServiceError with what it answers, or that the role may not."""
        service, _, action = arn.removeprefix(PREFIX).partition(":")
        client = self._client(_BOTO_NAMES.get(service, service))
        methods = client.meta.method_to_api_mapping
        method = next((name for name, api in methods.items() if api.lower() == action.lower()), None)
        if method is None:
            raise ServiceError("ValidationException", f"{service} has no action {action}")
        params = json.loads(text or "{}")
        self._allow(client.meta.service_model.service_name, methods[method], params, role_arn)
        if methods[method] == "Invoke" and params.get("InvocationType", "RequestResponse") == "RequestResponse":
            self._invoke(params, source)
            return
        try:
            getattr(client, method)(**params)
        except ClientError as error:
            told = error.response["Error"]
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
            raise ServiceError(told["Code"], told["Message"], status) from error
        except BotoCoreError as error:
            raise ServiceError("ValidationException", str(error)) from error

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            try:
                self._clients[service] = boto3.client(service, region_name=self._world.deployment.region)
            except BotoCoreError as error:
                raise ServiceError("ValidationException", f"boto3 has no service {service!r}") from error
        return self._clients[service]

    def _allow(self, service: str, operation: str, params: dict[str, Any], role_arn: str | None) -> None:
        authorizer = self._world.authorizer
        if authorizer is None or role_arn is None:
            return
        decision = authorizer.check(role_arn, service, operation, params, session="scheduler")
        if not decision.allowed:
            raise ServiceError(decision.code, decision.message, 403)

    def _invoke(self, params: dict[str, Any], source: str) -> None:
        """Synchronously, but the loop doesn't wait for it: Scheduler does nothing with the answer."""

        def done(outcome: Outcome) -> None:
            del outcome

        if self._world.functions.function(params["FunctionName"]) is None:
            raise ServiceError("ResourceNotFoundException", f"Function not found: {params['FunctionName']}", 404)
        try:
            self._world.functions.start(
                params["FunctionName"], json.loads(params.get("Payload") or "{}"), done, source=source
            )
        except (Throttled, Recursive) as error:
            raise ServiceError("TooManyRequestsException", str(error), 429) from error
