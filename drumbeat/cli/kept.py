"""The way from a command to a local cloud that is kept in a folder: made by the first command, saved by each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from drumbeat.control import Control, Deployment, RunUnknown
from drumbeat.local.kept import KeptCloud, is_kept
from drumbeat.local.synth import key, synthesize

from .edge import Refused
from .files import put_inputs
from .plain import plain
from .screen import progress_screen
from .simulation import DEPLOYED_BEFORE
from .watch import Watch

if TYPE_CHECKING:
    from drumbeat.run import Run

    from .project import Local, Project

_UNTIL_RECORDED_S = 120


class KeptControl(Control):
    """The operator's view of a kept cloud: who waits lets virtual time pass, and nobody else does."""

    def __init__(self, cloud: KeptCloud) -> None:
        super().__init__(
            Deployment.of_outputs(cloud.deployment.outputs),
            cloud,
            now=lambda: cloud.now,
            sleep=lambda seconds: cloud.advance(seconds=seconds),
        )
        self.cloud = cloud

    def run(self, task: str, **more: Any) -> "Run":
        """Start a run, and let time pass until it is in the ledger: the next command is to find it there."""
        started = super().run(task, **more)
        with suppress(RunUnknown):  # its dispatcher failed; functions.jsonl tells why
            next(self.follow(started.id, every_s=0.5, patience_s=_UNTIL_RECORDED_S))
        return started


@contextmanager
def kept(project: "Project") -> Iterator[KeptControl]:
    """Give a command the cloud of `--local`, and save it when all went well: a command that fails changes nothing."""
    local = project.local
    assert local is not None
    opened = _loaded(project, local) if is_kept(local.folder) else _created(project, local)
    with opened as cloud:
        yield KeptControl(cloud)
        cloud.save()


@contextmanager
def _created(project: "Project", local: "Local") -> Iterator[KeptCloud]:
    if local.redeploy:
        raise Refused(f"--redeploy: there is no cloud in {local.folder} yet; leave it out, the app is deployed anyway")
    start = local.start or datetime.now(UTC).replace(second=0, microsecond=0)
    notes = _notes(project)
    watch = _Pace(notes)
    cloud = KeptCloud.create(
        local.folder,
        _synthesized(project.folder),
        start=start - DEPLOYED_BEFORE,
        seed=local.seed or 0,
        notes=notes,
        durations=watch.duration,
    )
    with cloud:
        _put_inputs(cloud, project.folder)
        cloud.advance_to(start)
        cloud.save()
        _tell(f"deployed the app into {local.folder}, where it is {cloud.now:%Y-%m-%dT%H:%M:%SZ} now")
        yield cloud


@contextmanager
def _loaded(project: "Project", local: "Local") -> Iterator[KeptCloud]:
    given = [option for option, value in (("--from", local.start), ("--seed", local.seed)) if value is not None]
    if given:
        raise Refused(f"{' and '.join(given)}: there is a cloud in {local.folder} already; that is for a new one")
    watch = _Pace({})
    if local.redeploy:
        notes = _notes(project)
        cloud = KeptCloud.load(
            local.folder, redeploy=_synthesized(project.folder), notes=notes, durations=watch.duration
        )
    else:
        cloud = KeptCloud.load(local.folder, durations=watch.duration)
    watch.read(cloud.notes)
    with cloud:
        if local.redeploy:
            _put_inputs(cloud, project.folder)
            cloud.save()
            _tell(f"deployed the app over what is in {local.folder}")
            for what, count in cloud.lost.items():
                _tell(f"the new code has no place for {what} ({count:,}): gone")
        elif _is_changed(project.folder, cloud.notes):
            _tell(
                f"the app in {project.folder} has changed since it was deployed into {local.folder}; --redeploy "
                "deploys it over what is there"
            )
        yield cloud


def _synthesized(app: Path) -> Path:
    errors = progress_screen()
    with errors.status("synthesizing the app") if errors.is_terminal else nullcontext():
        return synthesize(app)


def _notes(project: "Project") -> dict[str, Any]:
    """What later commands need to know of the app, wherever they are called."""
    pace = {name: [task.item_s, task.concurrency] for name, task in project.tasks().items()}
    return {"pace": pace, "sources": key(project.folder)}


def _is_changed(app: Path, notes: Mapping[str, Any]) -> bool:
    return (app / "app.py").is_file() and key(app) != notes.get("sources")


def _put_inputs(cloud: KeptCloud, app: Path) -> None:
    for stack in Deployment.of_outputs(cloud.deployment.outputs).stacks:
        put_inputs(cloud.client("s3"), stack.bucket, app)


def _tell(text: str) -> None:
    progress_screen().print(f"[dim]{plain(text)}[/]", soft_wrap=True)


class _Pace:
    """How long items take, as `drumbeat local` has it, from what was noted at the deployment."""

    def __init__(self, notes: Mapping[str, Any]) -> None:
        self.read(notes)

    def read(self, notes: Mapping[str, Any]) -> None:
        known: Any = {
            name: SimpleNamespace(item_s=item_s, concurrency=concurrency)
            for name, (item_s, concurrency) in notes.get("pace", {}).items()
        }
        self.duration_of = Watch(known).duration

    def duration(self, *arguments: Any) -> float:
        return self.duration_of(*arguments)


@dataclass(frozen=True)
class Passed:
    """What happened while time passed."""

    now: datetime
    fires: int
    invocations: int
    is_idle: bool
    next_fire: datetime | None


def advance(control: KeptControl, to: datetime | None, minutes: float | None) -> Passed:
    """Let time pass: to an instant, for some minutes, or until nothing is under way."""
    cloud = control.cloud
    if to is not None and to <= cloud.now:
        raise Refused(f"--to {to:%Y-%m-%dT%H:%M:%SZ}: it is {cloud.now:%Y-%m-%dT%H:%M:%SZ} there; give a later time")
    before = sum(cloud.invocations.values())
    fires = len(cloud.log.of("fire"))
    if to is not None:
        cloud.advance_to(to)
    elif minutes is not None:
        cloud.advance(timedelta(minutes=minutes))
    else:
        cloud.run_until_idle()
    cloud.rest()
    return Passed(
        now=cloud.now,
        fires=len(cloud.log.of("fire")) - fires,
        invocations=sum(cloud.invocations.values()) - before,
        is_idle=not cloud.busy,
        next_fire=cloud.next_fire(),
    )
