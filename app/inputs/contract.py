"""The contract of modalities, what an item is: the half that needs numpy alone.

A modality is a member of the union in `app.inputs`: its raw form, and what was learnt of it from
training rows. Datasets are stored by it, models are asked by it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from app.tensors import Tensors, TensorSpec

Range = tuple[float, float]
Sketch = NDArray[np.float32]  # (m, d)

SKETCHED = 512
SKETCH_SEED = 0


class InputsContract(BaseModel, ABC):
    """Every member has a `modality`, the word that tells members apart in JSON.

    `member`: the member of a preview's item that holds it, where its own names could be those of
    other members; None: it needs none.
    """

    model_config = ConfigDict(frozen=True)

    member: ClassVar[str | None] = None
    is_stored: ClassVar[bool] = (
        True  # whether datasets hold such items; else they are made of others
    )
    has_references: ClassVar[bool] = False  # whether models without a network are tried by habit
    # Whether numbers of an item are more or less of something, as any network takes them
    has_quantities: ClassVar[bool] = True

    modality: str

    @property
    @abstractmethod
    def tensors(self) -> tuple[TensorSpec, ...]:
        """Returns what is stored, trained on and served, of one item."""

    @property
    def asked(self) -> tuple[TensorSpec, ...]:
        """Returns what a protocol of named tensors asks of one item."""
        return self.tensors

    @property
    @abstractmethod
    def summary(self) -> str:
        """A few words for a line of a table, as `28x28x1`."""

    @property
    @abstractmethod
    def layout(self) -> tuple[int, int, int]:
        """Height, width and channels of one item, by which networks are counted: what has no sides
        is 1 high, or 1 high and 1 wide."""

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width of what can be resized; None where there is no such thing."""
        return None

    @property
    def tokens(self) -> int:
        """Parts of an item that a network may attend to one by one, as the columns of a row."""
        return 1

    @property
    def range(self) -> Range | None:
        """Raw values that become 0 and 1; None where there is no one range for all values."""
        return None

    def mismatches(self, source: "InputsContract", resized: tuple[int, int] | None) -> list[str]:
        """Says why a network for these items cannot be one for a source's: a sentence each.

        `resized`: height and width that both are brought to inside the network.
        """
        if not isinstance(source, type(self)):
            return [f"expected {source.modality} as in the source, got {self.modality}"]
        return self.differences(source, resized)

    @abstractmethod
    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        """The same of a source of this modality."""

    @abstractmethod
    def decode(self, items: Sequence[Any], at: str, first: int = 0) -> Tensors:
        """Items as JSON has them, or as bytes -> tensors (n, *shape).

        Args:
            items: n >= 1 of them.
            at: a JSON pointer to the list that they stand in.
            first: the place of the first of them in that list.

        Raises:
            Invalid: with a pointer to what is wrong.
        """

    @abstractmethod
    def sketch(self, items: Tensors) -> Sketch:
        """A few numbers (m, d) of some of the items, by which datasets are compared."""

    def preview(self, items: Tensors) -> list[dict[str, Any]]:
        """Each item as JSON shows it: its raw values by the names of its tensors."""
        names = [tensor.name for tensor in self.tensors]
        columns = (np.asarray(items[name]) for name in names)
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def raw(self, items: Tensors) -> list[Any] | None:
        """Items as a client sends them, of which a package keeps some, so that its gate tests the
        decoder too; None where what is sent is the tensors themselves."""
        return None

    @abstractmethod
    def extremes(self, sample: Tensors) -> Tensors:
        """Items (m, *shape) at the edges of what clients may send, on which a packaged graph must
        answer as its network does. `sample`: some of the training rows."""

    def of_model(self, sample: Tensors) -> Self:
        """These inputs as a model says them that was trained on such items."""
        return self

    def in_list(self, most: int) -> Self:
        """These inputs as lists of datasets and models show them, with so many columns at most."""
        return self

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
        """Bytes of one item, as it is stored."""
        return sum(tensor.bytes for tensor in self.tensors)


def sketched(items: int) -> NDArray[np.int64]:
    """Rows that a sketch is of: up to 512, always the same ones, in a random order."""
    rng = np.random.default_rng(SKETCH_SEED)
    return rng.choice(items, min(items, SKETCHED), replace=False, shuffle=True)
