"""Every error that drumbeat raises on purpose, under one root, named by its condition."""


class DrumbeatError(Exception):
    """Something drumbeat refuses or can't do."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class InvalidSchedule(DrumbeatError, ValueError):
    """The schedule isn't one that AWS accepts."""


class InvalidTask(DrumbeatError, ValueError):
    """The declaration of a task is wrong."""


class DuplicateTask(DrumbeatError):
    """Two tasks of an app have the same name."""


class BudgetConflict(DrumbeatError):
    """Two tasks of an app give one budget different rates."""


class InvalidDelay(DrumbeatError, ValueError):
    """Work asks for its item again at a time that can't be."""


class UnknownTask(DrumbeatError):
    """No task of this name is declared."""


class TaskModuleFailed(DrumbeatError):
    """A module of the app's handlers can't be imported."""


class MalformedFire(DrumbeatError, ValueError):
    """The event that should open a run isn't one of drumbeat's."""


class NewerMessage(DrumbeatError):
    """A message of a later release: its own workers will read it, when they are back."""


class MalformedMessage(DrumbeatError, ValueError):
    """The message that should hold a chunk isn't one of drumbeat's."""


class ExpandFailed(DrumbeatError):
    """The items of a run can't be had."""


class ItemNotJson(ExpandFailed):
    """An item isn't JSON."""


class RecordMalformed(ExpandFailed):
    """A line isn't a record of comma-separated values."""


class ItemTooLarge(ExpandFailed):
    """An item is larger than drumbeat carries."""


class SourceMissing(ExpandFailed):
    """The source of a run's items doesn't exist or may not be read."""


class SourceChanged(ExpandFailed):
    """The source of a run's items isn't any more what it was when the run was expanded."""


class ResultNotJson(DrumbeatError):
    """What the work function returned isn't JSON."""


class InProgress(DrumbeatError):
    """Another attempt of this item is under way, or died a moment ago; it is tried again later."""


class WorkerDied(DrumbeatError):
    """The worker died (out of memory, timeout) while it did this item."""


class UpstreamUnknown(DrumbeatError):
    """The run has no runs before it that could be read."""


class DeadlineExceeded(DrumbeatError):
    """The run's deadline came before this item was done."""


class RunHalted(DrumbeatError):
    """The run was halted before this item was done."""


class RunRefused(DrumbeatError):
    """What was asked can't be done with the run as it stands."""


class RecordInvalid(DrumbeatError):
    """A record of the ledger isn't one of drumbeat's: something else has written it."""


class RunLost(DrumbeatError):
    """The ledger doesn't know the run."""


class Fenced(DrumbeatError):
    """Another invocation has taken over this run."""
