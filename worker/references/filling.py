"""Filling of missing values: a linear model and a forest take no NaN."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from worker.references.features import Matrix


@dataclass(frozen=True, eq=False)
class Filling:
    """Rows (n, features) with NaN -> (n, taken [+ doubted]), learnt of training rows.

    `taken`: features with a value in any of them. `medians` (taken,): of these, which fill what is
    missing; None: nothing is filled. `doubted`: places among the taken ones that are missing
    somewhere, each of which gets a feature more, 1 where it is missing.
    """

    taken: NDArray[np.int64]
    medians: Matrix | None
    doubted: NDArray[np.int64]

    @classmethod
    def fit(cls, rows: Matrix, is_filled: bool) -> Self:
        is_missing = np.isnan(rows)
        taken = np.flatnonzero(~is_missing.all(axis=0))
        if not is_filled:
            return cls(taken, None, np.empty(0, np.int64))
        medians = np.nanmedian(rows[:, taken], axis=0).astype(np.float32)
        return cls(taken, medians, np.flatnonzero(is_missing[:, taken].any(axis=0)))

    def apply(self, rows: Matrix) -> Matrix:
        rows = rows[:, self.taken]
        if self.medians is None:
            return rows
        is_missing = np.isnan(rows)
        bits = is_missing[:, self.doubted].astype(np.float32)
        return np.concatenate([np.where(is_missing, self.medians, rows), bits], axis=1)
