"""How many slots of a budget a worker leases at a time."""

BLOCK_S = 0.75  # of a worker's own use; below the second that slots are good for, so that the last one isn't too late
_FIRST_S = 0.02  # of the whole budget, for a worker of which nothing is known
_TRUST = 0.125  # of a slot more ahead of the items, for each block that was used up


class Pace:
    """Learns from each block: as many slots as are used in BLOCK_S, changing by a factor of two at most.

    Slots for more items than are known (the rest of this chunk) are leased only if such slots were of use: for small
    chunks that follow each other, a block serves many.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._wanted = max(1.0, per_second * _FIRST_S)
        self._credit = 0.0
        self._is_ahead = False

    def size(self, items: int) -> int:
        """The size of the next block, for a worker that has so many items before it."""
        size = min(round(self._wanted), items + int(self._credit))
        self._is_ahead = size > items
        return size

    def learn(self, used: int, *, of: int, seconds: float) -> None:
        """Take note that of the last block's slots so many were used, in the seconds since its first."""
        fit = used * BLOCK_S / seconds if seconds > 0 else self._per_second
        self._wanted = max(1.0, min(max(fit, self._wanted / 2), self._wanted * 2, self._per_second))
        if used < of:
            self._credit = 0
        elif self._is_ahead:
            self._credit = min(max(1, self._credit * 2), self._wanted)
        else:
            self._credit = min(self._credit + _TRUST, self._wanted)
