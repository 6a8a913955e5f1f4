"""Cancel a run: one conditional write halts it, and its workers see that within seconds."""

from datetime import datetime

from drumbeat.errors import RunRefused
from drumbeat.ledger.record import ABANDON, CANCEL, CANCELLED, RUNNING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import Run
from drumbeat.signal import Finish, Sweep

from .clients import Clients
from .deployment import DeployedStack
from .start import send

REASON = "cancelled by hand"


def cancel(clients: Clients, stack: DeployedStack, record: RunRecord, *, abandon: bool, now: datetime) -> RunRecord:
    """Halt a run and return its record afterwards; a repeat does nothing more, and is no error."""
    run = Run.parse(record.id)
    kind = ABANDON if abandon else CANCEL
    halted = Runs(Table(clients.dynamodb, stack.table)).halt(run, kind=kind, reason=REASON, now=now)
    if halted is None:
        raise RunRefused(f"run {record.id} isn't in the ledger any more")
    if halted.state == CANCELLED and halted.halt and not halted.started_at:  # it waited
        send(clients, stack, run.task, Finish(run).event())  # takes it out of the line
        return halted
    if halted.state != RUNNING:
        ended = f" since {halted.completed_at}" if halted.completed_at else ""
        raise RunRefused(f"run {record.id} is {halted.state}{ended}; there is nothing to cancel")
    if halted.verdict:
        raise RunRefused(f"run {record.id} is about to be {halted.verdict}; it can't be cancelled any more")
    if halted.halt not in (CANCEL, ABANDON):
        raise RunRefused(f"run {record.id} is stopping already: {halted.reason}")
    if abandon:
        send(clients, stack, run.task, Sweep(run).event())
    return halted
