"""A shorter way through botocore for the calls that we answer: no serialising, no endpoint, no signature.

What stays is what an app can notice: parameters are checked by botocore's own validator, the events around parameters
and answers are emitted (boto3's Table needs them), errors are raised as the client's own classes. Halves the cost of a
call; `before-call` (see gateway) still serves whoever comes another way.
"""

from typing import Any

import botocore.client
from botocore.exceptions import ParamValidationError

from .gateway import Gateway
from .validity import plainly_valid

_CLIENT: Any = botocore.client.BaseClient  # its private method is none of its stubs' business


class Shortcut:
    """Replaces `BaseClient._make_api_call` between `open` and `close`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._real: Any = None
        self._event_names: dict[tuple[str, str], str] = {}

    def open(self) -> None:
        self._real = real = _CLIENT._make_api_call  # noqa: SLF001
        gateway, call = self._gateway, self._call

        def make_api_call(client: Any, operation: str, params: dict[str, Any]) -> Any:
            if gateway.answers_itself(client.meta.service_model.service_name, operation, params):
                return call(client, operation, params)
            return real(client, operation, params)

        _CLIENT._make_api_call = make_api_call  # noqa: SLF001

    def close(self) -> None:
        _CLIENT._make_api_call = self._real  # noqa: SLF001

    def _call(self, client: Any, operation: str, given: dict[str, Any]) -> Any:
        service = client.meta.service_model
        model = service.operation_model(operation)
        context: dict[str, Any] = {"client_region": client.meta.region_name, "client_config": client.meta.config}
        params = client._emit_api_params(api_params=given, operation_model=model, context=context)  # noqa: SLF001
        _validate(client, model, params)
        answer = self._gateway.before(service.service_name, operation, params, context)
        if answer is None:  # on to moto, or the long way: the gateway must not see it as a new call
            with self._gateway.going_on(context):
                return self._real(client, operation, given)
        http, parsed = answer
        client.meta.events.emit(
            f"after-call.{service.service_id.hyphenize()}.{operation}",
            http_response=http,
            parsed=parsed,
            model=model,
            context=context,
        )
        if http.status_code >= 300:  # noqa: PLR2004
            raise client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)
        return parsed


def _validate(client: Any, model: Any, params: dict[str, Any]) -> None:
    validator = getattr(client._serializer, "_param_validator", None)  # noqa: SLF001  absent if switched off
    if validator is None or model.input_shape is None or plainly_valid(model, params):
        return
    report = validator.validate(params, model.input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())
