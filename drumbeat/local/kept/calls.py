"""Calls that change the setup (a rule, a mapping, a new queue) are kept as calls, and made again on loading.

Each is answered at its own virtual time and with random numbers of its own, so it makes the same ids again. What is
data (items, objects, messages, added schedules) is kept as data instead, see the other modules.
"""

import warnings
from collections.abc import Iterator
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from moto.moto_api._internal import mock_random

from drumbeat.local.services import Call
from drumbeat.local.world import World

from .errors import Damaged
from .inside import Inside, Line

_READS = ("Get", "List", "Describe", "Head", "Query", "Scan", "BatchGet", "Search", "Select", "Test", "Filter")
_SETUP_OF_DATA = {
    "dynamodb": ("CreateTable", "UpdateTable", "DeleteTable", "UpdateTimeToLive", "TagResource", "UntagResource",
                 "UpdateContinuousBackups", "PutResourcePolicy", "DeleteResourcePolicy"),
    "sqs": ("CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue", "UntagQueue", "AddPermission",
            "RemovePermission"),
    "scheduler": ("CreateScheduleGroup", "DeleteScheduleGroup", "TagResource", "UntagResource"),
}  # fmt: skip
_OBJECTS = ("PutObject", "CopyObject", "DeleteObject", "CreateMultipart", "UploadPart", "CompleteMultipart",
            "AbortMultipart", "RestoreObject", "WriteGetObject")  # fmt: skip
_LOCKS = "PutObjectLockConfiguration"  # of a bucket
_LEAVE_NOTHING = {
    ("events", "PutEvents"),
    ("kms", "Decrypt"),
    ("kms", "Encrypt"),
    ("kms", "GenerateDataKey"),
    ("lambda", "Invoke"),
    ("lambda", "InvokeAsync"),
    ("sns", "Publish"),
    ("sns", "PublishBatch"),
}
_SCHEDULES = ("CreateSchedule", "UpdateSchedule", "DeleteSchedule")


class Calls:
    """Hears all calls, and notes those to be made again; `drawn` counts the seeds given out.

    `wrote` says whether any call so far may have changed something.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._seed = world, seed
        self._declared = {(schedule.group, schedule.name) for schedule in world.deployment.schedules}
        self._before: Any = None
        self.noted: list[Line] = []
        self.drawn = 0
        self.wrote = False

    def begins(self, call: Call) -> None:
        """Let moto draw what it draws for this call from a seed that can be noted."""
        self._restore()
        if self._is_setup(call):
            self._before = mock_random.getstate()
            self.drawn += 1
            call.notes["draw"] = self.drawn
            self.draw(self.drawn)

    def ended(self, call: Call, *, well: bool) -> None:
        """Note a call that succeeded."""
        if "draw" in call.notes:
            self._restore()
        self.wrote |= not call.operation.startswith(_READS)
        if well and self._is_setup(call):
            self.noted.append(
                {
                    "kind": "call",
                    "ns": self._world.clock.ns,
                    "draw": call.notes.get("draw", 0),
                    "service": call.service,
                    "operation": call.operation,
                    "params": dict(call.params),
                }
            )

    def draw(self, number: int) -> None:
        """Seed moto for one call."""
        mock_random.seed(f"{self._seed}/call {number}")

    def _restore(self) -> None:
        if self._before is not None:
            mock_random.setstate(self._before)
            self._before = None

    def _is_setup(self, call: Call) -> bool:
        service, operation = call.service, call.operation
        if operation.startswith(_READS) or (service, operation) in _LEAVE_NOTHING or service == "sts":
            return False
        if service == "scheduler" and operation in _SCHEDULES:
            return (call.params.get("GroupName") or "default", call.params["Name"]) in self._declared
        if service in _SETUP_OF_DATA:
            return operation in _SETUP_OF_DATA[service]
        return service != "s3" or operation == _LOCKS or not operation.startswith(_OBJECTS)


def save(inside: Inside) -> Iterator[Line]:
    """The noted calls, in their order."""
    heard = inside.world.heard
    assert isinstance(heard, Calls)
    yield {"kind": "calls", "drawn": heard.drawn}
    yield from heard.noted


def load(inside: Inside, line: Line) -> None:
    """Make a call again, at its time."""
    world, calls = inside.world, inside.world.heard
    assert isinstance(calls, Calls)
    if line["kind"] == "calls":
        calls.drawn = line["drawn"]
        return
    calls.noted.append(line)
    if line["ns"] > world.clock.ns:
        world.clock.set(line["ns"])
    before = mock_random.getstate()
    calls.draw(line["draw"])
    world.heard = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they were given the first time
            _again(inside, line)
    finally:
        world.heard = calls
        mock_random.setstate(before)


def _again(inside: Inside, line: Line) -> None:
    import boto3  # noqa: PLC0415  imported by then

    client = boto3.client(line["service"], region_name=inside.world.deployment.region)
    try:
        getattr(client, xform_name(line["operation"]))(**line["params"])
    except ClientError as error:
        if inside.is_changed:
            inside.lose(f"what {line['operation']} of {line['service']} had set")
            return
        raise Damaged(f"{line['service']}'s {line['operation']} can't be repeated: {error}") from error
