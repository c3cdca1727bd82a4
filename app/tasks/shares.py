"""Items in an order, cut into parts of equally many: the strata of tasks without classes."""

from collections.abc import Iterable


def equal_shares(items: int, most: int, fewest: int) -> tuple[int, ...]:
    """Sizes of the parts, which differ by one at most: up to `most`, of `fewest` items or more."""
    parts = min(most, max(1, items // fewest))
    return tuple(items // parts + (place < items % parts) for place in range(parts))


def budgeted(counts: Iterable[int], budget: int | None) -> int:
    """Items that a budget of all together leaves; None for all."""
    items = sum(counts)
    return items if budget is None else min(items, budget)
