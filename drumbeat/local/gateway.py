"""The one seam between handlers and AWS: every boto3 call passes here, below the client and above moto.

botocore emits `before-call` when a request is serialised and checked, before it is signed and sent; answering there
skips HTTP and moto's dispatch. The hook sits in botocore's built-in handlers, as moto's does, so that every client
made after this module was imported has it. Without an open cloud it does nothing.

An app's call is counted, checked against the service's limits, authorised with the role of its function, delayed by
its latency (which hands the baton over), exposed to the faults, and then answered: SQS, Lambda's Invoke and PutEvents
by us, the rest by moto.  A call that the faults touch goes the long way instead: through botocore's own sending and
retrying code, one fault decision per attempt (see `faults`).
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS
from moto.core.models import botocore_stubber

from .baton import Killed, current
from .bucket_events import BucketEvents
from .dynamo import DynamoApi
from .events_api import EventsApi
from .expiry import Expiry
from .invoke_api import InvokeApi
from .items import Unusual
from .limits import check_limits
from .metering import Metering
from .s3_api import S3Api, is_plain
from .services import Answer, Call, ServiceError
from .sns_api import SnsApi
from .sqs_api import SqsApi
from .streams import StreamSource
from .sync import Sync
from .world import World

DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
_OK = SimpleNamespace(status_code=200, headers={}, raw=None)
_METADATA = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
_KEY = "drumbeat_call"
_open: list["Gateway"] = []


class Gateway:
    """Active between `open` and `close`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.seeds.stream("latency")
        self._metering = Metering(world)
        self._sync = Sync(world)
        self._answers: dict[tuple[str, str], Answer] = {
            **{("sqs", name): answer for name, answer in SqsApi(world).answers.items()},
            **{("lambda", name): answer for name, answer in InvokeApi(world).answers.items()},
            **{("sns", name): answer for name, answer in SnsApi(world).answers.items()},
            **{("events", name): answer for name, answer in EventsApi(world).answers.items()},
        }
        self._dynamo = DynamoApi(world)
        self._answers |= {("dynamodb", name): made for name, made in self._dynamo.answers.items()}
        self._at_once: dict[tuple[str, str], Answer] = {
            ("s3", name): answer for name, answer in S3Api(world).answers.items()
        }  # but by moto the long way: that needs HTTP
        self._buckets = BucketEvents(world)
        self._sources = (self._buckets, StreamSource(world), Expiry(world))
        self._process: Any = None
        self._resumed = threading.local()

    def open(self) -> None:
        _open.append(self)
        for source in self._sources:
            source.open()
        self._process = botocore_stubber.process_request
        setattr(botocore_stubber, "process_request", self._attempt)  # noqa: B010  a method, to mypy

    def close(self) -> None:
        _open.remove(self)
        for source in self._sources:
            source.close()
        del botocore_stubber.process_request

    def answers_itself(self, service: str, operation: str, params: dict[str, Any]) -> bool:
        return (service, operation) in self._answers or (service == "s3" and is_plain(operation, params))

    @contextlib.contextmanager
    def going_on(self, context: dict[str, Any]) -> Iterator[None]:
        """A call that was taken in already goes on through botocore."""
        self._resumed.call = context[_KEY]
        try:
            yield
        finally:
            self._resumed.call = None

    # -- the way of a call ---------------------------------------------------------------------------------

    def before(self, service: str, operation: str, params: dict[str, Any], context: dict[str, Any]) -> Any:
        """Answer a call, or return None to let it go on."""
        resumed = getattr(self._resumed, "call", None)
        if resumed is not None:
            self._resumed.call, context[_KEY] = None, resumed
            return None
        strand = current()
        invocation = strand.invocation if strand is not None else None
        call = Call(service, operation, params, invocation)
        context[_KEY] = call
        if service == "s3":
            call.notes["config"] = context.get("client_config")
        if strand is None:
            return self._refusal(call) or self._answered(call)
        if invocation is None or invocation.over:
            raise Killed
        self._world.meter.requests[service, operation] += 1
        strand.sleep(self._world.latency.call(service, self._rng))
        refusal = self._refusal(call)
        if refusal is not None:
            return refusal
        if self._world.faults.touches(call):
            strand.call = call
            return None
        return self._answered(call)

    def _refusal(self, call: Call) -> Any:
        try:
            self._check(call)
        except ServiceError as error:
            return self._refused(call, error)
        return None

    def _check(self, call: Call) -> None:
        check_limits(call)
        authorizer, invocation = self._world.authorizer, call.invocation
        if authorizer is not None and invocation is not None:
            decision = authorizer.check(
                invocation.function.role_arn,
                call.service,
                call.operation,
                call.params,
                session=invocation.function.name,
            )
            if not decision.allowed:
                raise ServiceError(decision.code, decision.message, 403)

    def _answered(self, call: Call) -> Any:
        answer = self._answers.get((call.service, call.operation))
        if answer is None:
            self._buckets.operation = call.operation
            if self._world.heard is not None:
                self._world.heard.begins(call)
            answer = self._at_once.get((call.service, call.operation))
            if answer is None:
                return None
        try:
            parsed = answer(call)
        except Unusual:
            return None  # moto knows more of DynamoDB's and S3's checks and errors
        except ServiceError as error:
            if call.invocation is not None:
                self._metering.count_refused(call, error.code)
                call.counted = True
            return self._refused(call, error)
        if call.invocation is not None:
            self._metering.count(call, parsed)
            call.counted = True
        status = parsed.setdefault("ResponseMetadata", dict(_METADATA))["HTTPStatusCode"]
        return _OK if status == _OK.status_code else SimpleNamespace(status_code=status, headers={}, raw=None), parsed

    def _refused(self, call: Call, error: ServiceError) -> Any:
        if call.invocation is not None:
            self._world.log.add(
                "call.refused",
                call.invocation.function.name,
                operation=f"{call.service}.{call.operation}",
                error=error.code,
                **({"message": error.message} if error.code in DENIED else {}),
            )
        parsed = error.parsed()
        parsed["ResponseMetadata"] = {**_METADATA, "HTTPStatusCode": error.status}
        return SimpleNamespace(status_code=error.status, headers={}, raw=None), parsed

    def after(self, context: dict[str, Any], http: Any, parsed: dict[str, Any]) -> None:
        """A call has its answer: fill in our own if it went the long way, count, and follow changes of the setup."""
        call: Call | None = context.get(_KEY)
        if call is None:
            return
        strand = current()
        if strand is not None:
            strand.call = None
        if call.reply is not None:
            parsed.update(call.reply)
        if call.service == "s3" and http.status_code == 404 and call.invocation is not None:  # noqa: PLR2004
            self._hide_absence(call, parsed)
        if self._world.heard is not None:
            self._world.heard.ended(call, well=http.status_code < 300)  # noqa: PLR2004
        if http.status_code < 300:  # noqa: PLR2004
            if call.invocation is not None and not call.counted:
                self._metering.count(call, parsed)
            self._sync.follow(call, parsed)
        elif call.invocation is not None and not call.counted:
            self._metering.count_refused(call, parsed.get("Error", {}).get("Code", ""))

    def _hide_absence(self, call: Call, parsed: dict[str, Any]) -> None:
        """Who may not list a bucket isn't told that a key is absent.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html ("Permissions")
        """
        authorizer, invocation = self._world.authorizer, call.invocation
        if authorizer is None or invocation is None or call.operation not in ("GetObject", "HeadObject", "CopyObject"):
            return
        if parsed.get("Error", {}).get("Code") not in ("NoSuchKey", "404"):
            return
        source = call.params.get("CopySource", call.params["Bucket"])
        bucket = source["Bucket"] if isinstance(source, dict) else str(source).lstrip("/").partition("/")[0]
        role, name = invocation.function.role_arn, invocation.function.name
        decision = authorizer.check(role, "s3", "ListObjectsV2", {"Bucket": bucket}, session=name)
        if decision.allowed:
            return
        head = call.operation == "HeadObject"
        told = (
            {"Code": "403", "Message": "Forbidden"} if head else {"Code": "AccessDenied", "Message": decision.message}
        )
        parsed["Error"] = {**parsed["Error"], **told}
        parsed.setdefault("ResponseMetadata", {})["HTTPStatusCode"] = 403
        self._world.log.add("call.refused", name, operation=f"s3.{call.operation}", error="AccessDenied")

    # -- the long way --------------------------------------------------------------------------------------

    def _attempt(self, request: Any) -> Any:
        """One HTTP attempt, in place of moto's stub."""
        strand = current()
        call = strand.call if strand is not None else None
        if call is None or strand is None:
            return self._by_moto(request)
        call.attempts += 1
        if call.attempts > 1:
            self._world.meter.requests[call.service, call.operation] += 1
            strand.sleep(self._world.latency.call(call.service, self._rng))
        return self._world.faults.attempt(call, lambda: self._apply(call, request))

    def _apply(self, call: Call, request: Any) -> Any:
        answer = self._answers.get((call.service, call.operation))
        if answer is None:
            self._buckets.operation = call.operation
            return self._by_moto(request)
        try:
            call.reply = answer(call)
        except Unusual:
            return self._by_moto(request)
        except ServiceError as error:
            call.reply = error.fields
            body = {"__type": error.code, "message": error.message, "Message": error.message}
            return error.status, {"x-amzn-errortype": error.code}, json.dumps(body)
        return 200, {}, "{}"

    def _by_moto(self, request: Any) -> Any:
        """Let moto answer; an expression that its parser trips over is a ValidationException, as on DynamoDB."""
        try:
            return self._process(request)
        except ValueError as error:
            if "://dynamodb." not in request.url:
                raise
            return 400, {}, json.dumps({"__type": "ValidationException", "message": f"Invalid expression: {error}"})


def is_open() -> bool:
    """Whether a cloud takes calls in; there is one at a time, as moto has one state."""
    return bool(_open)


def _stash(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _open:
        context["drumbeat_params"] = params


def _before_call(model: Any, context: dict[str, Any], **_: Any) -> Any:
    if not _open:
        return None
    params = context.get("drumbeat_params")
    return _open[-1].before(model.service_model.service_name, model.name, {} if params is None else params, context)


def _after_call(http_response: Any, parsed: Any, context: dict[str, Any], **_: Any) -> None:
    if _open:
        _open[-1].after(context, http_response, parsed)


BUILTIN_HANDLERS.append(("before-parameter-build", _stash))
BUILTIN_HANDLERS.append(("before-call", _before_call))
BUILTIN_HANDLERS.append(("after-call", _after_call))
