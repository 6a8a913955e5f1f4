"""AWS delivers at least once, in any order: what comes again changes nothing."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from drumbeat import Run
from drumbeat.signal import Finish, Fire, Resume
from drumbeat.testing import AppCloud, check_invariants
from drumbeat.testing.sweeping import come_to_rest
from tests.faults.driver import Driver
from tests.faults.plays import DYING, LONG, MIXED, PLAIN
from tests.faults.scenes import START, Scene, Stage


@dataclass
class Repeating(Driver):
    """Every deleted message comes again, as often as `after_s` has members; the newest is received first."""

    after_s: tuple[float, ...] = ()
    _times: Counter[str] = field(default_factory=Counter)

    def pick(self, queue: str, waiting: int) -> int:
        """The newest."""
        del queue
        return waiting - 1

    def again(self, queue: str, message_id: str) -> float | None:
        """How long after it was deleted this message comes again."""
        del queue
        self._times[message_id] += 1
        turn = self._times[message_id]
        return self.after_s[turn - 1] if turn <= len(self.after_s) else None


@pytest.mark.parametrize("after_s", [(0, 90), (7200,)], ids=str)
@pytest.mark.parametrize("scene", [PLAIN, MIXED, DYING], ids=str)
def test_a_message_that_comes_again_is_counted_once(
    faults_assembly: Path, scene: Scene, after_s: tuple[float, ...]
) -> None:
    with AppCloud(faults_assembly, start=START, faults=Repeating(after_s=after_s)) as cloud:
        run = scene.play(cloud)
        come_to_rest(cloud)
        ended = cloud.show(run)
        cloud.advance(hours=3)

        assert ended == cloud.show(run)
        scene.check(cloud, run)


@pytest.mark.parametrize(("scene", "after_s"), [(PLAIN, 0), (PLAIN, 0.3), (PLAIN, 30), (LONG, 30)], ids=str)
def test_a_signal_that_comes_too_early_twice_or_late_changes_nothing(
    faults_assembly: Path, scene: Scene, after_s: float
) -> None:
    def signal(stage: Stage, run: Run) -> None:
        stage.cloud.advance(timedelta(seconds=after_s))
        for event in (Fire(run), Resume(run, 0), Resume(run, 1), Finish(run), Finish(run)):
            stage.cloud.invoke_async(stage.cloud.dispatcher(run.task), event.event())

    with AppCloud(faults_assembly, start=START) as cloud:
        run = replace(scene, also=signal).play(cloud)
        come_to_rest(cloud)

        check_invariants(cloud)
        assert 1 == len([event for event in cloud.events("drumbeat") if event["detail"]["state"] == "SUCCEEDED"])
        scene.check(cloud, run)
