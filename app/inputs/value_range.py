"""Raw values that become 0 and 1, by what a dataset's training rows hold."""

from typing import NamedTuple

from app.inputs.contract import Range

# 1, 8, 12 and 16 bits a value, and the 17 levels of the UCI digits.
LEVELS = (1, 16, 255, 4095, 65535)
FEW_LEVELS = 16  # fractions up to here are no 8-bit pictures: so dark are none


class ValueStatistics(NamedTuple):
    """Statistics of what an intake saw of the training rows' values."""

    low: float
    high: float
    is_whole: bool  # every value is a whole number


def value_range(seen: ValueStatistics) -> Range:
    """The raw values that become 0 and 1; two different ones, whatever the data are."""
    low, high = seen.low, seen.high
    if low >= 0:
        if high <= 1:
            return 0.0, 1.0
        for level in LEVELS:
            if high <= level and (seen.is_whole or (level == 255 and high > FEW_LEVELS)):
                return 0.0, float(level)
    elif -1 <= low < -0.5 and high <= 1:
        return -1.0, 1.0
    if low < high:
        return low, high
    return min(low, 0.0), max(high, 0.0)
