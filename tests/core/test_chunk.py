"""Chunks: packed by count and bytes, read back as they were, refused if they are anything else."""

import base64
import gc
import json
import random
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumbeat.chunk import Packed, parse, utf8_size
from drumbeat.encoder import encode_item
from drumbeat.errors import ItemNotJson, ItemTooLarge, MalformedMessage, NewerMessage
from drumbeat.packer import Packer, pack

RUN = "sunrise/2026-11-22T00:00:00Z"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)


@given(items=st.lists(json_values, max_size=60), size=st.integers(1, 9), max_bytes=st.integers(300, 900))
def test_every_item_travels_once_in_order_and_within_the_limits(items: list[Any], size: int, max_bytes: int) -> None:
    texts = [encode_item(item, task="t", number=n) for n, item in enumerate(items)]
    chunks = list(pack(texts, size=size, max_bytes=max_bytes))

    read = [parse(chunk.body(RUN), bucket="b") for chunk in chunks]
    assert items == [item for chunk in read for item in chunk.items or ()]
    assert list(range(len(chunks))) == [chunk.number for chunk in read]
    for chunk, packed in zip(read, chunks, strict=True):
        assert chunk.count <= size
        assert len(packed.body(RUN).encode()) <= max_bytes or chunk.count == 1


alike = st.lists(st.fixed_dictionaries({"id": st.integers(), "ü": json_values}), max_size=40)
several = st.lists(json_values | st.fixed_dictionaries({"id": json_values}), max_size=20)


@given(runs=st.lists(alike | several, max_size=3), size=st.integers(1, 9), max_bytes=st.integers(300, 900))
def test_tables_make_the_chunks_of_items_written_one_by_one_and_are_read_back_as_they_were(
    runs: list[list[Any]], size: int, max_bytes: int
) -> None:
    items = [item for run in runs for item in run]
    texts = [encode_item(item, task="t", number=n) for n, item in enumerate(items)]
    packer, alone = (Packer(task="t", size=size, max_bytes=max_bytes) for _ in range(2))
    chunks = [*packer.add_all(items), *packer.rest()]

    added = [chunk for item in items for chunk in alone.add(item)] + [*alone.rest()]
    assert [chunk.body(RUN) for chunk in added] == [chunk.body(RUN) for chunk in chunks]
    one_by_one = list(pack(texts, size=size, max_bytes=max_bytes))
    assert [(c.number, c.first, c.count) for c in one_by_one] == [(c.number, c.first, c.count) for c in chunks]
    assert items == [item for chunk in chunks for item in parse(chunk.body(RUN), bucket="b").items or ()]
    assert [[*item] for item in items if isinstance(item, dict)] == [
        [*item] for c in chunks for item in parse(c.body(RUN), bucket="b").items or () if isinstance(item, dict)
    ]
    assert all(len(chunk.body(RUN).encode()) <= max_bytes or chunk.count == 1 for chunk in chunks)


def test_items_with_the_same_fields_travel_as_a_table() -> None:
    packer = Packer(size=4, max_bytes=1000)
    [packed] = [chunk for n in range(4) for chunk in packer.add({"id": n, "name": "x"})]

    assert '"fields":["id","name"],"rows":[[0,"x"],[1,"x"],[2,"x"],[3,"x"]]}' in packed.body(RUN)


