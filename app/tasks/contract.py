"""What is asked of an item: the half of a task that needs numpy alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict


class Metric(NamedTuple):
    """How a number of a report is read."""

    label: str
    higher_is_better: bool = True
    bounds: tuple[float | None, float | None] = (0.0, 1.0)


class TaskContract(BaseModel, ABC):
    """Every member has a `kind`, the word that tells members apart in JSON."""

    model_config = ConfigDict(frozen=True)

    metrics: ClassVar[Mapping[str, Metric]]
    default_metric: ClassVar[str]

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Width of the network's head."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Of the outputs, in their order; of a task with classes those of the classes."""

    @abstractmethod
    def named(self, names: tuple[str, ...]) -> Self:
        """The same task with outputs of other names, or in another order."""

    @property
    def nameless(self) -> Self:
        """The same task with numbered outputs: what a network and its compiled loops depend on."""
        return self.named(tuple(map(str, range(self.outputs))))
