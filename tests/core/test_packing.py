"""How many items share a message, and how many messages an invocation."""

import pytest

from drumbeat import Budget, Task
from drumbeat.packing import NOTHING, Learned, chunk_size_of


@pytest.mark.parametrize(
    ("declared", "chunk_size", "batch_size"),
    [
        ({}, 100, 1),
        ({"item_s": 0.001}, 100, 10),
        ({"item_s": 0.02}, 100, 2),
        ({"item_s": 0.02, "timeout_s": 10}, 100, 1),
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


@pytest.mark.parametrize(
    ("declared", "item_s", "attempts", "expected"),
    [
        ({}, 0.0, 0, 100),  # nothing is known
        ({}, 0.5, 10, 30),  # a quarter of 60 s
        ({}, 100, 10, 1),
        ({"timeout_s": 900}, 0.5, 10**6, 100),  # items that aren't quick share no more than by default
        ({}, 0.02, 10**6, 750),  # a quarter of 60 s
        ({"timeout_s": 900}, 0.04, 10**6, 500),  # twenty seconds
        ({}, 0.00001, 10**6, 1000),
        ({}, 0.00001, 10**6 // 10, 250),  # two runs' items: in each, four chunks for each of 50 workers
        ({"max_concurrency": 1000}, 0.00001, 10**6, 125),
        ({"item_s": 5}, 0.01, 100, 3),  # a guess isn't given up for a few items
        ({"item_s": 5}, 0.01, 20_000, 50),
        ({"item_s": 0.001}, 0.5, 10**6, 3),  # an invocation takes ten chunks
        ({"item_s": 0.001}, 0.001, 10**6, 250),  # and workers four batches each
        ({"chunk_size": 7}, 0.00001, 10**6, 7),  # the author has said it
        ({"budgets": Budget("api", per_second=10)}, 0.5, 10**6, 100),  # which its workers wait for
    ],
)
def test_what_runs_have_shown_outdoes_the_guess(
    declared: dict[str, object], item_s: float, attempts: int, expected: int
) -> None:
    task = Task("sunrise", **declared)  # type: ignore[arg-type]
    learned = Learned(round(item_s * 1000 * attempts), attempts)

    assert expected == chunk_size_of(task, learned)


def test_items_that_wait_side_by_side_are_not_parted_for_how_long_one_takes() -> None:
    task = Task("sunrise", concurrency=10, item_s=20)
    learned, sizes = NOTHING, [chunk_size_of(task, NOTHING)]

    for _ in range(5):  # a chunk of up to ten items takes as long as one of them
        learned = learned.after(ms=20_000 * 100, attempts=100 * sizes[-1], succeeded=100 * sizes[-1])
        sizes.append(chunk_size_of(task, learned))

    assert [7] * 6 == sizes


def test_chunks_whose_results_one_function_combines_stay_as_large_as_by_default() -> None:
    task, learned = Task("sunrise"), Learned(1000, 10**6)
    assert 1000 == chunk_size_of(task, learned)

    task.combine(sum)

    assert 100 == chunk_size_of(task, learned)


@pytest.mark.parametrize("runs", [1, 2, 10])
def test_a_run_like_those_before_has_four_chunks_for_each_worker(runs: int) -> None:
    task, items, learned = Task("sunrise", max_concurrency=10), 20_000, NOTHING
    for _ in range(runs):
        learned = learned.after(ms=200, attempts=items, succeeded=items)

    size = chunk_size_of(task, learned)

    assert 100 < size
    assert 4 * task.max_concurrency <= items / size


def test_each_run_counts_half_as_much_as_the_one_after_it() -> None:
    learned = NOTHING
    for ms in (8000, 4000, 100):
        learned = learned.after(ms=ms, attempts=100, succeeded=95)

    assert Learned(8000 // 4 + 4000 // 2 + 100, 25 + 50 + 100) == learned


@pytest.mark.parametrize(("ms", "attempts", "succeeded"), [(0, 100, 100), (0, 0, 0), (1000, 0, 0), (1000, 100, 89)])
def test_a_run_without_time_or_attempts_or_with_many_failures_shows_nothing(
    ms: int, attempts: int, succeeded: int
) -> None:
    known = Learned(500, 100)

    assert known == known.after(ms=ms, attempts=attempts, succeeded=succeeded)
