"""What is done faster than botocore does it comes to the same."""

import contextlib
import copy
import os
from functools import partial
from random import Random
from types import MappingProxyType
from typing import Any

import botocore.session
import pytest
from botocore import compat, endpoint, hooks, regions, utils
from botocore.handlers import BUILTIN_HANDLERS
from botocore.validate import ParamValidator

from drumbeat.local.reuse import replacements
from drumbeat.local.validity import plainly_valid

KEY = {"pk": {"S": "a"}}
UPDATE = {"TableName": "t", "Key": KEY, "UpdateExpression": "ADD n :n"}
NESTED = {"pk": {"L": [{"M": {"a": {"SS": ["x"]}}}, {"B": b"b"}, {"NULL": True}]}}
SEND = {"QueueUrl": "q", "Entries": [{"Id": "1", "MessageBody": "m", "DelaySeconds": 5}]}


@pytest.fixture(scope="module")
def clients():
    session = botocore.session.Session()
    settings = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return {name: session.create_client(name, **settings) for name in ("dynamodb", "sqs", "lambda", "events")}


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("dynamodb", "UpdateItem", UPDATE),
        ("dynamodb", "UpdateItem", {**UPDATE, "Key": NESTED}),
        ("dynamodb", "UpdateItem", {**UPDATE, "ExpressionAttributeValues": {":n": {"N": "1"}}}),
        ("sqs", "SendMessageBatch", SEND),
        ("sqs", "SendMessageBatch", {**SEND, "Entries": ()}),
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"{}"}),
        ("events", "PutEvents", {"Entries": [{"Source": "s"}]}),
    ],
)
def test_right_parameters_are_taken_without_asking_botocore(clients, service, operation, params):
    model = clients[service].meta.service_model.operation_model(operation)

    assert not ParamValidator().validate(params, model.input_shape).has_errors()
    assert plainly_valid(model, params)


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("dynamodb", "UpdateItem", {}),
        ("dynamodb", "UpdateItem", {"TableName": "t"}),
        ("dynamodb", "UpdateItem", {**UPDATE, "TableName": ""}),
        ("dynamodb", "UpdateItem", {**UPDATE, "TableName": None}),
        ("dynamodb", "UpdateItem", {**UPDATE, "Table": "t"}),
        ("dynamodb", "UpdateItem", {**UPDATE, "Key": {"pk": "a"}}),
        ("dynamodb", "UpdateItem", {**UPDATE, "Key": {"pk": {"S": 1}}}),
        ("dynamodb", "UpdateItem", {**UPDATE, "Key": {1: {"S": "a"}}}),
        ("dynamodb", "UpdateItem", {**UPDATE, "Key": MappingProxyType(KEY)}),
        ("dynamodb", "UpdateItem", {**UPDATE, "Key": {"pk": {"L": [{"M": {"a": {"SS": "x"}}}]}}}),
        ("dynamodb", "Query", {"TableName": "t", "Limit": 0}),
        ("sqs", "SendMessageBatch", {**SEND, "Entries": [{"Id": "1"}]}),
        ("sqs", "SendMessageBatch", {**SEND, "Entries": [{"Id": "1", "MessageBody": "m", "DelaySeconds": "5"}]}),
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": {}}),
        ("events", "PutEvents", {"Entries": []}),
    ],
)
def test_wrong_parameters_are_left_to_botocore(clients, service, operation, params):
    model = clients[service].meta.service_model.operation_model(operation)

    assert ParamValidator().validate(params, model.input_shape).has_errors()
    assert not plainly_valid(model, params)


@pytest.fixture
def reused(monkeypatch):
    """Botocore as it is while a cloud is open."""
    for module, name, value in replacements():
        monkeypatch.setattr(module, name, value)


@pytest.mark.usefixtures("reused")
def test_whether_a_handler_takes_any_keyword_is_told_by_its_code():
    class Handler:
        def any(self, **_: Any): ...
        def none(self, event): ...
        def __call__(self, **_: Any) -> None: ...

    mine = [Handler().any, Handler().none, Handler(), Handler.none, partial(Handler.any, 1), lambda **_: None]
    builtin = [handler for _, handler, *_ in BUILTIN_HANDLERS]

    assert [bool(compat.accepts_kwargs(one)) for one in mine + builtin] == [
        bool(hooks.accepts_kwargs(one)) for one in mine + builtin
    ]