@pytest.mark.parametrize(("count", "size"), [(100, 50), (250, 250), (777, 300), (3, 10)])
def test_rows_that_are_written_together_are_those_that_are_written_alone(count: int, size: int) -> None:
    items = [{"n": n, "text": "ü\uffff["[: n % 4] * (n % 30), "rate": n / 3, "no": None} for n in range(count)]
    items[count // 2] |= {"more": 1}
    packer, alone = (Packer(size=size, max_bytes=20_000) for _ in range(2))

    together = [*packer.add_all(items), *packer.rest()]

    one_by_one = [chunk for item in items for chunk in alone.add(item)] + [*alone.rest()]
    assert [chunk.plain(RUN) for chunk in one_by_one] == [chunk.plain(RUN) for chunk in together]
    assert items == [item for chunk in together for item in parse(chunk.body(RUN), bucket="b").items or ()]


@pytest.mark.parametrize("names", [["n"], ["n", "held"]])
def test_a_dict_that_is_yielded_again_and_again_is_written_as_it_was_each_time(names: list[str]) -> None:
    held: list[int] = []

    def items() -> Iterator[dict[str, Any]]:
        one: dict[str, Any] = dict.fromkeys(names, held)
        for number in range(10):
            held.append(number)
            one["n"] = number
            yield one

    [chunk] = Packer(size=10, max_bytes=1000).add_all(items())

    whole = [{"n": n, "held": [*range(n + 1)]} for n in range(10)]
    assert [{name: item[name] for name in names} for item in whole] == parse(chunk.body(RUN), bucket="b").items


def test_a_chunk_is_there_as_soon_as_its_last_item_is() -> None:
    taken: list[int] = []

    def items() -> Iterator[dict[str, int]]:
        for number in range(20):
            taken.append(number)
            yield {"n": number}

    assert [10, 20] == [len(taken) for _ in Packer(size=10, max_bytes=1000).add_all(items())]


def _deep(*, tracked: bool) -> Any:
    """Tuples in tuples; Python ceases to track what holds nothing that it tracks."""
    found: Any = 1
    for _ in range(150):
        found = (found,)
        if not tracked:
            gc.collect(0)
    return found


@pytest.mark.parametrize("wrong", [float("nan"), "\ud800", _deep(tracked=True), _deep(tracked=False)])
def test_the_row_that_is_not_json_is_named_and_those_before_it_are_kept(wrong: Any) -> None:
    packer = Packer(task="t", size=100, max_bytes=100_000, first=40)
    items = [{"id": n, "value": wrong if n == 30 else n} for n in range(60)]

    with pytest.raises(ItemNotJson, match="task 't', item 70: a dict that isn't JSON"):
        list(packer.add_all(items))

    assert (70, [30]) == (packer.reached, [chunk.count for chunk in packer.rest()])


def test_the_item_that_is_not_json_is_named_and_those_before_it_are_kept() -> None:
    packer = Packer(task="t", size=10, max_bytes=1000, first=40)
    list(packer.add({"id": 1}))

    with pytest.raises(ItemNotJson, match="task 't', item 41: a dict that isn't JSON"):
        packer.add({"id": {3}})

    assert (41, [('{"id":1}',)]) == (packer.reached, [chunk.items for chunk in packer.rest()])


@given(texts=st.lists(st.text(max_size=30).map(json.dumps), min_size=1, max_size=50), data=st.data())
def test_packing_that_resumes_at_a_chunk_makes_the_same_chunks(texts: list[str], data: st.DataObject) -> None:
    whole = list(pack(texts, size=7, max_bytes=400))
    at = data.draw(st.sampled_from(whole))

    rest = pack(islice(texts, at.first, None), size=7, max_bytes=400, number=at.number, first=at.first)

    assert whole[at.number :] == list(rest)


@pytest.mark.parametrize("item", [{1, 2}, object(), float("nan"), b"x", "\ud800"])
def test_an_item_that_is_not_json_is_named(item: Any) -> None:
    with pytest.raises(ItemNotJson, match="task 'invoices', item 17"):
        encode_item(item, task="invoices", number=17)


def test_an_item_over_the_limit_is_named_with_its_size() -> None:
    with pytest.raises(ItemTooLarge, match=r"item 3: 11,000,002 bytes, 10,485,760 allowed"):
        encode_item("x" * 11_000_000, task="invoices", number=3)


def test_sizes_are_bytes_and_not_characters() -> None:
    assert [4, 2, 3, 4] == [utf8_size(text) for text in ("abcd", "ü", "€", "𝄞")]


def test_characters_that_sqs_refuses_travel_escaped() -> None:
    text = encode_item("a\uffff\x00\x7f", task="t", number=0)

    assert not set(text) & {"\uffff", "\ufffe", "\x00"}
    assert "a\uffff\x00\x7f" == json.loads(text)


GOOD: dict[str, Any] = {"v": 1, "run": RUN, "chunk": 0, "first": 0, "items": [1]}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "nonsense",
        "[" * 100_000,
        json.dumps({**GOOD, "v": 0}),
        json.dumps({**GOOD, "run": "sunrise"}),
        json.dumps({**GOOD, "run": "../../x/2026-11-22T00:00:00Z"}),
        json.dumps({**GOOD, "run": 5}),
        json.dumps({**GOOD, "chunk": -1}),
        json.dumps({**GOOD, "chunk": True}),
        json.dumps({**GOOD, "items": {"0": 1}}),
        json.dumps({**GOOD, "items": None, "count": 1, "s3": "runs/other/2026-11-22T00:00:00Z/chunks/0.json"}),
        json.dumps({"v": 1, "run": RUN, "chunk": 0, "first": 0}),
        json.dumps({"v": 1, "run": RUN, "chunk": 0, "first": 0, "fields": ["a"]}),
        json.dumps({"v": 1, "run": RUN, "chunk": 0, "first": 0, "fields": "a", "rows": [[1]]}),
        json.dumps({"v": 1, "run": RUN, "chunk": 0, "first": 0, "fields": ["a", "b"], "rows": [[1]]}),
    ],
    ids=lambda body: body[:50],
)
def test_a_foreign_message_is_refused(body: str) -> None:
    with pytest.raises(MalformedMessage):
        parse(body, bucket="b")


