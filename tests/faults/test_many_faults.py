"""Many faults in one run, drawn from a seed, with repeated and shuffled deliveries."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.faults.conftest import endured
from tests.faults.plays import DYING, LONG, MIXED, ONCE, PLAIN
from tests.faults.storm import Storm, repeated_signals
from tests.faults.test_single_faults import FULL

SEEDS = 100 if FULL else 6
AGAIN_AND_AGAIN = ("complete ", "the dispatcher died ", "items failed; ")
"""Why a run may fail in earnest: what goes wrong often enough is given up, and says so."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_goes_wrong_a_run_ends_and_counts_every_item_once(faults_assembly: Path, seed: int) -> None:
    rng = Random(seed)
    scene = replace(rng.choice((PLAIN, MIXED, ONCE, DYING, LONG)), also=repeated_signals(rng))
    run = endured(faults_assembly, scene, Storm(scene.task, rng=rng), seed=seed)

    assert run.state == "SUCCEEDED" or any(words in run.reason for words in AGAIN_AND_AGAIN)
