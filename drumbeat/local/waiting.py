"""The messages that wait to be received: in one line, or in a line per group."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from .message import READY, Message


class Waiting(Protocol):
    """What a store needs of its line."""

    def add(self, message: Message) -> None: ...
    def put_back(self, message: Message) -> None: ...
    def heads(self) -> Iterator[Message]: ...
    def candidates(self, most: int, got: list[Message]) -> Iterator[Message]: ...
    def taken(self, message: Message) -> None: ...
    def released(self, message: Message) -> bool: ...
    def clear(self) -> None: ...


class Line:
    """A standard queue's: first in, first out, unless `pick` says otherwise. What is deleted leaves at its turn."""

    def __init__(self, pick: Callable[[int], int]) -> None:
        self._line: deque[Message] = deque()
        self._pick = pick

    def add(self, message: Message) -> None:
        self._line.append(message)

    def put_back(self, message: Message) -> None:
        self._line.appendleft(message)

    def heads(self) -> Iterator[Message]:
        """The oldest, again and again while the caller drops it."""
        line = self._line
        while line:
            if line[0].state == READY:
                yield line[0]
            if line and line[0].state == READY:
                return
            line.popleft()

    def candidates(self, most: int, got: list[Message]) -> Iterator[Message]:
        line = self._line
        while line and len(got) < most:
            turn = self._pick(len(line))
            line.rotate(-turn)
            message = line.popleft()
            line.rotate(turn)
            if message.state == READY:
                yield message

    def taken(self, message: Message) -> None:
        pass

    def released(self, message: Message) -> bool:
        """Whether that lets others through."""
        del message
        return False

    def clear(self) -> None:
        self._line.clear()


class Groups:
    """A FIFO queue's: in order within a group, of which nothing comes while something of it is in flight."""

    def __init__(self) -> None:
        self._groups: dict[str, deque[Message]] = {}
        self._locked: dict[str, int] = {}

    def add(self, message: Message) -> None:
        waiting = self._groups.setdefault(message.group or "", deque())
        if waiting and waiting[-1].sequence > message.sequence:
            insort(waiting, message, key=lambda other: other.sequence)
        else:
            waiting.append(message)

    def put_back(self, message: Message) -> None:
        self.add(message)

    def heads(self) -> Iterator[Message]:
        """Nothing: what has expired is dropped when it is its turn."""
        return iter(())

    def candidates(self, most: int, got: list[Message]) -> Iterator[Message]:
        for group in list(self._groups):
            if self._locked.get(group):
                continue
            waiting = self._groups[group]
            while waiting and len(got) < most:
                message = waiting.popleft()
                if message.state == READY:
                    yield message
            if not waiting:
                self._groups.pop(group, None)
            if len(got) >= most:
                return

    def taken(self, message: Message) -> None:
        group = message.group or ""
        self._locked[group] = self._locked.get(group, 0) + 1

    def released(self, message: Message) -> bool:
        """Whether that lets others through."""
        group = message.group or ""
        left = self._locked.get(group, 1) - 1
        if left:
            self._locked[group] = left
        else:
            self._locked.pop(group, None)
        return group in self._groups

    def clear(self) -> None:
        self._groups.clear()
