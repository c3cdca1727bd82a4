"""Requests of one name shared between two models."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.prediction.served import Loaded


@dataclass(eq=False)
class SplitRequests:
    """Two models under one name: `candidate` answers `percent` of each 100 requests that follow
    each other in this process, as evenly as can be."""

    stable: "Loaded"
    candidate: "Loaded"
    percent: int
    asked: int = 0

    @property
    def model_id(self) -> str:
        return self.stable.model_id

    def is_of(self, stable: "Loaded", candidate: "Loaded", percent: int) -> bool:
        """Tells whether these are shared so already."""
        return (self.stable, self.candidate, self.percent) == (stable, candidate, percent)

    def next(self) -> "Loaded":
        """Returns the model that answers this request; for the event loop."""
        self.asked += 1
        return self.candidate if self.asked * self.percent % 100 < self.percent else self.stable
