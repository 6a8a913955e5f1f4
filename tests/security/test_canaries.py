"""Secrets in items, parameters, results, errors, keys and variables reach no log, metric, event or error of drumbeat's.

Each play hides new words where a customer's data would be, goes one way that a run can go, and then everything that
drumbeat and the services say is searched.  What may hold them is listed in docs/security.md: messages, the ledger's
dead letters and reasons, objects in the bucket, records of idempotent items, events that nobody could take.
"""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from drumbeat.control import Control, Deployment
from drumbeat.testing import AppCloud

ENVIRONMENT = "canary-environment-5b1f"  # as app/handlers/secrets.py sets it
WAYS = ("raise", "die", "quit", "throttle", "give up", "last", "return", "succeed")


def canary(where: str) -> str:
    """A word that is nowhere else."""
    return f"canary-{where}-{uuid.uuid4().hex}"


def spoken(cloud: AppCloud) -> Iterator[tuple[str, str]]:
    """All that is said by functions and services, each with where it is said."""
    for function in cloud.functions():
        for line in cloud.logs(function.name):
            yield f"log of {function.name}", line.text
    yield "metrics", repr(cloud.metrics())
    yield "events", json.dumps(cloud.events())
    yield "the cloud's own log", cloud.log.text()
    for queue in cloud.deployment.queues:
        yield from unanswered(cloud, queue.name, queue.url)
    for resource in cloud.deployment.resources:
        if resource.type.startswith(("AWS::CloudWatch", "AWS::Events", "AWS::Scheduler", "AWS::Logs")):
            yield resource.logical_id, repr(resource.properties)


def unanswered(cloud: AppCloud, name: str, url: str) -> Iterator[tuple[str, str]]:
    """What Lambda and EventBridge say of the events that nobody could take, without the events themselves."""
    if "Dead" not in name or "DeadLetters" in name:
        return
    answer = cloud.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
    )
    for message in answer.get("Messages", []):
        record = json.loads(message["Body"])
        record.pop("requestPayload", None)
        if "version" in record or message.get("MessageAttributes"):
            yield f"attributes in {name}", json.dumps([record, message.get("MessageAttributes", {})])


def operator(cloud: AppCloud) -> Control:
    return Control(Deployment.of_outputs(cloud.deployment.outputs), cloud, now=lambda: cloud.now)


def every_way(task: str) -> Callable[[AppCloud], None]:
    """Items that end in every way, with parameters; then the same again."""

    def play(cloud: AppCloud) -> None:
        items = [{"do": way, "word": canary(way.replace(" ", "-"))} for way in WAYS]
        run = cloud.run(task, items=[*items, canary("item"), {canary("field"): 1}], params={"word": canary("params")})
        operator(cloud).redrive(run.id)
        cloud.run_until_idle(timedelta(hours=6))

    return play


def expansions(cloud: AppCloud) -> None:
    """Expansions that fail, with what they were given in their errors."""
    for how in ("raises", "quits", "sets"):
        cloud.run("plain", params={"word": canary("params"), "expand": how})


def ends(cloud: AppCloud) -> None:
    """Fan-ins that fail with all results in their errors; a chain that reads them."""
    cloud.run("closing", items=[canary("result")], params={"word": canary("params")})
    cloud.run("sums", items=[canary("result"), canary("result")])
    cloud.run("sums", items=[f"combine raises {canary('result')}"])


def malformed(cloud: AppCloud) -> None:
    """Messages, fires and objects that aren't drumbeat's, with a word in every field."""
    run = cloud.run("plain", items=[1])
    word = canary("message")
    for body in (
        word,
        json.dumps({word: word}),
        *(
            json.dumps({"v": 1, "run": run.id, "chunk": 0, "first": 0, "items": [1], field: word})
            for field in ("v", "run", "chunk", "first", "items", "round", "s3", "ref", "count", "z64", "sha256")
        ),
    ):
        for queue in cloud.deployment.queues:
            if "plain" in queue.name and "Fires" not in queue.name:
                cloud.client("sqs").send_message(QueueUrl=queue.url, MessageBody=body)
    fire = {"task": "plain", "scheduled_at": "2026-01-01T00:00:00Z"}
    for field in ("task", "scheduled_at", "name", "params", "items", "lane", canary("field")):
        cloud.invoke_async(cloud.dispatcher("plain"), {**fire, field: f"/{canary('fire')}"})
    for kind in ("resume", "finish", "sweep", "follow", "combine"):
        cloud.invoke_async(cloud.dispatcher("plain"), {"task": "plain", kind: canary("fire"), "epoch": 1, "leaf": 1})
    cloud.invoke_async(cloud.dispatcher("plain"), [canary("fire")])
    cloud.invoke_async(cloud.functions()[0].name, {"Records": [{"body": canary("record")}]})
    put(cloud, run.id.replace("plain", "once"), f'{{"word": "{canary("line")}"\n\n{canary("line")}\n[1]\n')
    cloud.run_until_idle(timedelta(hours=6))


def put(cloud: AppCloud, run_id: str, lines: str) -> None:
    """Start a run whose items are no JSON."""
    key = f"runs/{run_id}/items.jsonl"
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key=key, Body=lines.encode())
    task, time = run_id.split("/")
    cloud.invoke_async(cloud.dispatcher(task), {"task": task, "scheduled_at": time, "items": key})


PLAYS = {
    **{task: every_way(task) for task in ("plain", "once", "threads", "coroutines")},
    "expansions": expansions,
    "ends": ends,
    "malformed": malformed,
}


@pytest.mark.parametrize("name", PLAYS)
def test_no_secret_is_said(cloud: AppCloud, name: str) -> None:
    PLAYS[name](cloud)

    said = list(spoken(cloud))
    assert [] == [(where, text) for where, text in said if "canary" in text.replace("_canaries", "")]
    assert len(said) > 10  # something was said
    assert any("errorMessage" in text or "error" in text for _, text in said)


def test_what_an_author_lets_be_logged_is_logged_and_nothing_else(cloud: AppCloud) -> None:
    cloud.run("told", items=[{"do": "raise", "word": canary("item")}, {"do": "succeed"}, canary("item")])

    said = list(spoken(cloud))
    lines = [json.loads(text) for where, text in said if "told" in where.lower() and '"message":"item' in text]
    shown = [(line["item"], line["end"], line.get("error")) for line in lines if line["message"] == "item"]
    assert [({"shown": "raise"}, "failed", "Refused"), ({"shown": "succeed"}, "done", None)] == shown[:2]
    assert ["TypeError"] == [line["error"] for line in lines if line["message"] == "item not logged"]
    assert [] == [(where, text) for where, text in said if "canary" in text]


def test_the_events_that_powertools_would_log_are_not_logged(cloud: AppCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "POWERTOOLS_LOGGER_LOG_EVENT", "true")
    word = canary("item")
    cloud.run("plain", items=[word])

    assert [] == [where for where, text in spoken(cloud) if word in text]
