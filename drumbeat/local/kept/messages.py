"""SQS: each queue's messages, whether they wait, are delayed, or are out of sight until a time."""

import heapq
from collections import deque
from collections.abc import Iterator
from typing import Any

from drumbeat.local.message import DELAYED, GONE, IN_FLIGHT, READY, Message
from drumbeat.local.sqs import Store
from drumbeat.local.waiting import Groups

from .errors import Damaged
from .inside import Inside, Line, state

_STATES = {READY: "ready", DELAYED: "delayed", IN_FLIGHT: "in flight", GONE: "gone"}
_NUMBERS = {name: number for number, name in _STATES.items()}
_ALWAYS = ("number", "id", "body", "sent_ms", "sender", "size")
_SOMETIMES = (
    "attributes", "deduplication", "first_received_ms", "group", "lineage", "receipt", "receive_count", "sequence",
    "source_arn", "trace", "visible_ns",
)  # fmt: skip
_KEPT = ("index", "_number")
_ANEW = (
    "queue", "messages", "in_flight", "delayed", "_loop", "_clock", "_rng", "_find", "_faults", "_depth", "_waiting",
    "_timed", "_deduplicated", "_watchers", "_alarm",
)  # fmt: skip


def shown(message: Message) -> Line:
    """A message as it is kept."""
    found: Line = {name: getattr(message, name) for name in _ALWAYS}
    found["state"] = _STATES[message.state]
    return found | {name: held for name in _SOMETIMES if (held := getattr(message, name))}


def made(line: Line) -> Message:
    """The message again."""
    message = Message(
        number=line["number"],
        message_id=line["id"],
        body=line["body"],
        sent_ms=line["sent_ms"],
        sender=line["sender"],
    )
    message.size, message.state = line["size"], _NUMBERS[line["state"]]
    for name in _SOMETIMES:
        if name in line:
            setattr(message, name, line[name])
    return message


def reference(store: Store, message: Message) -> Any:
    """A message's number, or all of it if it isn't in its queue any more."""
    return message.number if store.messages.get(message.number) is message else shown(message)


def referred(store: Store, found: Any) -> Message:
    """The message of a reference."""
    return made(found) if isinstance(found, dict) else store.messages[found]


def save(inside: Inside) -> Iterator[Line]:
    """Queues in the order in which they became known, each before its messages."""
    for store in sorted(inside.world.queues.stores.values(), key=lambda one: one.index):
        known = store._deduplicated.items()  # noqa: SLF001
        yield {
            "kind": "queue",
            "name": store.queue.name,
            **state(store, _KEPT, _ANEW),
            "line": [message.number for message in _line(store) if message.state == READY],
        }
        for message in store.peek():
            yield {"kind": "message", "queue": store.queue.name, **shown(message)}
        for token, (until, message) in known:
            found = reference(store, message)
            yield {"kind": "sent", "queue": store.queue.name, "token": token, "until": until, "message": found}


def _line(store: Store) -> Iterator[Message]:
    waiting: Any = store._waiting  # noqa: SLF001
    if isinstance(waiting, Groups):
        for group in waiting._groups.values():  # noqa: SLF001
            yield from group
    else:
        yield from waiting._line  # noqa: SLF001


def load(inside: Inside, line: Line) -> None:
    """Put a queue's message back; what waits is put in line by `line_up`."""
    name = line["name"] if line["kind"] == "queue" else line["queue"]
    store = inside.world.queues.by_name(name)
    if store is None:
        if line["kind"] == "message":
            inside.lose(f"messages of queue {name}")
        return
    if line["kind"] == "queue":
        store.index, store._number = line["index"], line["_number"]  # noqa: SLF001
        store._alarm = None  # noqa: SLF001
        store._deduplicated.clear()  # noqa: SLF001
        inside.lines[name] = line["line"]
    elif line["kind"] == "sent":
        message = referred(store, line["message"])
        store._deduplicated[line["token"]] = (line["until"], message)  # noqa: SLF001
    else:
        _put(store, made(line))


def _put(store: Store, message: Message) -> None:
    store.messages[message.number] = message
    if message.state in (DELAYED, IN_FLIGHT):
        heapq.heappush(store._timed, (message.visible_ns, message.number, message))  # noqa: SLF001
    if message.state == DELAYED:
        store.delayed += 1
    elif message.state == IN_FLIGHT:
        store.in_flight += 1
        store._waiting.taken(message)  # noqa: SLF001


def line_up(inside: Inside) -> None:
    """Let what waits stand in the order in which it stood."""
    for name, numbers in inside.lines.items():
        store = inside.world.queues.stores[name]
        waiting: Any = store._waiting  # noqa: SLF001
        for number in numbers:
            message = store.messages.get(number)
            if message is None:
                raise Damaged(f"queue {name}: message {number} waits, and is not there")
            if isinstance(waiting, Groups):
                waiting._groups.setdefault(message.group or "", deque()).append(message)  # noqa: SLF001
            else:
                waiting.add(message)
