"""Numbers with what they count."""


def counted(count: int, noun: str) -> str:
    """`1 test item`, `3 test items`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