def test_a_message_of_a_later_release_is_no_foreign_one() -> None:
    with pytest.raises(NewerMessage, match="message version 2; this release reads version 1"):
        parse(json.dumps({**GOOD, "v": 2, "how": "new"}), bucket="b")

    assert [1] == parse(json.dumps({**GOOD, "new": "field"}), bucket="b").items


def test_a_message_of_this_release_reads_as_it_was_written() -> None:
    body = '{"v":1,"run":"sunrise/2026-11-22T00:00:00Z","chunk":3,"first":300,"items":[{"id":7},"x"]}'

    chunk = parse(body, bucket="b")

    assert (RUN, 3, 300, 2, [{"id": 7}, "x"]) == (chunk.run.id, chunk.number, chunk.first, chunk.count, chunk.items)


def test_a_long_message_is_compressed_and_read_back_as_it_was() -> None:
    items = tuple(encode_item({"name": "Ü" * 20, "n": n}, task="t", number=n) for n in range(300))
    packed = Packed(3, 900, items)
    body = packed.body(RUN)

    assert len(body.encode()) < sum(len(item.encode()) for item in items) / 3
    chunk = parse(body, bucket="b")
    assert (3, 900, 300) == (chunk.number, chunk.first, chunk.count)
    assert [json.loads(item) for item in items] == chunk.items


def test_a_message_that_was_packed_in_base_85_is_read() -> None:
    packed = base64.b85encode(zlib.compress(b'[{"id":7},"x"]')).decode()

    chunk = parse(json.dumps({"v": 1, "run": RUN, "chunk": 3, "first": 6, "count": 2, "z": packed}), bucket="b")

    assert [{"id": 7}, "x"] == chunk.items


def test_a_message_that_would_not_get_shorter_stays_readable() -> None:
    noise = base64.b85encode(random.Random(1).randbytes(40_000)).decode()
    assert json.dumps(noise) in Packed(0, 0, (json.dumps(noise),)).body(RUN)
    short = Packed(0, 0, ('"a"', '"b"'))
    assert '"items":["a","b"]' in short.body(RUN)


@pytest.mark.parametrize(
    ("packed", "count"),
    [
        (zlib.compress(b"[" + b" " * 64_000_000 + b"1]"), 1),
        (zlib.compress(b"[1]"), 2),
        (zlib.compress(b"7"), 1),
        (b"nothing of zlib's", 1),
    ],
)
def test_packed_items_that_are_not_what_the_message_says_are_refused(packed: bytes, count: int) -> None:
    message = {"v": 1, "run": RUN, "chunk": 0, "first": 0, "count": count}
    for forged in (base64.b64encode(packed), b"$" + base64.b64encode(packed)):
        with pytest.raises(MalformedMessage):
            parse(json.dumps({**message, "z64": forged.decode()}), bucket="b")
