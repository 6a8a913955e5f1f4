"""Start a run by hand: with parameters, at another time than now, on items of one's own."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from drumbeat.encoder import encode_item
from drumbeat.errors import ItemNotJson, ItemTooLarge
from drumbeat.ledger.record import OPENABLE, SKIPPED
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import RUN_NAME, Run
from drumbeat.signal import PARAMS_BYTES, Fire, items_key

from .clients import Clients
from .deployment import DeployedStack
from .errors import InvalidItems, InvalidParams, RunExists

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MAY_BEGIN = (*OPENABLE, SKIPPED)
_IN_MEMORY = 8 * 1024 * 1024
_MOST_BYTES = 5 * 1024**3  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html


def start(
    clients: Clients,
    stack: DeployedStack,
    *,
    task: str,
    at: datetime,
    params: Mapping[str, Any],
    items: Iterable[Any] | None,
    name: str,
) -> Run:
    """Send the fire of a run that isn't in the ledger yet, its items first; return it as its dispatcher will see it."""
    check_params(params, whose=f"task {task!r}")
    check_name(name)
    run = Run(task, at.astimezone(UTC).replace(second=0, microsecond=0), stack.bucket, params, name)
    record = Runs(Table(clients.dynamodb, stack.table)).get(run)
    if record is not None and record.state not in _MAY_BEGIN:
        raise RunExists(f"run {run.id} exists already, it is {record.state}; choose another time, or give it a name")
    key = "" if items is None else _upload(clients.s3, stack.bucket, run, items)
    send(clients, stack, task, Fire(run, key, by_hand=True).event())
    return run


def by_hand(now: datetime) -> str:
    """The name of a run that is given none, nor a time: so it is neither the fire's of its minute nor another's.

    The same command in the same second names the same run, whoever gives it.
    """
    return f"by-hand-{now.astimezone(UTC):%S}"


def send(clients: Clients, stack: DeployedStack, task: str, event: Mapping[str, Any]) -> None:
    """Invoke a task's dispatcher, without waiting for it."""
    clients.functions.invoke(
        FunctionName=stack.dispatcher(task), InvocationType="Event", Payload=json.dumps(event).encode()
    )


def check_params(params: Mapping[str, Any], *, whose: str) -> None:
    """Refuse parameters that a fire can't carry."""
    try:
        size = len(json.dumps(dict(params), allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        raise InvalidParams(f"{whose}: the parameters aren't JSON ({error}); give texts, numbers, ...") from None
    if size > PARAMS_BYTES:
        raise InvalidParams(f"{whose}: {size:,} bytes of parameters, {PARAMS_BYTES:,} allowed; keep more in S3")


def check_name(name: str) -> None:
    """Refuse what can't name a run."""
    if name and not RUN_NAME.fullmatch(name):
        raise InvalidParams(
            f"name {name!r}: 1 to 64 letters, digits, dots, underscores and hyphens are allowed, a letter or digit "
            "first"
        )


def _upload(s3: "S3Client", bucket: str, run: Run, items: Iterable[Any]) -> str:
    """Keep the items where the dispatcher reads them; raises RunExists if somebody else has put others there."""
    key = items_key(run)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        digest = _write(file, run.task, items)
        file.seek(0)
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=file, IfNoneMatch="*")
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            if s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"') != digest:
                raise RunExists(f"other items were given for run {run.id} already; give this one a name") from None
    return key


def _write(file: IO[bytes], task: str, items: Iterable[Any]) -> str:
    digest = hashlib.md5(usedforsecurity=False)  # what S3 calls the object's ETag
    size = 0
    for number, item in enumerate(items):
        try:
            line = encode_item(item, task=task, number=number).encode() + b"\n"
        except (ItemNotJson, ItemTooLarge) as error:
            raise InvalidItems(str(error)) from None
        digest.update(line)
        file.write(line)
        size += len(line)
        if size > _MOST_BYTES:
            raise InvalidItems(f"task {task!r}: items of more than {_MOST_BYTES:,} bytes; expand them from S3 instead")
    return digest.hexdigest()
