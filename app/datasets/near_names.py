"""Class names that a reader takes for one: cat and Cat, or "cat ", two forms of é, 1 and 1.0.

Names stay as they came, byte for byte; who reads them is warned.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from app.inputs.matching import value_key

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


def number_in(name: str) -> Decimal | None:
    """The number that a name writes out in decimal digits; None for any other text."""
    return Decimal(name) if _NUMBER.fullmatch(name) else None


def near_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of two names or more that differ only in case, in spaces, in Unicode's forms (NFC,
    NFD, NFKC) or in how one number is written."""
    groups = defaultdict(list)
    for name in names:
        groups[_key(name)].append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def shown(name: str) -> str:
    """The name between quotes, with what a reader cannot tell apart written out."""
    return f"`{name}`" if name.isascii() else f"`{name}` ({ascii(name)[1:-1]})"


def _key(name: str) -> str:
    plain = value_key(name)
    number = number_in(plain)
    return plain if number is None else str(number.normalize() + 0)
