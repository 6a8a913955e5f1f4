"""The keeper's look at what should have begun: fires that never came, and runs that should follow others."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from drumbeat.ledger import pause
from drumbeat.ledger.record import MISSED, OPENABLE
from drumbeat.ledger.runs import Runs
from drumbeat.run import Run, format_time, parse_time
from drumbeat.schedule import Rate
from drumbeat.signal import Fire, Follow
from drumbeat.task import Task

from .announce import announce
from .chain import end_of
from .invoke import invoke
from .observability import count as metric
from .observability import logger
from .services import Services

GRACE = timedelta(minutes=10)
"""How late a fire may be before it counts as missed; AWS's own retries are counted on top by the rule's age limit."""
FOLLOWED = timedelta(days=1)
"""How far back the keeper looks for runs that nobody has followed."""


class Lookout:
    """Looks for what should have begun of one task."""

    def __init__(self, services: Services, task: Task) -> None:
        self._services = services
        self._task = task
        self._runs = Runs(services.table)

    def look(self, since: datetime, now: datetime) -> datetime:
        """Look at the fires since the last look; until when they were looked at."""
        until = max(since, now - GRACE)
        for fire in self._fires(since, until):
            self._look_for(Run(self._task.name, fire.replace(second=0, microsecond=0)), now)
        if self._task.catch_up is not None and not pause.is_paused(self._services.table, self._task.name):
            self._catch_up(now - self._task.catch_up)
        if self._task.after:
            self._follow(now)
        return until

    def _fires(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The fires that should have come; a rate counts from when it was deployed, so from the latest one here."""
        schedule = self._task.schedule
        if schedule is None:
            return iter(())
        if not isinstance(schedule, Rate):
            return schedule.fires(after=since, until=until)
        latest = self._runs.latest_fire(self._task.name)
        if latest is None:
            return iter(())
        anchor = parse_time(latest.scheduled_at)
        return schedule.fires(after=max(anchor, since), until=until, anchor=anchor)

    def _look_for(self, run: Run, now: datetime) -> None:
        """Record a fire that never came; one that was, when the keeper died before it could say so, is told now."""
        if self._runs.get(run) is None:
            if not self._runs.note(run, MISSED, reason="the fire never reached the dispatcher", now=now):
                return
            metric("FiresMissed", task=run.task)
            logger.error("a fire never came", run=run.id)
        record = self._runs.get(run)
        if record is not None and record.state == MISSED:
            announce(self._services, record)

    def _catch_up(self, since: datetime) -> None:
        """Fire what was missed and is young enough, the oldest first; a repeat changes nothing."""
        for record in self._runs.of_task(self._task.name, newest_first=False, since=format_time(since)):
            if record.state == MISSED:
                logger.info("catching up", run=record.id)
                self._tell(Fire(record.run(), catch_up=True).event())

    def _follow(self, now: datetime) -> None:
        """Open what should have come after runs that have ended, if their events were lost."""
        since = format_time(now - FOLLOWED)
        here = {record.id: record for record in self._runs.of_task(self._task.name, since=since)}
        for record in self._runs.of_task(self._task.upstream[0], since=since):
            run = replace(record.run(), task=self._task.name, params={})
            mine = here.get(run.id)
            if end_of(record) and (mine is None or (mine.state in OPENABLE and self._may_heal(run))):
                self._tell(Follow(run).event())

    def _may_heal(self, run: Run) -> bool:
        """Whether all runs before one that couldn't start have ended well since, by a redrive."""
        found = (self._runs.get(replace(run, task=name)) for name in self._task.upstream)
        return all(end_of(record) == "SUCCEEDED" for record in found)

    def _tell(self, event: dict[str, object]) -> None:
        dispatchers = json.loads(self._services.settings.dispatchers or "{}")
        invoke(self._services, dispatchers[self._task.name], event)
