"""What is missing, filled as written by hand."""

import numpy as np

from worker.references.filling import Filling

NAN = np.nan
ROWS = np.array([[1, NAN, 5, NAN], [3, NAN, NAN, 2], [8, NAN, 7, 4]], np.float32)


def test_medians_fill_and_bits_tell() -> None:
    filling = Filling.fit(ROWS, is_filled=True)
    got = filling.apply(np.array([[NAN, 1, NAN, NAN], [2, 2, 2, 2]], np.float32))
    # features 0, 2 and 3 have values, medians 3, 6, 3; 2 and 3 are missing somewhere
    np.testing.assert_array_equal(got, [[3, 6, 3, 1, 1], [2, 2, 2, 0, 0]])


def test_where_nothing_is_filled_what_is_missing_stays() -> None:
    got = Filling.fit(ROWS, is_filled=False).apply(ROWS)
    np.testing.assert_array_equal(got, ROWS[:, [0, 2, 3]])