@pytest.mark.usefixtures("reused")
def test_a_client_keeps_its_handlers_to_itself():
    session = botocore.session.Session()
    settings = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    one, other = (session.create_client("sqs", **settings) for _ in range(2))
    heard = []
    one.meta.events.register("sent.sqs", lambda **_: heard.append("one"))
    session.register("sent.sqs.*", lambda **_: heard.append("session"))  # too late for both
    for client in (other, one):
        client.meta.events.emit("sent.sqs.SendMessage")

    assert ["one"] == heard


def _changed(seed):
    """What the emitters of a session and its copies call, after changes drawn from a seed."""
    draw = Random(seed)
    emitters = [botocore.session.Session().get_component("event_emitter")]
    handlers = [lambda n=n, **_: n for n in range(6)]
    names = ["a", "a.b", "a.*", "a.b.c", "before-call.sqs", "*.b"]
    for _ in range(60):
        emitter, name, handler = draw.choice(emitters), draw.choice(names), draw.choice(handlers)
        match draw.randrange(6):
            case 0:
                emitters.append(copy.copy(emitter))
            case 1:
                with contextlib.suppress(AttributeError):  # botocore's, where only longer names have handlers
                    emitter.unregister(name, handler)
            case 2:
                emitter.register_first(name, handler)
            case 3:
                emitter.register_last(name, handler, unique_id=f"{name} {draw.randrange(2)}")
            case _:
                emitter.register(name, handler)
    return [[value for _, value in emitter.emit("a.b.c")] for emitter in emitters]


def test_emitters_that_share_handlers_call_what_botocores_call(request):
    plain = [_changed(seed) for seed in range(50)]
    request.getfixturevalue("reused")

    assert plain == [_changed(seed) for seed in range(50)]


def test_what_is_registered_after_a_cloud_was_closed_reaches_no_later_session():
    settings = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}

    def late(**_: Any) -> None: ...

    with pytest.MonkeyPatch.context() as patched:
        for module, name, value in replacements():
            patched.setattr(module, name, value)
        client = botocore.session.Session().create_client("sqs", **settings)
        session = botocore.session.Session()
    for emitter in (client.meta.events, session.get_component("event_emitter")):
        emitter.register("before-call.sqs", late)
    with pytest.MonkeyPatch.context() as patched:
        for module, name, value in replacements():
            patched.setattr(module, name, value)
        later = botocore.session.Session().create_client("sqs", **settings)
    found = later.meta.events._emitter._handlers.prefix_search("before-call.sqs.SendMessage")

    assert late not in found


@pytest.mark.usefixtures("reused")
def test_a_session_has_what_is_built_in_now(monkeypatch):
    botocore.session.Session()
    monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", [*BUILTIN_HANDLERS, ("mine", lambda **_: "mine")])

    assert ["mine"] == [value for _, value in botocore.session.Session().get_component("event_emitter").emit("mine")]


@pytest.mark.usefixtures("reused")
@pytest.mark.parametrize(
    "proxies", [{}, {"HTTPS_PROXY": "http://proxy:1"}, {"https_proxy": "http://p:1", "no_proxy": "aws"}]
)
def test_a_proxy_is_found_where_the_environment_names_one(monkeypatch, proxies):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)

    assert utils.getproxies() == endpoint.get_environ_proxies("https://sqs.amazonaws.com")
    assert ({} == utils.get_environ_proxies("https://aws")) == (len(proxies) != 1)


@pytest.mark.usefixtures("reused")
def test_a_services_methods_and_endpoints_are_made_once():
    settings = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    one, other = (
        botocore.session.Session().create_client("s3", region_name=region, **settings)
        for region in ("us-east-1", "eu-west-1")
    )

    assert type(one).get_object is type(other).get_object
    shapes = [client.meta.service_model.operation_model("GetObject").input_shape for client in (one, other)]
    assert shapes[0] is shapes[1]
    one.meta.service_model.signature_version = "mine"
    assert "mine" != other.meta.service_model.signature_version
    assert one._ruleset_resolver._provider is other._ruleset_resolver._provider
    assert isinstance(one._ruleset_resolver, regions.EndpointRulesetResolver)
    assert ["https://s3.amazonaws.com", "https://s3.eu-west-1.amazonaws.com"] == [
        client.meta.endpoint_url for client in (one, other)
    ]
