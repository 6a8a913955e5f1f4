"""A worker that was restored from a snapshot: what it draws is its own, and its credentials are fresh."""

import importlib
import json
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drumbeat.runtime import restored
from drumbeat.runtime.services import Services, Settings

Hook = Callable[[], object]
TASK = """
from drumbeat import Task
from snapshot_restore_py import register_after_restore

quick = Task("quick", snap_start=True)
quick.expand(lambda run: [1])
quick.work(lambda item, run: None)

@register_after_restore
def mine(): ...
"""


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Hook]:
    """What is registered with the module that only Lambda has, in order."""
    found: list[Hook] = []
    module = ModuleType("snapshot_restore_py")
    vars(module)["register_after_restore"] = found.append
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return found


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """A function that loads the worker's entry point as Lambda does."""
    (tmp_path / "quick_handlers.py").write_text(TASK)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, value in {
        "DRUMBEAT_TASK": "quick",
        "DRUMBEAT_MODULE": "quick_handlers",
        "DRUMBEAT_TABLE": "ledger",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)

    def load(how: str) -> ModuleType:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", how)
        sys.modules.pop("drumbeat.runtime.worker", None)
        return importlib.import_module("drumbeat.runtime.worker")

    yield load
    sys.modules.pop("drumbeat.runtime.worker", None)
    sys.modules.pop("quick_handlers", None)


def test_environments_of_one_snapshot_draw_differently(hooks: list[Hook], start: Callable[[str], ModuleType]) -> None:
    start("snap-start")
    snapshot = random.getstate()
    draw = Services(Settings()).draw

    drawn = set()
    for _ in range(3):
        random.setstate(snapshot)
        for hook in hooks:
            hook()
        drawn.add(draw())
    assert 3 == len(drawn)


def test_chance_is_renewed_before_the_hooks_of_the_task_s_module(
    hooks: list[Hook], start: Callable[[str], ModuleType]
) -> None:
    start("snap-start")

    assert ["renew", "mine"] == [getattr(hook, "__name__", "") for hook in hooks]


def test_a_function_without_a_snapshot_registers_nothing(hooks: list[Hook], start: Callable[[str], ModuleType]) -> None:
    start("on-demand")

    assert ["mine"] == [getattr(hook, "__name__", "") for hook in hooks]


def test_where_lambda_s_module_is_missing_the_worker_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)

    restored.renew_when_restored()


class Endpoint:
    """Gives credentials as Lambda does to functions with SnapStart, a new pair each time, and answers for DynamoDB."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.tokens: list[str | None] = []
        self.signed_with: list[str] = []
        self.valid_for = timedelta(hours=-1)  # what the snapshot holds has expired by the time it is restored
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                endpoint.tokens.append(self.headers["Authorization"])
                self.answer(endpoint.credentials())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.signed_with.append(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
                self.answer({})

            def answer(self, body: dict[str, Any]) -> None:
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def credentials(self) -> dict[str, str]:
        self.given.append(f"KEY{len(self.given)}")
        expires = datetime.now(UTC) + self.valid_for
        return {
            "AccessKeyId": self.given[-1],
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        }


@pytest.fixture
def endpoint(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:  # noqa: ARG001
    """The endpoint, and the environment of a function with SnapStart: without keys, with the place to get them."""
    made = Endpoint()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{made.url}/2021-04-23/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of the runtime")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", made.url)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_expired_credentials_of_the_snapshot_are_fetched_anew(endpoint: Endpoint) -> None:
    services = Services.ready(Settings(table="ledger"))
    assert (["KEY0"], []) == (endpoint.given, endpoint.signed_with)  # of services, none was called yet

    endpoint.valid_for = timedelta(hours=6)
    for _ in range(2):
        services.dynamodb.get_item(TableName="ledger", Key={"pk": {"S": "run"}})
    services.sqs  # noqa: B018  (a client that is made after the restore has the same ones)

    assert ["KEY0", "KEY1"] == endpoint.given
    assert ["KEY1", "KEY1"] == endpoint.signed_with
    assert {"of the runtime"} == set(endpoint.tokens)
