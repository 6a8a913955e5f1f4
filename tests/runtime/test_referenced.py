"""Chunks by reference: how lines are cut, and what the worker reads of them."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumbeat.runtime import referenced
from drumbeat.runtime.referenced import groups
from drumbeat.testing.cloud import AppCloud
from tests.runtime.lanes import pause_worker

LINE = st.sampled_from([b"1", b'{"a": 2}', b"", b" ", b"\r", b"\t ", b" 3", b"4\r", b"x" * 30, b"y" * 61])


def cut(text: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The text in blocks of these sizes, and the rest."""
    for size in sizes:
        yield text[:size]
        text = text[size:]
    yield text


@given(
    lines=st.lists(LINE, max_size=40),
    ended=st.booleans(),
    size=st.integers(1, 5),
    blocks=st.lists(st.integers(1, 40), max_size=8),
    resumed_after=st.integers(0, 10),
)
def test_groups_are_the_same_however_the_bytes_arrive_and_wherever_one_resumes(
    lines: list[bytes], ended: bool, size: int, blocks: list[int], resumed_after: int
) -> None:
    text = b"\n".join(lines) + (b"\n" if ended else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(referenced, "CHUNK_BYTES", 60)
        expected = list(groups([text], size))

        assert expected == list(groups(cut(text, blocks), size))
        begin = sum(length for _, length in expected[:resumed_after])
        assert expected[resumed_after:] == list(groups(cut(text[begin:], blocks), size))
    at = 0
    for count, length in expected:
        assert count == sum(bool(line.strip()) for line in text[at : at + length].split(b"\n"))
        at += length
    assert not text[at:].strip()


def put(cloud: AppCloud, key: str, text: str) -> None:
    """Put an object into the app's bucket."""
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key=key, Body=text.encode())


def lines_of(values: list[object]) -> str:
    """JSON Lines."""
    return "".join(f"{json.dumps(value)}\n" for value in values)


def test_a_line_that_is_not_json_is_a_dead_letter_and_the_others_are_done(cloud: AppCloud) -> None:
    put(cloud, "inputs/2026-01-01.jsonl", '1\n\n{"broken\n2\n  \n3')
    run = cloud.run("lines")

    assert ("FAILED", 4, 3) == (run.state, run.items, run.record.succeeded)
    assert [('{"broken', "ItemNotJson", 1)] == [
        (letter.item, letter.error_type, letter.number) for letter in run.dead_letters
    ]


def test_a_source_that_changes_after_it_was_expanded_fails_its_chunks_with_the_reason(cloud: AppCloud) -> None:
    put(cloud, "inputs/2026-01-01.jsonl", lines_of([*range(9)]))
    pause_worker(cloud, "lines")
    run = cloud.fire("lines")
    cloud.advance(minutes=1)
    put(cloud, "inputs/2026-01-01.jsonl", lines_of([*range(100, 109)]))
    pause_worker(cloud, "lines", paused=False)
    assert cloud.run_until_idle(timedelta(hours=1))

    ended = cloud.show(run)
    assert ("FAILED", 0, 9) == (ended.state, ended.record.succeeded, ended.failed)
    assert {"SourceChanged"} == {letter.error_type for letter in ended.dead_letters}


def test_a_message_refers_to_its_items_and_holds_none_of_them(cloud: AppCloud) -> None:
    put(cloud, "inputs/2026-01-01.jsonl", lines_of([{"secret": n} for n in range(7)]))
    pause_worker(cloud, "lines")
    run = cloud.fire("lines")
    cloud.advance(minutes=1)

    queue = cloud.show(run).queue_url
    found = cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [3, 3, 1] == [json.loads(message["Body"])["count"] for message in found]
    assert not any("secret" in message["Body"] for message in found)


def test_what_a_function_yields_is_spooled_once_if_it_asks_for_it(cloud: AppCloud) -> None:
    run = cloud.run("spools")

    assert ("SUCCEEDED", 25, 25) == (run.state, run.items, run.record.succeeded)
    listed = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=f"runs/{run.id}/spool/")
    assert [f"runs/{run.id}/spool/000000000.jsonl"] == [entry["Key"] for entry in listed["Contents"]]
    assert [{"n": n, "text": "ü\n"} for n in range(25)] == json.loads(cloud.published(run)["all.json"])


def test_a_forged_reference_to_another_run_s_files_is_put_aside_unread(cloud: AppCloud) -> None:
    run = cloud.run("lines", [1])
    forged = {"v": 1, "run": run.id, "chunk": 0, "first": 0, "count": 1}
    forged["ref"] = {"key": "runs/other/2026-01-01T00:00:00Z/x", "etag": "e", "begin": 0, "end": 9}
    cloud.client("sqs").send_message(QueueUrl=run.queue_url, MessageBody=json.dumps(forged))
    assert cloud.run_until_idle(timedelta(hours=1))

    assert run.record == cloud.show(run).record
    listed = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix="runs/lines/malformed/")
    assert 1 == listed["KeyCount"]
