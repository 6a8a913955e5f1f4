"""Many faults in one run, drawn from a seed, with repeated and shuffled deliveries."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.faults.conftest import deployed
from tests.faults.plays import DYING, LONG, MIXED, ONCE, PLAIN
from tests.faults.scenes import Broken
from tests.faults.storm import Storm, repeated_signals
from tests.faults.sweep import Theatre

SEEDS = 20
AGAIN_AND_AGAIN = ("complete ", "the dispatcher died ", "items failed; ")
"""Why a run may fail in earnest: what goes wrong often enough is given up, and says so."""


@pytest.fixture(scope="module")
def storm() -> Storm:
    """The driver of this module."""
    return Storm()


@pytest.fixture(scope="module")
def theatre(faults_assembly: Path, storm: Storm) -> Iterator[Theatre]:
    """A cloud that all seeds play on; what has ended must not have changed at the end."""
    opened = Theatre(partial(deployed, faults_assembly, storm))
    yield opened
    opened.stage.check_nothing_changed()
    opened.close()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_goes_wrong_a_run_ends_and_counts_every_item_once(theatre: Theatre, storm: Storm, seed: int) -> None:
    storm.rng = rng = Random(seed)
    scene = replace(rng.choice((PLAIN, MIXED, ONCE, DYING, LONG)), also=repeated_signals(rng))
    try:
        record = theatre.stage.endure(scene)
    except Broken:
        theatre.close()
        raise

    assert record.state == "SUCCEEDED" or any(words in record.reason for words in AGAIN_AND_AGAIN)
