"""Words and signs that stand as a unit before or behind a number."""

import re

from app.inputs.csv_rule import BETWEEN, SIGN

CURRENCY = r"(?:[A-Z]{0,3}[$€£¥₹₩₽₺₴]|EUR|USD|GBP|CHF|CNY|RMB|JPY|INR)"
WORD = r"(?:[^\W\d_]|[%‰°µΩ])(?:[^\W\d_]|[%°µΩ/²³·^.-]){0,15}"
DIGITS = rf"[\d.,{BETWEEN}]*\d[.,]?"
BEFORE = re.compile(rf"{SIGN}({CURRENCY})\s?{DIGITS}")
BEHIND = re.compile(rf"{SIGN}{DIGITS}\s?({CURRENCY}|{WORD})")


def unit_of(text: str) -> str | None:
    """The unit of a field that is a number with one."""
    match = BEFORE.fullmatch(text) or BEHIND.fullmatch(text)
    return match[1] if match else None


def bare(text: str) -> str:
    """A field without its unit, where it is a number with one."""
    unit = unit_of(text)
    return text.replace(unit, "", 1).strip() if unit else text
