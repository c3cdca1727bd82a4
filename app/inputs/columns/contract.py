"""The contract of kinds of columns: what each says of itself."""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from app.tensors import Dtype

Numbers = NDArray[Any]  # (n,), NaN where a value is missing
Bounds = tuple[float, float]
Doubt = Literal["out_of_range", "unknown_category"]

MISSING = math.nan
ABSENT = math.inf  # of a column that a row's whole table does not have: nothing is seen of it


class ColumnContract(BaseModel, ABC):
    """Every member has a `kind`, the word that tells members apart in JSON."""

    model_config = ConfigDict(frozen=True)

    dtype: ClassVar[Dtype]  # of a tensor of its values alone
    doubt: ClassVar[Doubt] = "out_of_range"  # what is said of a value that is not usual

    kind: str
    name: str
    unit: str = ""
    misses: bool = Field(
        True,
        description="whether training rows lack some of its values: where none did, networks never "
        "learnt what a missing one means, and it counts as a middling number or as no category",
    )

    @property
    @abstractmethod
    def expected(self) -> str:
        """A value, in words."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Numbers that a network sees of it, one of which says whether it is missing."""

    @abstractmethod
    def read(self, value: Any) -> float:
        """One value as JSON has it, but for null. Raises ValueError: it is none of the column's."""

    @property
    def usual(self) -> Bounds:
        """The least and the greatest number, as `read` makes them, of which there is no doubt."""
        return -math.inf, math.inf

    @property
    def takes_empty_text(self) -> bool:
        """Tells whether empty text is one of the column's values."""
        return False

    @property
    @abstractmethod
    def extremes(self) -> tuple[float, ...]:
        """Values at the edges of what clients may send, as `read` makes them."""

    @abstractmethod
    def typical(self, most: int) -> tuple[float, ...]:
        """Values of training rows, as `read` makes them, at most so many: none where there are
        none."""

    @abstractmethod
    def shown(self, number: float) -> Any:
        """The value as JSON has it that `read` makes `number` of; not for NaN."""

    @abstractmethod
    def sketch(self, numbers: Numbers) -> NDArray[np.float32]:
        """A few numbers (m, d) in 0..1 of each value (m,), by which tables are compared."""
