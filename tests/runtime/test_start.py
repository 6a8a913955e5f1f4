"""A cold start: what a function loads before its first event, and that its clients are botocore's own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.session import get_session

from drumbeat.runtime.session import SERVICES, make_session

TASK = """
from drumbeat import Range, Task
plain = Task("plain")
plain.expand(Range(0, 10))
plain.work(lambda item, run: None)
"""
LOADED = """
import gc, json, sys
before = set(sys.modules)
import drumbeat.runtime.{part}
print(json.dumps([sorted(set(sys.modules) - before), gc.isenabled() and gc.get_freeze_count() > 0]))
"""
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"pk": {"S": "a"}}}),
    "events": ("put_events", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}),
    "lambda": ("invoke", {"FunctionName": "f", "InvocationType": "Event", "Payload": b"{}"}),
    "s3": ("get_object", {"Bucket": "bucket", "Key": "runs/a b/2026-01-01T00:00:00Z/ü.json"}),
    "sqs": ("send_message", {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/q", "MessageBody": "x"}),
}


@pytest.fixture
def loaded(tmp_path: Path) -> Any:
    """What importing an entry point loads in a fresh interpreter."""
    (tmp_path / "starts.py").write_text(TASK)

    def load(part: str) -> set[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
            "AWS_DEFAULT_REGION": "eu-central-1",
            "POWERTOOLS_SERVICE_NAME": "plain",
            "POWERTOOLS_METRICS_NAMESPACE": "test",
            "DRUMBEAT_TASK": "plain",
            "DRUMBEAT_MODULE": "starts",
            "DRUMBEAT_TABLE": "table",
        }
        command = [sys.executable, "-c", LOADED.format(part=part)]
        told = subprocess.run(command, check=True, capture_output=True, text=True, env=environ).stdout
        modules, collects = json.loads(told)
        assert collects, "garbage is collected again, and not looked for in what is kept"
        return set(modules)

    return load


def test_a_worker_loads_no_more_than_every_chunk_needs(loaded: Any) -> None:
    modules = loaded("worker")

    rare = {"boto3", "asyncio", "fractions", "pkgutil", "aws_xray_sdk", "drumbeat.signal"}
    rare |= {f"drumbeat.runtime.{name}" for name in ("budget", "coroutines", "dispatch", "expand", "threads")}
    assert set() == rare & modules
    assert len([name for name in modules if name.startswith("drumbeat")]) <= 60
    assert len(modules) <= 400


def test_a_dispatcher_loads_no_threads_before_it_needs_them(loaded: Any) -> None:
    modules = loaded("dispatcher")

    assert set() == {"boto3", "concurrent.futures.thread", "drumbeat.runtime.take"} & modules
    assert len(modules) <= 410


def requested(session: Any, service: str, region: str) -> dict[str, str]:
    """Where a client of this session sends a request, and how it signs it."""
    sent: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {}, None)

    session.set_credentials("AKIDEXAMPLE", "secret", "token")
    client = session.create_client(service, region_name=region)
    client.meta.events.register("before-send", answer)
    operation, parameters = ASKED[service]
    try:
        getattr(client, operation)(**parameters)
    except Exception:  # noqa: BLE001  (there is no answer to be read; the request is what counts)
        assert sent
    headers = {name.lower(): str(value) for name, value in sent[0].headers.items()}
    text = sent[0].headers["Authorization"]
    text = text.decode() if isinstance(text, bytes) else text
    signed = re.sub(r"/\d{8}/|Signature=\w+", "/", text)
    kept = {name: value for name, value in headers.items() if name in ("host", "content-type", "x-amz-content-sha256")}
    return {"url": sent[0].url, "signed": signed, "version": client.meta.config.signature_version, **kept}


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_requests_go_where_botocore_would_send_them_signed_as_it_would_sign_them(region: str) -> None:
    own, plain = make_session(), get_session()

    for service in SERVICES:
        assert requested(plain, service, region) == requested(own, service, region)
