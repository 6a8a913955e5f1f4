"""The scenes: each takes the engine along another way."""

from base64 import b64encode
from datetime import timedelta
from random import Random

from drumbeat import Run
from drumbeat.ledger import progress
from drumbeat.ledger.progress import Progress
from tests.faults.driver import Given, Named
from tests.faults.scenes import Scene, Stage

EIGHT = tuple(f"item{n}" for n in range(8))
LARGE = "poison" + b64encode(Random(1).randbytes(1_000_000)).decode()  # that compression doesn't make small


def dies_at(role: str, operation: str, target: str, *turns: int) -> tuple[Given, ...]:
    """The function dies before each of these calls: all three tries of an asynchronous event, for example."""
    return tuple(Given(Named(role, operation, target, turn), "crash before") for turn in turns)


def up_to_the_keeper(entered: int, rounds: int) -> Scene:
    """The first chunk lies in the dead-letter queue when the keeper begins with it."""

    def lose_the_first_chunk(stage: Stage, run: Run) -> None:
        stage.pause_worker(run.task)
        while not stage.give_up_message(run, chunk=0):
            stage.cloud.advance(timedelta(seconds=5))
        if entered:
            state = Progress(entered=entered, rounds=rounds)
            progress.write(stage.table, run.id, 0, state, token="before", expires_at=0)
        stage.resume_worker(run.task)

    failing = frozenset(EIGHT[:3] if entered else ())
    name = "given up by the keeper" if entered else "sent again by the keeper"
    return Scene("plain", EIGHT, failing, also=lose_the_first_chunk, name=name)


PLAIN = Scene("plain", EIGHT)
MIXED = Scene("mixed", ("a", "flaky1", "b", "poison", "c"), frozenset({"poison"}))
EMPTY = Scene("empty", ())
DYING = Scene("dying", ("a", "killer", "b", "c"), frozenset({"killer"}))
LARGE_ITEM = Scene("large", ("a", LARGE, "b"), frozenset({LARGE}))
ONCE = Scene("once", ("a", "b", "c", "d"))
LONG = Scene("long", tuple(f"item{n}" for n in range(10)))
SPLIT = Scene("split", ("a", "flaky1", "b", "c", "d"))
PART_RESUMED = Scene(
    "split",
    ("a", "flaky1", "b", "c", "d"),
    given=dies_at("dispatcher", "UpdateItem", "parts#RUN/000001", 2, 3, 4),
    name="a part resumed by the keeper",
)
SEALED_BY_KEEPER = Scene(
    "split",
    ("a", "flaky1", "b", "c", "d"),
    given=dies_at("dispatcher", "Query", "parts#RUN", 2, 3, 4, 5, 6, 7),
    name="split and sealed by the keeper",
)
RESUMED = Scene(
    "plain",
    EIGHT,
    given=dies_at("dispatcher", "UpdateItem", "task#plain/run#TIME", 1, 2, 3),
    name="resumed by the keeper",
)
FINISHED = Scene(
    "plain",
    EIGHT,
    given=dies_at("dispatcher", "GetItem", "node#RUN#0#0/node", 1, 2, 3),
    name="finished by the keeper",
)
GIVEN_UP = up_to_the_keeper(entered=2, rounds=2)
SENT_AGAIN = up_to_the_keeper(entered=0, rounds=0)

SCENES = (
    *(PLAIN, MIXED, EMPTY, DYING, LARGE_ITEM, ONCE, LONG, SPLIT),
    *(RESUMED, PART_RESUMED, SEALED_BY_KEEPER, FINISHED, GIVEN_UP, SENT_AGAIN),
)
