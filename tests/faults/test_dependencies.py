"""What the items need is away for a while: the run waits for it, ever more patiently, and then drains."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from drumbeat import Run, Task
from tests.faults.engine import START, Engine

TEN_MINUTES = timedelta(minutes=10)
COUNT = 2000


class Bank:
    """Can't be reached for so long from when it is first asked; takes down when."""

    def __init__(self, error: BaseException, away: timedelta) -> None:
        self._error, self._away = error, away
        self.engine: Engine
        self.asked: list[datetime] = []

    def charge(self, item: int, run: Run) -> int:
        """Charge an item."""
        del run
        self.asked.append(self.engine.world.now)
        if self.engine.world.now - self.asked[0] < self._away:
            raise self._error
        return item


def bank(error: BaseException, count: int = COUNT, *, away: timedelta = TEN_MINUTES, **settings: Any) -> Bank:
    """A bank and a task with every default, or these settings."""
    made = Bank(error, away)
    task = Task("charges", **settings)
    task.expand(lambda run: range(count) if run else ())
    task.work(made.charge)
    made.engine = Engine(task)
    return made


def test_ten_minutes_without_what_the_items_need_make_less_than_one_dead_letter_in_a_hundred() -> None:
    """A task with every default: its four attempts were used up within fourteen seconds."""
    found = bank(ConnectionRefusedError("the bank"), chunk_size=10)
    record = found.engine.run()

    assert record.failed < COUNT / 100
    assert (COUNT, COUNT) == (record.items, record.succeeded + record.failed)


def test_back_off_grows_while_nobody_answers_and_all_is_done_soon_after() -> None:
    found = bank(ConnectionRefusedError("the bank"), count=100)
    record = found.engine.run()
    began = found.asked[0]
    minutes = Counter(int((when - began) / timedelta(minutes=1)) for when in found.asked)

    assert ("SUCCEEDED", 100, 100) == (record.state, record.succeeded, record.attempts)
    assert minutes[0] > minutes[8] + minutes[9]
    assert found.engine.world.now - START < TEN_MINUTES + timedelta(minutes=16)


def test_an_error_of_the_item_itself_uses_up_its_attempts_at_once() -> None:
    found = bank(LookupError("no such account"), count=10)
    record = found.engine.run()

    assert (10, 40) == (record.failed, record.attempts)
    assert found.engine.world.now - START < timedelta(minutes=1)


@pytest.mark.parametrize(
    "settings", [{"retries": 0}, {"give_up_on": (ConnectionError,)}, {"retry_on": (LookupError,)}], ids=str
)
def test_what_is_not_to_be_tried_again_is_not_borne(settings: dict[str, Any]) -> None:
    record = bank(ConnectionRefusedError("the bank"), count=10, **settings).engine.run()

    assert (10, 10) == (record.failed, record.attempts)


def test_what_never_comes_back_is_given_up_in_the_end() -> None:
    found = bank(ConnectionRefusedError("the bank"), count=10, away=timedelta(days=9))
    record = found.engine.run()

    assert ("FAILED", 10, 40) == (record.state, record.failed, record.attempts)
    assert {4} == {letter.attempts for letter in found.engine.letters(record.run())}
