"""What an operator can ask for in vain. What a run's state forbids is `drumbeat.errors.RunRefused`."""

from drumbeat.errors import DrumbeatError


class StackUnknown(DrumbeatError):
    """There is no such CloudFormation stack."""


class NotDrumbeat(DrumbeatError):
    """The stack isn't one of drumbeat's, or of an older release."""


class RunUnknown(DrumbeatError):
    """The ledger has no such run."""


class RunExists(DrumbeatError):
    """The run has been started already."""


class InvalidParams(DrumbeatError, ValueError):
    """The parameters of a run aren't a JSON object, or are too many."""


class InvalidItems(DrumbeatError, ValueError):
    """The items of a run can't be taken."""


class InvalidFilter(DrumbeatError, ValueError):
    """What should choose runs or items can't be understood."""


class InvalidRange(DrumbeatError, ValueError):
    """The range of a backfill makes no sense."""


class ScheduleUnknown(DrumbeatError):
    """There is no such schedule."""


class ScheduleExists(DrumbeatError):
    """There is a schedule of this name already."""
