"""What a declaration accepts, and the words with which it refuses the rest."""

from collections.abc import Callable
from typing import Any

import pytest

from drumbeat import Allow, At, Backoff, Cron, DynamoItems, Range, Rate, Run, S3Lines, S3Objects, Task
from drumbeat.errors import DrumbeatError, InvalidTask

WRONG = [
    ({"name": "Sunrise"}, "lower-case letters, digits and hyphens"),
    ({"name": "x" * 49}, "1 to 48"),
    ({"schedule": "0 0 * * ? *"}, 'Cron("0 0 * * ? *")'),
    ({"memory_mib": 64}, "128 to 10,240"),
    ({"timeout_s": 901}, "1 to 900 are allowed (seconds, Lambda's limit"),
    ({"timeout_s": 1.5}, "timeout_s=1.5"),
    ({"timeout_s": True}, "timeout_s=True"),
    ({"max_concurrency": 1}, "2 to 1,000"),
    ({"concurrency": 0}, "1 to 1,000"),
    ({"retries": -1}, "0 to 100"),
    ({"chunk_size": 0}, "1 to 5,000"),
    ({"chunk_size": 5_001}, "1 to 5,000"),
    ({"chunk_bytes": 2_000_000}, "1,024 to 1,048,576"),
    ({"batch_size": 11}, "needs a batch_window_s of 1 or more"),
    ({"batch_size": 100, "batch_window_s": 1}, "choose chunk_bytes up to 62,914"),
    ({"batch_window_s": 301}, "0 to 300"),
    ({"overlap": "queue"}, "skip, buffer_one, buffer_all, cancel_other or allow"),
    ({"tolerated_failure_percentage": 101}, "0 to 100 are allowed"),
    ({"item_s": 61}, "up to timeout_s=60"),
    ({"idempotent_by": 7}, "the name of a field"),
    ({"environment": {"AWS_REGION": "x"}}, "AWS_ and DRUMBEAT_ are taken"),
    ({"environment": {"MODE": 1}}, "write it as text"),
    ({"environment": {"MODE": "ü" * 1279}}, "environment has 2,562 bytes, 2,560 allowed"),
    ({"permissions": ["s3:*"]}, "Allow("),
    ({"backoff": 3}, "a Backoff is expected"),
    ({"snap_start": "PublishedVersions"}, "True or False is expected"),
]


@pytest.mark.parametrize(("settings", "words"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_setting_is_refused_where_it_stands_with_the_limit(settings: dict[str, Any], words: str) -> None:
    arguments = {"name": "sunrise", **settings}
    with pytest.raises(InvalidTask) as refused:
        Task(arguments.pop("name"), **arguments)
    assert words in str(refused.value)
    assert "task" in str(refused.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: S3Lines("/inputs/x"), "without a leading slash"),
        (lambda: S3Lines("{run.time}.jsonl"), "only fields of the run"),
        (lambda: S3Objects(""), "a key without a leading slash"),
        (lambda: Range(5, 1), "start <= stop"),
        (lambda: DynamoItems(""), "name a table"),
        (lambda: Backoff(first_s=10, cap_s=5), "first_s <= cap_s"),
        (lambda: Allow("s3:*", on="arn"), "one by one"),
        (lambda: Allow("s3:GetObject", on=()), "ARNs"),
        (lambda: Allow("s3:GetObject", on="arn", to="worker"), "expand, work, complete"),
    ],
)
def test_a_wrong_value_is_refused_with_the_remedy(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(DrumbeatError, match=words):
        make()


def test_a_function_of_the_wrong_shape_is_refused() -> None:
    task = Task("sunrise")
    with pytest.raises(InvalidTask, match=r"def work\(item, run\)"):
        task.work(lambda item: item)
    with pytest.raises(InvalidTask, match=r"def expand\(run\)"):
        task.expand(list[int]().copy)


def test_a_second_function_of_a_kind_is_refused() -> None:
    task = Task("sunrise")
    task.expand(Range(0, 3))
    with pytest.raises(InvalidTask, match="has its expand already"):
        task.expand(Range(0, 4))


def test_a_missing_function_is_named_when_it_is_needed() -> None:
    with pytest.raises(InvalidTask, match="'sunrise' has no work"):
        _ = Task("sunrise").worker


def test_idempotency_needs_a_plain_work_function() -> None:
    async def work(item: Any, run: Run) -> None: ...

    with pytest.raises(InvalidTask, match="drop the async"):
        Task("sunrise", idempotent_by="id").work(work)


def test_decorated_functions_stay_what_they_are() -> None:
    task = Task("sunrise", schedule=Rate(minutes=5))

    @task.work
    def double(item: int, run: Run) -> int:
        del run
        return item * 2

    assert 6 == double(3, Run("sunrise", At("2026-01-01T00:00:00").instant))
    assert double is task.worker
    assert __name__ == task.module


def test_numbers_of_the_queue_are_derived_from_the_function() -> None:
    task = Task("sunrise", schedule=Cron("0 0 * * ? *"), timeout_s=100, batch_window_s=20, retries=4)

    assert 620 == task.visibility_timeout_s
    assert task.max_receives > task.retries + 1
