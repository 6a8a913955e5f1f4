"""Steps of a forecast that are alike: reads and writes of the ledger, by the dispatcher unless it is said otherwise."""

from .usage import Step

DISPATCHER, WORKER = "dispatcher", "worker"


def read(what: str, how: str, count: int) -> Step:
    """So many reads of a record of the ledger."""
    return Step(what, how, count, "dynamodb_read_units", "dynamodb", "GetItem", DISPATCHER)


def write(what: str, how: str, count: int) -> Step:
    """So many changes of a record."""
    return Step(what, how, count, "dynamodb_write_units", "dynamodb", "UpdateItem", DISPATCHER)


def put(what: str, how: str, count: int) -> Step:
    """So many new records."""
    return Step(what, how, count, "dynamodb_write_units", "dynamodb", "PutItem", DISPATCHER)
