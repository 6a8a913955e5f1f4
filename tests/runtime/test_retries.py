"""Items that fail, that ask for another time, that give themselves up, and that share a rate."""

import json
from datetime import timedelta

import pytest

from drumbeat.testing.cloud import AppCloud, RunView


def counts(run: RunView) -> tuple[str, int, int, int]:
    return run.state, run.record.succeeded, run.failed, run.attempts


def times_done(cloud: AppCloud, run: RunView, key: str) -> int:
    prefix = f"runs/{run.id}/done/{key}/"
    return len(cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=prefix).get("Contents", []))


def test_an_item_that_asks_for_another_time_comes_back_then_and_burns_no_attempt(cloud: AppCloud) -> None:
    items = [1, {"again": 3600, "until": "2026-01-01T01:00:00Z"}, {"fail_once": "a"}, {"count": "b"}]
    run = cloud.run("asking", items=items)

    assert ("SUCCEEDED", 4, 0, 5) == counts(run)
    assert "2026-01-01T01:00:00Z" <= run.completed_at <= "2026-01-01T01:02:00Z"
    assert 1 == times_done(cloud, run, "b")
    assert items == json.loads(cloud.published(run)["all.json"])


def test_an_item_may_ask_for_another_time_as_often_as_it_likes(cloud: AppCloud) -> None:
    """More often than SQS would deliver its message: the keeper sends it again, and nothing is done twice."""
    run = cloud.run("asking", items=[{"count": "b"}, {"again": 60, "until": "2026-01-01T01:00:00Z"}])

    assert ("SUCCEEDED", 2, 0, 2) == counts(run)
    assert run.completed_at < "2026-01-01T01:30:00Z"
    assert 1 == times_done(cloud, run, "b")


def test_an_item_that_gives_itself_up_is_not_tried_again(cloud: AppCloud) -> None:
    run = cloud.run("asking", items=[1, {"dead": "the address is wrong"}])

    assert ("FAILED", 1, 1, 2) == counts(run)
    assert [("Dead", "the address is wrong", 1)] == [
        (dead.error_type, dead.error, dead.attempts) for dead in run.dead_letters
    ]


@pytest.mark.parametrize(
    ("item", "kind", "attempts"),
    [({"lookup": "no"}, "LookupError", 3), ({"key": "no"}, "KeyError", 1), ({"raise": "no"}, "RuntimeError", 1)],
    ids=["is tried again", "is given up", "isn't among those that are tried again"],
)
def test_the_type_of_an_error_decides(cloud: AppCloud, item: object, kind: str, attempts: int) -> None:
    run = cloud.run("asking", items=[1, item])

    assert [(kind, attempts)] == [(letter.error_type, letter.attempts) for letter in run.dead_letters]


def test_tasks_that_share_a_budget_keep_to_its_rate(cloud: AppCloud) -> None:
    runs = [cloud.fire(task, items=list(range(150))) for task in ("paying", "paying-too")]
    cloud.run_until_idle(timedelta(hours=2))

    ended = [cloud.show(run) for run in runs]
    begun = sorted(time for run in ended for time in json.loads(cloud.published(run)["all.json"]))
    assert [("SUCCEEDED", 150, 0, 150)] * 2 == [counts(run) for run in ended]
    for window in (1, 5, 20):
        most = max(sum(start <= time < start + window for time in begun) for start in begun)
        assert most <= 5 * (window + 1) + 1
    assert begun[-1] - begun[0] < 300 / 5 * 1.5


def test_a_worker_begins_no_item_that_would_not_end_in_time_whatever_chunk_it_is_of(cloud: AppCloud) -> None:
    run = cloud.run("timely", items=[{"sleep": 25}] * 12)

    assert ("SUCCEEDED", 12, 0, 12) == counts(run)
    assert [] == [line for line in cloud.log.text().splitlines() if "Sandbox.Timedout" in line]
