"""The record of an unfinished chunk."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumbeat.errors import RecordInvalid
from drumbeat.ledger import progress
from drumbeat.ledger.progress import Progress, progress_key
from drumbeat.ledger.table import Table
from drumbeat.limits import CHUNK_ITEMS

RUN = "sunrise/2026-01-01T00:00:00Z"
NUMBERS = st.dictionaries(st.integers(0, 400), st.integers(0, 2))


class OneRecord:
    """A table that keeps what was written last."""

    def __init__(self) -> None:
        self.item: dict[str, object] | None = None

    def get(self, _key: object) -> dict[str, object] | None:
        return self.item

    def put(self, _key: object, item: dict[str, object], _condition: str, **_values: object) -> tuple[object, bool]:
        self.item = item
        return item, True


@given(pending=st.none() | NUMBERS, due=NUMBERS)
def test_what_is_written_is_read_again(pending: dict[int, int] | None, due: dict[int, int]) -> None:
    table = OneRecord()

    written = progress.write(table, RUN, 0, Progress(pending=pending, due=due), token="t", expires_at=0)  # type: ignore[arg-type]

    assert written == progress.read(table, RUN, 0)  # type: ignore[arg-type]


def test_a_careful_pass_over_a_large_chunk_writes_a_unit_for_each_item(table: Table) -> None:
    left = dict.fromkeys(range(CHUNK_ITEMS // 2, CHUNK_ITEMS), 0) | {7: 1, 12: 3}

    progress.write(table, RUN, 0, Progress(pending=left, due={7: 1_800_000_000}), token="t", expires_at=0)

    item = table.get(progress_key(RUN, 0))
    assert item is not None
    assert len(json.dumps(item)) < 1024


@pytest.mark.parametrize(
    "pending", [[[0, 20_000, 0]], [[0, 2**60, 0], [0, -(2**60), 0]], [[0, 1.5, 0]], [[0, 1]], {"0": 1}]
)
def test_a_record_that_is_none_is_refused(table: Table, pending: object) -> None:
    text = json.dumps({"pending": pending, "due": [], "passes": [], "parts": []})
    table.put(progress_key(RUN, 0), {"version": 1, "progress": text})

    with pytest.raises(RecordInvalid, match="the progress of chunk 0"):
        progress.read(table, RUN, 0)
