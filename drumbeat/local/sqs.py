"""The queues: a store of our own, flat in depth, that keeps what moto's drops.

Nothing is scanned: waiting messages are a deque (a deque per group in a FIFO queue), delayed and received ones a heap
by the time at which they become visible, all of them a dictionary by number.  A deleted message leaves at once.

Behaviour: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html (the retention
of a standard queue's message counts from its first enqueue, also in the dead-letter queue).
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from .clock import SECOND
from .deployment import Queue
from .faults import Seam
from .loop import Loop, Timer
from .message import DELAYED, GONE, IN_FLIGHT, READY, Message, size_of
from .waiting import Groups, Line, Waiting

IN_FLIGHT_LIMIT = 120_000
DEDUPLICATION_NS = 300 * SECOND


class Store:
    """One queue's messages. `watch` calls back whenever a message may have become visible."""

    def __init__(
        self,
        queue: Queue,
        index: int,
        *,
        loop: Loop,
        rng: Random,
        find: Callable[[str], "Store | None"],
        faults: Seam,
        depth: Callable[[int, str, int, int], None],
    ) -> None:
        self.queue, self.index = queue, index
        self.messages: dict[int, Message] = {}
        self.in_flight = self.delayed = 0
        self._loop, self._clock, self._rng, self._find = loop, loop.clock, rng, find
        self._faults, self._depth = faults, depth
        self._waiting: Waiting = Groups() if queue.fifo else Line(lambda waiting: faults.pick(queue.name, waiting))
        self._timed: list[tuple[int, int, Message]] = []
        self._number = 0
        self._deduplicated: dict[str, tuple[int, Message]] = {}
        self._watchers: list[Callable[[], None]] = []
        self._alarm: Timer | None = None

    # -- state ---------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def visible(self) -> int:
        self.settle()
        return len(self.messages) - self.in_flight - self.delayed

    def settle(self) -> None:
        """Make visible what is due by now, and drop what has outlived the retention period at the queue's head."""
        timed, now = self._timed, self._clock.ns
        while timed and timed[0][0] <= now:
            at, _, message = heapq.heappop(timed)
            if message.visible_ns == at and message.state in (DELAYED, IN_FLIGHT):
                self._show(message)
        for message in self._waiting.heads():
            if self._expired(message):
                self._drop(message)

    def watch(self, callback: Callable[[], None]) -> None:
        self._watchers.append(callback)
        self._set_alarm()

    def unwatch(self, callback: Callable[[], None]) -> None:
        if callback in self._watchers:
            self._watchers.remove(callback)

    def peek(self) -> Iterator[Message]:
        """All messages, in the order of sending."""
        return iter(list(self.messages.values()))

    # -- sending -------------------------------------------------------------------------------------------

    def send(
        self,
        body: str,
        *,
        sender: str,
        attributes: Mapping[str, Any] | None = None,
        delay_s: int | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        trace: str | None = None,
        lineage: Mapping[str, int] | None = None,
    ) -> Message:
        now = self._clock.ns
        if deduplication is not None and self.queue.fifo:
            known = self._deduplicated.get(deduplication)
            if known is not None and known[0] > now:
                return known[1]
        self._number += 1
        message = Message(
            number=self._number, message_id=self._message_id(), body=body, sent_ms=now // 1_000_000, sender=sender
        )
        message.attributes = attributes or {}
        message.size = size_of(body, attributes)
        message.group, message.deduplication, message.trace = group, deduplication, trace
        message.lineage = lineage or {}
        if self.queue.fifo:
            message.sequence = self._number
            if deduplication is not None:
                self._remember(deduplication, message, now)
        self._add(message, self.queue.delay_s if delay_s is None or self.queue.fifo else delay_s)
        return message

    def accept(self, message: Message, source_arn: str | None) -> None:
        """Take over a message from another queue: it keeps its id, body and first sending time."""
        self._number += 1
        message.number = self._number
        message.receipt = None
        message.source_arn = source_arn
        if self.queue.fifo:
            message.sequence = self._number
        self._add(message, 0)

    def _remember(self, deduplication: str, message: Message, now: int) -> None:
        known = self._deduplicated
        while known:
            first = next(iter(known))
            if known[first][0] > now:
                break
            del known[first]
        known.pop(deduplication, None)
        known[deduplication] = (now + DEDUPLICATION_NS, message)

    def _add(self, message: Message, delay_s: int) -> None:
        self.messages[message.number] = message
        self._tell()
        if delay_s:
            self.delayed += 1
            message.state = DELAYED
            self._until(message, self._clock.ns + delay_s * SECOND)
        else:
            message.state = READY
            self._waiting.add(message)
            self._notify()

    # -- receiving -----------------------------------------------------------------------------------------

    def receive(self, most: int, *, visibility_s: int | None = None, bytes_left: int | None = None) -> list[Message]:
        """Take up to `most` visible messages; those received too often before go to the dead-letter queue instead."""
        self.settle()
        hidden_s = self.queue.visibility_timeout_s if visibility_s is None else visibility_s
        until = self._clock.ns + hidden_s * SECOND
        most = min(most, IN_FLIGHT_LIMIT - self.in_flight)
        got: list[Message] = []
        for message in self._waiting.candidates(most, got):
            if self._expired(message):
                self._drop(message)
                continue
            if self.queue.max_receive_count is not None and message.receive_count >= self.queue.max_receive_count:
                target = self._find(self.queue.dead_letter_arn or "")
                if target is not None:
                    self._drop(message)
                    target.accept(message, self.queue.arn)
                    continue
            if bytes_left is not None:
                bytes_left -= message.size
                if bytes_left < 0 and got:
                    self._waiting.put_back(message)
                    break
            self._take(message, until)
            got.append(message)
        if got:
            self._tell()
        return got

    def take_visible(self, most: int) -> list[Message]:
        """Take messages out of the queue for good, without receiving them (a move task does)."""
        self.settle()
        taken: list[Message] = []
        for message in self._waiting.candidates(most, taken):
            self._drop(message)
            taken.append(message)
        return taken

    def _take(self, message: Message, until: int) -> None:
        message.state = IN_FLIGHT
        message.receive_count += 1
        if message.first_received_ms is None:
            message.first_received_ms = self._clock.ns // 1_000_000
        message.receipt = f"{self.index}-{message.number}-{message.receive_count}-{self._rng.getrandbits(64):016x}"
        self.in_flight += 1
        self._waiting.taken(message)
        self._until(message, until)

    # -- receipts ------------------------------------------------------------------------------------------

    def find(self, receipt: str) -> Message | None:
        """The message of a receipt handle; None if it is gone or has been received again since."""
        parts = receipt.split("-")
        if len(parts) != 4 or parts[0] != str(self.index) or not parts[1].isdigit():  # noqa: PLR2004
            return None
        message = self.messages.get(int(parts[1]))
        return message if message is not None and message.receipt == receipt else None

    def knows(self, receipt: str) -> bool:
        """Whether a receipt handle is (or was) one of this queue's."""
        return receipt.startswith(f"{self.index}-") and receipt.count("-") == 3  # noqa: PLR2004

    def delete(self, receipt: str) -> bool:
        """Delete by the newest receipt handle; an older one succeeds on AWS too, without deleting."""
        message = self.find(receipt)
        if message is None:
            return False
        again = None if self.queue.fifo else self._faults.again(self.queue.name, message.id)
        self._drop(message)
        if again is not None:  # a copy that was out of reach when the message was deleted
            self._loop.after(int(again * SECOND), self._return, message)
        return True

    def _return(self, message: Message) -> None:
        message.receipt = None
        self._add(message, 0)

    def change_visibility(self, message: Message, seconds: int) -> None:
        if seconds == 0:
            message.visible_ns = self._clock.ns
            self._show(message)
            self._notify()
        else:
            self._until(message, self._clock.ns + seconds * SECOND)

    def purge(self) -> None:
        for message in list(self.messages.values()):
            self._drop(message)
        self._waiting.clear()
        self._timed.clear()

    # -- moves between states ------------------------------------------------------------------------------

    def _expired(self, message: Message) -> bool:
        return self._clock.ns // 1_000_000 - message.sent_ms >= self.queue.retention_s * 1_000

    def _tell(self) -> None:
        """How many messages wait (delayed ones, too) and are in flight, for the timeline."""
        self._depth(self._clock.ns, self.queue.name, len(self.messages) - self.in_flight, self.in_flight)

    def _show(self, message: Message) -> None:
        self._leave(message)
        self._tell()
        message.state = READY
        self._waiting.add(message)

    def _leave(self, message: Message) -> bool:
        """Count a message out of its state; whether that lets others of its group through."""
        if message.state == DELAYED:
            self.delayed -= 1
        elif message.state == IN_FLIGHT:
            self.in_flight -= 1
            return self._waiting.released(message)
        return False

    def _drop(self, message: Message) -> None:
        frees = self._leave(message)
        message.state = GONE
        self.messages.pop(message.number, None)
        self._tell()
        if frees:
            self._notify()

    def _until(self, message: Message, at: int) -> None:
        message.visible_ns = at
        heapq.heappush(self._timed, (at, message.number, message))
        if len(self._timed) > 2 * (self.in_flight + self.delayed) + 64:  # a deleted message must not be held here
            self._timed = [
                entry
                for entry in self._timed
                if entry[2].visible_ns == entry[0] and entry[2].state in (DELAYED, IN_FLIGHT)
            ]
            heapq.heapify(self._timed)
        self._set_alarm()

    def _set_alarm(self) -> None:
        timed = self._timed
        while timed and (timed[0][2].visible_ns != timed[0][0] or timed[0][2].state not in (DELAYED, IN_FLIGHT)):
            heapq.heappop(timed)
        if not self._watchers or not timed:
            return
        at = timed[0][0]
        if self._alarm is not None and self._alarm.call is not None:
            if self._alarm.at <= at:
                return
            self._loop.cancel(self._alarm)
        self._alarm = self._loop.at(at, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.settle()
        self._set_alarm()
        self._notify()

    def _notify(self) -> None:
        for callback in tuple(self._watchers):
            callback()

    def _message_id(self) -> str:
        bits = f"{self._rng.getrandbits(128):032x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
