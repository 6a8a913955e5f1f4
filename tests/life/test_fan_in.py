"""Results on their way from items to the one value of a run."""

import json
from typing import Any

from drumbeat.testing.cloud import AppCloud


def result(cloud: AppCloud, key: str) -> Any:
    """What is kept under a key."""
    return json.loads(cloud.client("s3").get_object(Bucket=cloud.bucket, Key=key)["Body"].read())


def test_a_large_run_is_combined_leaf_by_leaf_by_several_functions(cloud: AppCloud) -> None:
    run = cloud.run("squares")

    assert "SUCCEEDED" == run.state
    assert [sum(number * number for number in range(300))] == result(cloud, run.result)
    assert any("leaves given out to combine" in line.text for line in cloud.logs(cloud.dispatcher("squares")))


def test_a_small_run_is_combined_at_once(cloud: AppCloud) -> None:
    run = cloud.run("squares", [1, 2, 3])

    assert [14] == result(cloud, run.result)
    assert not any("leaves given out to combine" in line.text for line in cloud.logs(cloud.dispatcher("squares")))


def test_a_run_without_results_has_nothing_to_combine(cloud: AppCloud) -> None:
    run = cloud.run("squares", [])

    assert ("SUCCEEDED", [None]) == (run.state, result(cloud, run.result))


def test_a_combine_that_raises_fails_the_run_with_the_reason(cloud: AppCloud) -> None:
    few = cloud.run("squares", [1, "text"])
    many = cloud.run("squares", [*range(280), "text"])

    assert ("FAILED", "FAILED") == (few.state, many.state)
    assert "combine raised TypeError" in few.reason
    assert "combine raised TypeError" in many.reason
