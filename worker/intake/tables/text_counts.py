"""The different texts of a column, each once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from worker.intake.tables.readings import Column, distinct


@dataclass(frozen=True)
class TextCounts:
    """texts: the different ones of a column; counts: (texts,), how many rows have each; codes:
    (rows,), the place of each row's text among them, -1 where missing."""

    texts: Any  # pyarrow.StringArray, which has no types
    counts: NDArray[np.int64]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, known: Column) -> "TextCounts":
        codes, different = distinct(known)
        counts = np.bincount(codes if not known.null_count else codes[codes >= 0])
        return cls(different.chunk(0), counts, codes)

    def share(self, pattern: str) -> float:
        """Share of the rows whose text holds such a piece."""
        has_it = pc.match_substring_regex(self.texts, pattern).to_numpy(zero_copy_only=False)
        return float(self.counts[has_it].sum() / self.counts.sum())
