"""All faults at once, in the life of two tasks' runs: short in the suite, as long as one likes in `make soak`.

DRUMBEAT_SOAK_MINUTES: how long to play, round after round; what fails is made as short as it can be.  Each round has a
seed, which is shown: DRUMBEAT_SOAK_SEED is the first one, and with 0 minutes the only one, so a round is played again.
"""

import os
import time
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from drumbeat.local.synth import synthesize
from tests.faults import witness
from tests.faults.machine import Pair

SOAK = "DRUMBEAT_SOAK_MINUTES" in os.environ
MINUTES = float(os.environ.get("DRUMBEAT_SOAK_MINUTES", "0"))
SEED = int(os.environ.get("DRUMBEAT_SOAK_SEED", "10"))  # with this one, the little in the suite shows most defects
EXAMPLES = 15 if SOAK else 8


@pytest.fixture(scope="module")
def pair_assembly() -> Path:
    """The synthesized app of two tasks."""
    witness.install()
    return synthesize(Path(__file__).parent / "pair")


def play(assembly: Path, number: int) -> None:
    """Play one round: so many examples, drawn from a seed."""

    @seed(number)
    class Seeded(Pair):
        pass

    Seeded.assembly = assembly
    phases = (Phase.generate, Phase.shrink) if SOAK else (Phase.generate,)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Seeded,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_runs_of_two_tasks_end_well_counted_whatever_happens_to_them(pair_assembly: Path) -> None:
    until = time.monotonic() + MINUTES * 60
    for number in count(SEED):
        print(f"DRUMBEAT_SOAK_SEED={number}", flush=True)  # noqa: T201  (how to play a round again)
        play(pair_assembly, number)
        if time.monotonic() >= until:
            break
