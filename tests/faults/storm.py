"""Many faults at once, drawn from a seed: what a single fault can't show."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from drumbeat import Run
from drumbeat.local.services import Call
from drumbeat.signal import Finish, Fire, Resume
from drumbeat.testing.single import KINDS, fits
from tests.faults.driver import Driver
from tests.faults.scenes import Stage

LATE_S = (0, 1, 61, 1800)


@dataclass
class Storm(Driver):
    """Breaks each call with these odds, delivers deleted messages again, and shuffles what is waiting."""

    rng: Random = field(default_factory=lambda: Random(0))
    odds: float = 0.04

    def touches(self, call: Call) -> bool:
        """Take down the call, and draw whether it breaks, and how."""
        before = len(self.calls)
        touched = super().touches(call)
        if len(self.calls) > before and self.rng.random() < self.odds:
            self.break_at(call, self.rng.choice([kind for kind in KINDS if fits(kind, call.operation)]))
            return True
        return touched

    def pick(self, queue: str, waiting: int) -> int:
        """Any of them."""
        del queue
        return self.rng.randrange(waiting)

    def again(self, queue: str, message_id: str) -> float | None:
        """Some come again, at once or late."""
        del queue, message_id
        return self.rng.choice(LATE_S) if self.rng.random() < self.odds * 4 else None


def repeated_signals(rng: Random) -> Callable[[Stage, Run], None]:
    """Send every signal again, too early and too late."""

    def signal(stage: Stage, run: Run) -> None:
        for event in (Fire(run), Finish(run), Resume(run, 0), Resume(run, 1), Finish(run)):
            stage.cloud.advance(timedelta(seconds=rng.choice((0, 0.05, 0.2, 1, 30))))
            stage.cloud.invoke_async(stage.cloud.dispatcher(run.task), event.event())

    return signal
