"""Where the parts of a deployed app are: found from the outputs of its CloudFormation stacks, by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from drumbeat.errors import UnknownTask
from drumbeat.outputs import (
    BACKFILL,
    BUCKET,
    DEAD_FIRES,
    DISPATCHER,
    SCHEDULE_GROUP,
    SCHEDULE_ROLE,
    TABLE,
    TASKS,
    output,
)

from .errors import NotDrumbeat, StackUnknown


@dataclass(frozen=True)
class DeployedStack:
    """One stack: its name and its outputs."""

    name: str
    outputs: Mapping[str, str]

    def __post_init__(self) -> None:
        for wanted in (TABLE, BUCKET, TASKS):
            self._output(wanted)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of its tasks."""
        return tuple(self._output(TASKS).split(","))

    @property
    def table(self) -> str:
        """The ledger's table."""
        return self._output(TABLE)

    @property
    def bucket(self) -> str:
        """The app's bucket."""
        return self._output(BUCKET)

    @property
    def schedule_group(self) -> str:
        """The group that runtime schedules are in."""
        return self._output(SCHEDULE_GROUP)

    @property
    def schedule_role(self) -> str:
        """The ARN of the role that Scheduler takes for them."""
        return self._output(SCHEDULE_ROLE)

    def dispatcher(self, task: str) -> str:
        """The name of a task's dispatcher function."""
        return self._output(output(DISPATCHER, task))

    def dispatcher_arn(self, task: str) -> str:
        """The same as an ARN: in the account and region of the task's queue."""
        _, partition, _, region, account, _ = self.dead_fires(task).split(":", 5)
        return f"arn:{partition}:lambda:{region}:{account}:function:{self.dispatcher(task)}"

    def dead_fires(self, task: str) -> str:
        """The ARN of the queue for fires that couldn't be delivered."""
        return self._output(output(DEAD_FIRES, task))

    def backfill_source(self, task: str) -> str:
        """The id of the event source mapping that feeds backfills to the task's worker."""
        return self._output(output(BACKFILL, task))

    def _output(self, name: str) -> str:
        try:
            return self.outputs[name]
        except KeyError:
            raise NotDrumbeat(
                f"stack {self.name!r} has no output {name}; it isn't one of drumbeat's, or an older release has "
                "deployed it: deploy it again"
            ) from None


@dataclass(frozen=True)
class Deployment:
    """The stacks of an app."""

    stacks: tuple[DeployedStack, ...]

    @classmethod
    def of_stack(cls, session: Any, *names: str) -> "Deployment":
        """Read the outputs of one stack, or of several, in the session's account and region."""
        cloudformation = session.client("cloudformation")
        return cls(tuple(DeployedStack(name, _outputs(cloudformation, name)) for name in names))

    @classmethod
    def of_outputs(cls, outputs: Mapping[str, Mapping[str, str]]) -> "Deployment":
        """Take outputs by stack that are known already; stacks that aren't drumbeat's are left out."""
        return cls(tuple(DeployedStack(name, found) for name, found in outputs.items() if TASKS in found))

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of all tasks."""
        return tuple(sorted(task for stack in self.stacks for task in stack.tasks))

    def stack_of(self, task: str) -> DeployedStack:
        """Return the stack that a task is in; the error for an unknown task tells the nearest ones."""
        found = [stack for stack in self.stacks if task in stack.tasks]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownTask(f"task {task!r} is in {_listed(stack.name for stack in found)}; name one of these stacks")
        close = get_close_matches(task, self.tasks, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(self.tasks)}"
        raise UnknownTask(f"no task {task!r} in {_listed(stack.name for stack in self.stacks)}; {hint}")


def _outputs(cloudformation: Any, name: str) -> dict[str, str]:
    try:
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise StackUnknown(
            f"no stack {name!r} in {cloudformation.meta.region_name}; deploy it, or name another stack or region"
        ) from None
    return {found["OutputKey"]: found["OutputValue"] for found in stack.get("Outputs", ())}


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"stack {name}" for name in names) or "no stack"
