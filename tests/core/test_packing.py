"""How many items share a message, and how many messages an invocation."""

import pytest

from drumbeat import Task


@pytest.mark.parametrize(
    ("declared", "chunk_size", "batch_size"),
    [
        ({}, 100, 1),
        ({"item_s": 0.001}, 100, 10),
        ({"item_s": 0.001, "chunk_bytes": 1024 * 1024}, 100, 6),
        ({"item_s": 5, "timeout_s": 60}, 3, 1),
        ({"item_s": 5, "timeout_s": 60, "concurrency": 10}, 30, 1),
        ({"item_s": 900, "timeout_s": 900}, 1, 1),
        ({"chunk_size": 1}, 1, 10),
        ({"chunk_size": 500, "batch_size": 3}, 500, 3),
    ],
)
def test_what_is_not_declared_follows_from_how_long_an_item_takes(
    declared: dict[str, object], chunk_size: int, batch_size: int
) -> None:
    task = Task("sunrise", **declared)  # type: ignore[arg-type]

    assert (chunk_size, batch_size) == (task.chunk_size, task.batch_size)
