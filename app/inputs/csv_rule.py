"""Rules of CSV files that intake and command line share."""

import re
from collections import Counter
from collections.abc import Sequence

# A first line with which spreadsheets say what parts the fields; it is no record
DECLARED = re.compile(r'"?sep=(.)"?(?:\r\n|\n|\r)', re.I)
REMARK = "#"
MINUS = "\u2212"  # beside the hyphen, as spreadsheets of some languages write it
SIGN = f"[+{MINUS}-]?"
BETWEEN = "'’ \u00a0\u2009\u202f"  # may stand between groups of three digits
NUMBER = re.compile(SIGN + r"(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
FEWEST_TITLED = 3  # columns, of which a row that fills the first alone is a title


def plain_name(name: str) -> str:
    """A column's name without the spaces around it, as `age, city` has them, and without the mark
    of an encoding."""
    return name.strip().strip("\ufeff").strip()


def place_of_names(rows: Sequence[Sequence[str]]) -> int:
    """Place of the names of columns among a file's first rows, none of which is blank: titles and
    remarks may stand above them. 0 where it is not plain that they do."""
    lengths = Counter(map(len, rows))
    width = max(lengths, key=lambda length: (lengths[length], length), default=0)
    place = 0
    while place < len(rows) and _is_above(rows[place], width):
        place += 1
    is_sure = all(len(row) < width for row in rows[:place])
    return place if place < len(rows) and _are_names(rows[place], width, is_sure) else 0


def _is_above(row: Sequence[str], width: int) -> bool:
    filled = [place for place, field in enumerate(row) if field.strip()]
    if len(row) < width:
        return len(filled) <= 1 or row[0].lstrip().startswith(REMARK)
    return len(row) == width >= FEWEST_TITLED and filled in ([], [0])


def _are_names(row: Sequence[str], width: int, is_sure: bool) -> bool:
    """`is_sure`: what stands above has too few fields for a row, so that it is none in any case."""
    filled = [field.strip() for field in row if field.strip()]
    numbers = sum(1 for field in filled if NUMBER.fullmatch(field))
    few = len(filled) - 1 if is_sure else 0
    return len(row) == width and len(filled) > 1 and numbers <= few
