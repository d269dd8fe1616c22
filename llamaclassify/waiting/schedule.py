"""When jobs are looked at: early, seldom, and many of them at the same moments.

What a session's jobs have taken so far sets the first look at the later ones. Every look is put on a grid, so
that looks that are due at about the same time are made at the same time, and can share a request.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from math import frexp, ldexp

_REMEMBERED = 256
_FEWEST = 8
"""So many jobs must have ended before their durations mean something."""
_EARLY, _LATE = 0.1, 0.9
_LAST_SLACK = 1 / 128
"""Seconds that a last look may come early to share a request with others."""


class Schedule:
    """The moments of one session's looks, by a monotonic clock in seconds."""

    def __init__(self, origin: float) -> None:
        """Start the grid at `origin`: sessions on one machine are not to ask all at the same moments."""
        self._origin = origin
        self._latest: deque[float] = deque()
        self._sorted: list[float] = []

    def learn(self, seconds: float) -> None:
        """Learn how long a job took; the last 256 count."""
        if len(self._latest) == _REMEMBERED:
            del self._sorted[bisect_left(self._sorted, self._latest.popleft())]
        self._latest.append(seconds)
        insort(self._sorted, seconds)

    def first_pause(self, initial: float) -> float:
        """Give the seconds from a job's start to the first look at it; `initial` where too little is known.

        That is when one job in ten has ended; or, where the others follow within half of `initial`, when
        nearly all have.
        """
        if len(self._sorted) < _FEWEST:
            return initial
        early, late = (self._sorted[int(part * len(self._sorted))] for part in (_EARLY, _LATE))
        return min(late, early + initial / 2)

    def near(self, moment: float, pause: float) -> float:
        """Give the moment of a look that is due at `moment`: at most an eighth of its `pause` from it.

        The moments that long pauses end at are among those of short ones.
        """
        width = _power_of_two(pause / 4)
        return self._origin + round((moment - self._origin) / width) * width

    def after(self, moment: float, pause: float) -> float:
        """Give such a moment that is not before `moment`, at most a quarter of `pause` later."""
        width = _power_of_two(pause / 4)
        return self._origin - (self._origin - moment) // width * width

    def before(self, moment: float) -> float:
        """Give the moment of a last look, which must not be made later than `moment`."""
        return self._origin + (moment - self._origin) // _LAST_SLACK * _LAST_SLACK


def _power_of_two(seconds: float) -> float:
    """Give the largest power of two that is not above `seconds`."""
    return ldexp(1.0, frexp(seconds)[1] - 1)
