"""What an item is: the half of a modality that needs numpy alone.

A modality is a member of the union in `app.inputs`: its raw form, and what was learnt of it from
training rows. Datasets are stored by it, models are asked by it.
"""

from abc import ABC, abstractmethod
from typing import Self

from pydantic import BaseModel, ConfigDict

from app.tensors import TensorSpec


class InputsContract(BaseModel, ABC):
    """Every member has a `modality`, the word that tells members apart in JSON."""

    model_config = ConfigDict(frozen=True)

    @property
    @abstractmethod
    def tensors(self) -> tuple[TensorSpec, ...]:
        """What is stored, trained on and served, of one item."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """A few words for a line of a table, as `28x28x1`."""

    @abstractmethod
    def mismatches(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        """Why a network for these items cannot be one for a source's: a sentence each."""

    def arrays(self, split: str) -> dict[str, str]:
        """Names of a dataset's stored arrays, by the tensors that they hold of one split."""
        if len(self.tensors) == 1:
            return {self.tensors[0].name: f"x_{split}"}
        return {tensor.name: f"x_{split}.{tensor.name}" for tensor in self.tensors}

    @property
    def values(self) -> int:
        """Numbers of one item."""
        return sum(tensor.values for tensor in self.tensors)

    @property
    def bytes(self) -> int:
        """Of one item, as it is stored."""
        return sum(tensor.bytes for tensor in self.tensors)
