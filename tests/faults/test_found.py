"""What the sweep, and thinking about it, has found wrong: each defect stays found."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.conftest import played
from tests.faults.driver import Given, Named
from tests.faults.plays import FINISHED, LONG, PLAIN, RESUMED, dies_at
from tests.faults.scenes import Scene

ANNOUNCES = Named("dispatcher", "PutEvents", "", 2)  # the end; the first is the start
STORES_RESULT = Named("worker", "PutObject", "runs/RUN/parts/000000000.ID.3.0.json", 1)


def publishes(turn: int) -> Named:
    """The fan-in's own call to AWS."""
    return Named("dispatcher", "PutObject", "results/RUN/all.json", turn)


def test_what_was_announced_stands_though_a_repeated_fan_in_would_fail(faults_assembly: Path) -> None:
    """The dispatcher died after the announcement; its successors ran the fan-in again, and announced its failure."""
    later = tuple(Given(publishes(turn), "outage") for turn in (2, 3, 4))

    _, driver = played(faults_assembly, replace(PLAIN, given=(Given(ANNOUNCES, "crash after"), *later)))

    assert 3 == len([call for call in driver.calls if call.operation == "PutEvents"])


def test_an_announcement_that_fails_again_and_again_does_not_make_a_good_run_fail(faults_assembly: Path) -> None:
    """Each failed announcement counted as a try of the fan-in, which was then said not to come to its end."""
    played(faults_assembly, replace(PLAIN, given=dies_at("dispatcher", "PutEvents", "", 2, 3, 4)))


def test_an_item_whose_result_could_not_be_kept_is_not_said_to_have_killed_its_worker(faults_assembly: Path) -> None:
    """A careful pass failed, alive, while S3 was out; the next one took its item for the one that kills workers."""
    given = (Given(STORES_RESULT, "outage"),)
    frail = Scene("frail", ("a", "killer", "b", "c"), frozenset({"killer"}), given=given)

    _, driver = played(faults_assembly, frail)

    assert set(given) == driver.hits


def test_an_expansion_hands_over_before_an_item_that_takes_longer_than_the_margin(faults_assembly: Path) -> None:
    """The dispatcher ran into its timeout, six times, and the run was failed."""
    _, driver = played(faults_assembly, LONG)

    assert 1 < len([call for call in driver.calls if '"resume"' in call.target])
    assert [] == [call for call in driver.calls if call.role == "keeper" and "resume" in call.target]


@pytest.mark.parametrize("scene", [RESUMED, FINISHED], ids=str)
def test_what_a_scene_says_goes_wrong_does(faults_assembly: Path, scene: Scene) -> None:
    """The names of calls in a scene were no longer those that drumbeat makes: it showed nothing."""
    _, driver = played(faults_assembly, scene)

    assert set(scene.given) == driver.hits
