"""What the sweep, and thinking about it, has found wrong: each defect stays found."""

from dataclasses import replace

from tests.faults.driver import Fault, Point
from tests.faults.plays import LONG, PLAIN, dies_at
from tests.faults.scenes import Scene, Stage

ANNOUNCES = Point("dispatcher", "PutEvents", "", 1)
STORES_RESULT = Point("worker", "PutObject", "runs/RUN/parts/000000000.ID.3.0.json", 1)


def publishes(turn: int) -> Point:
    """The fan-in's own call to AWS."""
    return Point("dispatcher", "PutObject", "results/RUN/all.json", turn)


def test_what_was_announced_stands_though_a_repeated_fan_in_would_fail(stage: Stage) -> None:
    """The dispatcher died after the announcement; its successors ran the fan-in again, and announced its failure."""
    later = tuple(Fault(publishes(turn), "outage") for turn in (2, 3, 4))

    stage.play(replace(PLAIN, given=(Fault(ANNOUNCES, "crash after"), *later)))

    assert 2 == len(stage.driver.announced)


def test_an_announcement_that_fails_again_and_again_does_not_make_a_good_run_fail(stage: Stage) -> None:
    """Each failed announcement counted as a try of the fan-in, which was then said not to come to its end."""
    stage.play(replace(PLAIN, given=dies_at("dispatcher", "PutEvents", "", 1, 2, 3)))


def test_an_item_whose_result_could_not_be_kept_is_not_said_to_have_killed_its_worker(stage: Stage) -> None:
    """A careful pass failed, alive, while S3 was out; the next one took its item for the one that kills workers."""
    frail = Scene("frail", ("a", "killer", "b", "c"), frozenset({"killer"}))

    stage.play(replace(frail, given=(Fault(STORES_RESULT, "outage"),)))

    assert stage.driver.faults[0] in stage.driver.hits


def test_an_expansion_hands_over_before_an_item_that_takes_longer_than_the_margin(stage: Stage) -> None:
    """The dispatcher ran into its timeout, six times, and the run was failed."""
    stage.play(LONG)

    assert 1 < len([call for call in stage.driver.calls if '"resume"' in call.target])
    assert [] == [call for call in stage.driver.calls if call.role == "keeper" and "resume" in call.target]
