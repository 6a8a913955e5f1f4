"""`drumbeat local`, on a tiny app in the real local cloud."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

FROM, TO = "2026-11-22T00:00:00Z", "2026-11-22T01:00:00Z"


@pytest.fixture(scope="module")
def hour(tiny, tmp_path_factory):
    """An hour of the tiny app, as a person asks for it."""
    out = tmp_path_factory.mktemp("out")
    return tiny.run("local", "--from", FROM, "--to", TO, "--out", str(out)), out


@pytest.fixture(scope="module")
def document(tiny):
    done = tiny.run("local", "--from", FROM, "--to", TO, "--json")
    return json.loads(done.stdout)


def test_the_document_counts_runs_requests_invocations_and_dollars(document):
    assert ["cost_usd", "invocations", "requests", "runs"] == sorted(document)
    ticker, reader = document["runs"]
    assert {
        "id": "ticker/2026-11-22T00:00:00Z",
        "task": "ticker",
        "state": "SUCCEEDED",
        "scheduled_at": FROM,
        "items": 10,
        "succeeded": 10,
        "failed": 0,
        "chunks": 3,
        "messages": 3,
        "attempts": 10,
        "dead_letters": 0,
    } == {key: value for key, value in ticker.items() if key not in ("started_at", "completed_at")}
    assert "2026-11-22T00:00:00Z" <= ticker["started_at"] <= ticker["completed_at"] < "2026-11-22T00:01:00Z"
    assert ("reader/2026-11-22T00:30:00Z", "FAILED", 3, 2, 1) == tuple(
        reader[key] for key in ("id", "state", "items", "succeeded", "failed")
    )
    assert 4 == reader["attempts"]
    assert document["requests"]["sqs"]["SendMessageBatch"] >= 2
    assert any("tickerWorker" in name and count >= 1 for name, count in document["invocations"].items())
    assert 0 < document["cost_usd"] < 0.01


def test_a_fire_at_from_is_in_it_and_one_at_to_is_not(document):
    assert ["2026-11-22T00:00:00Z", "2026-11-22T00:30:00Z"] == [run["scheduled_at"] for run in document["runs"]]


def test_the_same_seed_gives_the_same_document(tiny, document):
    again = tiny.run("local", "--from", FROM, "--to", TO, "--json")

    assert document == json.loads(again.stdout)
    assert 1 == again.exit_code  # the reader's run has failed
    assert "reader/2026-11-22T00:30:00Z: FAILED, 3 items" in again.stderr


def test_the_summary_is_for_people(hour):
    done, out = hour
    text = " ".join(done.stdout.split())

    assert 1 == done.exit_code
    assert re.search(r"ticker/2026-11-22T00:00:00Z SUCCEEDED 10 3 3 1 0 0 \d s", text)
    assert "item 1, 2 attempts: ValueError: this line [bold] is bad" in text
    assert "fires 2" in text
    assert "virtual time 1 h 0 min" in text
    assert re.search(r"in all a million items at this rate: \$[\d.,]+ 0\.00\d+", text)
    assert f"{out}/ticker/2026-11-22T000000Z/doubled.txt 24 bytes" in text


def test_what_runs_have_published_is_copied(hour):
    _, out = hour

    assert "0,2,4,6,8,10,12,14,16,18" == (out / "ticker/2026-11-22T000000Z/doubled.txt").read_text()


def test_the_picture_is_svg_with_a_panel_for_each_run(hour):
    _, out = hour
    picture = ET.fromstring((out / "runs.svg").read_text(encoding="utf-8"))

    words = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"ticker/2026-11-22T00:00:00Z", "reader/2026-11-22T00:30:00Z"} <= set(words)


def test_only_the_task_that_is_asked_for_fires(tiny):
    done = tiny.run("local", "--from", FROM, "--to", "2026-11-22T00:40:00Z", "--task", "reader", "--json")

    assert ["reader"] == [run["task"] for run in json.loads(done.stdout)["runs"]]


def test_a_time_without_fires_says_so(tiny):
    done = tiny.run("local", "--from", "2026-11-22T00:01:00Z", "--to", "2026-11-22T00:02:00Z")

    assert 0 == done.exit_code
    assert "no fire in this time" in done.stdout
