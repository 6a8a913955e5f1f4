"""Play one scene once without a fault, then once for each fault that is chosen of all kinds at all calls it made."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from tests.faults.driver import Fault, faults_at
from tests.faults.scenes import Broken, Scene, Stage

Choose = Callable[[list[Fault]], Iterable[Fault]]
FULL = os.environ.get("DRUMBEAT_SWEEP") == "full"
"""Whether to play all points; otherwise a few."""
MOST_CALLS = 1.5
"""Times the calls of a clean run, if nothing died: RELIABILITY.md, failure mode 34."""


class Theatre:
    """Has a stage open; one on which a run didn't end as it should is torn down."""

    def __init__(self, open_stage: Callable[[], AbstractContextManager[Stage]]) -> None:
        self._open = open_stage
        self._holds = ExitStack()
        self._stage: Stage | None = None

    @property
    def stage(self) -> Stage:
        """A deployed cloud that is as it should be."""
        if self._stage is None:
            self._stage = self._holds.enter_context(self._open())
        return self._stage

    def close(self) -> None:
        """Tear the stage down."""
        self._stage = None
        self._holds.close()


@dataclass
class Report:
    """What a sweep has found."""

    played: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    costly: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{sum(self.played.values())} points: {dict(self.played)}"]
        lines += [f"broken: {point}" for point in self.broken]
        lines += [f"costly: {point}" for point in self.costly]
        lines += [f"not reached: {point}" for point in self.missed]
        return "\n  ".join(lines)


def sweep(theatre: Theatre, scene: Scene, choose: Choose = iter) -> Report:
    """Play a scene with one fault after the other, each as a run of its own."""
    report = Report()
    clean = theatre.stage.play(scene)
    for fault in list(choose(faults_at(theatre.stage.driver.calls))):
        report.played[fault.kind] += 1
        try:
            calls = theatre.stage.play(scene, fault)
        except Broken as why:
            report.broken.append(f"{fault}: {why}")
            theatre.close()
            continue
        if fault not in theatre.stage.driver.hits:
            report.missed.append(str(fault))
        elif calls > clean * MOST_CALLS and not fault.kind.startswith("crash"):
            report.costly.append(f"{fault}: {calls} calls instead of {clean}")
    theatre.stage.check_nothing_changed()
    return report
