"""Stretches of time that traffic is told of: each is the sum of shorter ones, which go when they
are over."""

from typing import Literal, NamedTuple

WindowName = Literal["minute", "hour", "day"]


class Window(NamedTuple):
    """Lengths in seconds; `step`: of one stored row."""

    name: WindowName
    seconds: int
    step: int

    def begins(self, at: float) -> int:
        """The beginning of the step that a time falls into."""
        return int(at // self.step) * self.step

    def expires(self, begins_at: int) -> int:
        """Returns when a step is no longer part of the window."""
        return begins_at + self.step + self.seconds


WINDOWS = (Window("minute", 60, 10), Window("hour", 3600, 300), Window("day", 86400, 3600))
