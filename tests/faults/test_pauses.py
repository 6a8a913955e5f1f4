"""A worker that is switched off in the middle of a run, in both ways that AWS has for it."""

from datetime import timedelta
from pathlib import Path

import pytest

from drumbeat.testing import AppCloud
from drumbeat.testing.sweeping import come_to_rest
from tests.faults import witness
from tests.faults.plays import PLAIN
from tests.faults.scenes import START, Stage


@pytest.mark.parametrize("way", ["disabled mapping", "reserved concurrency of 0"])
def test_a_worker_that_is_switched_off_for_hours_goes_on_without_loss(faults_assembly: Path, way: str) -> None:
    with AppCloud(faults_assembly, start=START) as cloud:
        stage, worker = Stage(cloud), cloud.worker("plain")
        functions = cloud.client("lambda")
        if way == "disabled mapping":
            stage.pause_worker("plain")
        else:
            functions.put_function_concurrency(FunctionName=worker, ReservedConcurrentExecutions=0)
        run = PLAIN.play(cloud)
        cloud.advance(timedelta(hours=2))
        paused = cloud.show(run)
        waiting = sum(sum(cloud.queue_depth(queue.name)) for queue in cloud.deployment.queues if "plain" in queue.name)

        assert ("RUNNING", 3, 8) == (paused.state, paused.chunks, paused.items)
        assert 3 == waiting
        assert 0 == sum(witness.attempts.values())
        if way == "disabled mapping":
            stage.resume_worker("plain")
        else:
            functions.delete_function_concurrency(FunctionName=worker)
        come_to_rest(cloud, timedelta(days=2))

        PLAIN.check(cloud, run)
        assert {1} == set(witness.attempts.values())
