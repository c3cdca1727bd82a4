"""Meaning of values: which become 0 and 1 before a network sees them, and doubts about it.

The rule looks at the training split's values, not at their type, so that int64, uint16 or float
pixels from 0 to 255 mean what uint8 pixels mean:

| values                                                      | become 0 and 1     |
|-------------------------------------------------------------|--------------------|
| from 0 to 1                                                 | 0, 1               |
| whole numbers from 0 to 16, to 255, to 4,095 or to 65,535   | 0 and that number  |
| fractions among them, from 0 to more than 16, at most 255   | 0, 255             |
| from -1 to 1, some below -0.5                               | -1, 1              |
| anything else                                               | the least, the greatest |

The dataset's `value_range` says otherwise.
"""

from collections.abc import Mapping

from app.inputs.contract import Range
from app.inputs.value_range import FEW_LEVELS, LEVELS
from worker.intake.images import Scan
from worker.intake.raw import Array, refuse

APART_FROM = 8  # times that one split's values are larger than another's
BARELY_FILLED = 1 / 4  # of the range


def check_one_scale(raw: Mapping[str, Array], scans: Mapping[str, Scan]) -> None:
    """Splits of which one holds integers and the other fractions, on different scales: one of them
    was divided."""
    train, test = (raw[split].dtype for split in ("train", "test"))
    if (train.kind == "f") != (test.kind == "f") and _apart(scans["train"], scans["test"]):
        one, other = _spoken(scans["train"]), _spoken(scans["test"])
        detail = (
            f"expected values of x_test on the scale of x_train, {one} as {train}, got {other} as "
            f"{test}; bring both to one scale{_divided(scans)}, or say `value_range` in the spec "
            "where both are right"
        )
        refuse("wrong_type", detail, "x_test")


def scale_warnings(
    raw: Mapping[str, Array], scans: Mapping[str, Scan], value_range: Range, is_given: bool
) -> list[str]:
    """`is_given`: the range was said in the spec."""
    train, test = scans["train"], scans["test"]
    low, high = value_range
    said = f"{_number(low)} to {_number(high)}"
    warnings = []
    if _apart(train, test):
        warnings.append(
            f"x_train holds values {_spoken(train)}, x_test {_spoken(test)}: they seem to be on "
            f"different scales. {said} become 0 to 1 in both; bring both to one "
            f"scale{_divided(scans)}."
        )
    elif _beyond(test, train):
        warnings.append(
            f"x_test holds values {_spoken(test)}, far outside those of x_train, {_spoken(train)}."
        )
    if is_given:
        if train.low < low or train.high > high:
            warnings.append(
                f"x_train holds values {_spoken(train)}, outside the value_range {said}."
            )
    elif raw["train"].dtype.kind in "iu" and train.high <= 1 and 0 <= train.low < train.high:
        warnings.append(
            f"x_train holds only 0 and 1 as {raw['train'].dtype}: 1 counts as white, as in a mask. "
            "Pictures that were divided by 255 and then made integers have lost their greys: "
            "upload them as they were."
        )
    elif value_range == (0, FEW_LEVELS) and train.is_whole:
        warnings.append(
            f"x_train holds whole numbers {_spoken(train)}: {FEW_LEVELS} counts as white. Where "
            "255 does, say `value_range`: [0, 255]."
        )
    elif low < train.high < low + BARELY_FILLED * (high - low):
        warnings.append(
            f"x_train holds values {_spoken(train)}, but {said} become 0 to 1: the pictures are "
            f"dark. Where {_number(train.high)} is white, say "
            f"`value_range`: [{_number(low)}, {_number(train.high)}]."
        )
    return warnings


def _apart(one: Scan, other: Scan) -> bool:
    """Tells whether one holds far larger values, or negative ones beside a split without."""
    sizes = sorted(max(abs(scan.low), abs(scan.high)) for scan in (one, other))
    if 0 < sizes[0] * APART_FROM <= sizes[1]:
        return True
    lows = sorted((one.low, other.low))
    return lows[0] < -0.5 * sizes[0] and lows[1] >= 0 and one.high > 0 and other.high > 0


def _beyond(test: Scan, train: Scan) -> bool:
    width = train.high - train.low
    return width > 0 and (test.low < train.low - width or test.high > train.high + width)


def _divided(scans: Mapping[str, Scan]) -> str:
    """The likeliest way to it."""
    highs = {split: scan.high for split, scan in scans.items()}
    large, small = max(highs, key=highs.__getitem__), min(highs, key=highs.__getitem__)
    if large == small or not 0 < highs[small] <= 1:
        return ""
    level = next((level for level in LEVELS[1:] if highs[large] <= level), None)
    return f" (x_{large} / {level}?)" if level else ""


def _spoken(scan: Scan) -> str:
    return f"from {_number(scan.low)} to {_number(scan.high)}"


def _number(value: float) -> str:
    return f"{value:.6g}"
