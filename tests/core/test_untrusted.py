"""Whatever arrives is read, or refused with the one error that its reader declares: never another, never for ever."""

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumbeat.chunk import Packed, parse
from drumbeat.control.errors import InvalidFilter
from drumbeat.control.numbers import Numbers
from drumbeat.encoder import encode_item
from drumbeat.errors import ItemNotJson, MalformedFire, MalformedMessage, RecordInvalid
from drumbeat.ledger import progress
from drumbeat.ledger.record import RunRecord
from drumbeat.reference import parse_reference
from drumbeat.run import Run
from drumbeat.signal import parse_signal
from drumbeat.untrusted import ITEM_DEPTH, MAX_DEPTH, read_json, said, write_json

RUN = "sunrise/2026-11-22T00:00:00Z"
WORDS = st.sampled_from(
    [RUN, f"{RUN}/x", "sunrise", "..", "", "runs/", f"runs/{RUN}/chunks/0.json", "9" * 30, "\ud800"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def fields(*names: str, **good: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An object with good values in most of its fields and anything in the others."""
    return st.fixed_dictionaries(
        {name: st.just(value) | ANYTHING for name, value in good.items()},
        optional=dict.fromkeys(names, ANYTHING),
    )


MESSAGES = fields("items", "s3", "ref", "count", "z", "z64", "round", "again", "sha256", v=1, run=RUN, chunk=0, first=0)
REFERENCES = fields("bucket", start=1, step=1) | fields("bucket", key="k", etag="e", begin=0, end=9)


@given(MESSAGES | ANYTHING, REFERENCES)
def test_a_message_is_read_or_refused(message: Any, reference: Any) -> None:
    for sent in (message, {**message, "ref": reference} if isinstance(message, dict) else reference):
        try:
            chunk = parse(json.dumps(sent), bucket="b")
        except MalformedMessage:
            continue
        assert (True, True) == (chunk.count > 0, chunk.run.id.startswith("sunrise/"))


@given(st.text() | st.binary().map(lambda noise: base64.b64encode(zlib.compress(noise)).decode()))
def test_packed_items_are_read_or_refused(packed: str) -> None:
    with pytest.raises(MalformedMessage):
        parse(json.dumps({"v": 1, "run": RUN, "chunk": 0, "first": 0, "count": 1, "z64": packed}), bucket="b")


@given(
    fields(
        "name", "params", "items", "lane", "catch_up", "by_hand", task="sunrise", scheduled_at="2026-11-22T00:00:00Z"
    )
    | fields("resume", "epoch", "finish", "sweep", "follow", "combine", "leaf", task="sunrise")
    | ANYTHING
)
def test_an_event_opens_a_run_or_is_refused(event: Any) -> None:
    try:
        signal = parse_signal(event, task="sunrise", bucket="b", takes_events=True)
    except MalformedFire:
        return
    assert "sunrise" == signal.run.task


@given(REFERENCES | ANYTHING)
def test_a_reference_is_read_or_refused(found: Any) -> None:
    try:
        assert parse_reference(found)
    except MalformedMessage:
        return


@given(st.text() | WORDS | st.from_regex(r"[a-z]{1,3}/\d{1,5}-\d\d-\d\dT\d\d:\d\d([+-]\d\d:\d\d|Z)(/[a-z.~]*)?"))
def test_a_run_id_is_read_back_or_refused(text: str) -> None:
    try:
        run = Run.parse(text)
    except MalformedFire:
        return
    assert run == Run.parse(run.id)


@given(st.text() | st.from_regex(r"[0-9,\- ]{0,12}"))
def test_numbers_of_items_are_read_or_refused(text: str) -> None:
    try:
        assert all(low <= high for low, high in Numbers.parse(text).ranges)
    except InvalidFilter:
        return


RECORD = {"id": RUN, "task": "sunrise", "scheduled_at": "2026-11-22T00:00:00Z", "state": "RUNNING"}


@given(fields("chunks", "items", "sealed", "params", "history", "later", **RECORD))
def test_a_record_of_a_run_is_read_or_refused(item: dict[str, Any]) -> None:
    try:
        record = RunRecord.of(item)
    except RecordInvalid:
        return
    assert ("sunrise", True) == (record.task, record.chunks >= 0)


@given(ANYTHING.map(json.dumps) | fields("due", pending={}, passes=[], parts=[]).map(json.dumps) | st.text())
def test_the_progress_of_a_chunk_is_read_or_refused(text: str) -> None:
    class Table:
        @staticmethod
        def get(_key: object) -> dict[str, Any]:
            return {"version": 1, "progress": text}

    try:
        assert 1 == progress.read(Table(), RUN, 0).version  # type: ignore[arg-type]
    except RecordInvalid:
        return


GOOD: dict[str, Any] = {"v": 1, "run": RUN, "chunk": 0, "first": 0}
BYTES = {"key": "k", "etag": "e", "begin": 0, "end": 9}


@pytest.mark.parametrize(
    "forged",
    [
        {"items": []},
        {"items": [float("nan")]},
        {"items": [1] * 10_001},
        {"items": json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)},
        {"items": [1], "chunk": 10**12},
        {"items": [1], "first": 10**400},
        {"items": [1], "round": 1.0},
        {"count": 10**12, "ref": {"start": 0, "step": 1}},
        {"count": 1, "ref": {"start": 0, "step": 0}},
        {"count": 1, "ref": {"start": True, "step": 1}},
        {"count": 1, "ref": {**BYTES, "end": 10**12}},
        {"count": 1, "ref": {**BYTES, "etag": ""}},
        {"count": 1, "ref": {**BYTES, "bucket": 5}},
        {"count": 1, "s3": f"runs/{RUN}/chunks/1.json"},
        {"count": 1, "s3": f"runs/{RUN}-evil/chunks/0.json"},
        {"count": 1, "s3": f"runs/{RUN}/chunks/../../../other/0.json"},
        {"count": 1, "s3": f"runs/{RUN}/chunks/0.json", "sha256": "zz"},
    ],
    ids=lambda forged: str(forged)[:60],
)
def test_what_drumbeat_cannot_have_written_is_refused(forged: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage) as refused:
        parse(json.dumps({**GOOD, **forged}), bucket="b")
    assert len(str(refused.value)) < 120  # says what, and quotes nothing


def test_a_key_that_is_there_twice_counts_by_its_last_value() -> None:
    body = Packed(3, 0, ("1",)).body(RUN)

    assert 4 == parse(f'{body[:-1]},"chunk":4}}', bucket="b").number


def test_an_item_is_nested_as_deep_as_it_may_and_no_deeper() -> None:
    deep = json.loads("[" * (ITEM_DEPTH + 2) + "]" * (ITEM_DEPTH + 2))

    assert deep[0] == parse(Packed(0, 0, (encode_item(deep[0], task="t", number=0),)).body(RUN), bucket="b").items[0]
    with pytest.raises(ItemNotJson, match=f"nested more than {ITEM_DEPTH} deep"):
        encode_item(deep, task="t", number=0)


@pytest.mark.parametrize("value", ["\ud800", {"a": ["\udfff", "ü"]}, "ü\u2028"])
def test_what_no_encoding_has_is_written_and_read_back_all_the_same(value: Any) -> None:
    assert value == read_json(write_json(value).encode().decode())


class Unsayable(Exception):
    def __str__(self) -> str:
        raise KeyError("no text")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Unsayable(), "(its text can't be had: KeyError)"),
        (ValueError("\ud800"), "?"),
        (ValueError("x" * 9999), "x" * 1000),
    ],
)
def test_the_text_of_an_error_can_always_be_kept(error: Exception, text: str) -> None:
    assert text == said(error)
