"""Confusion matrices: a heat table where its cells can be told apart; the commonest mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from app.jobs.page.numbers import short

TABLE_AT_MOST = 60  # classes
VALUES_AT_MOST = 20  # classes: in larger tables a cell's number shows under the pointer
MEDIUM_AT_MOST = 32
MISTAKES = 8
LEVELS = 10


@dataclass(frozen=True)
class Cell:
    count: int
    style: str  # r1..r10 on the diagonal, w1..w10 beside it, zero


@dataclass(frozen=True)
class Mistake:
    true: str
    predicted: str
    count: int
    share: float  # of the true class's items


@dataclass(frozen=True)
class Confusion:
    heads: list[str]  # shortened labels
    rows: list[list[Cell]]  # none where there are too many classes for a table
    size: str  # small | medium | large
    mistakes: list[Mistake]


def confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Confusion:
    """Args: matrix: (classes, classes), rows are true classes, columns predicted ones."""
    table = len(classes) <= TABLE_AT_MOST
    size = "small" if len(classes) <= VALUES_AT_MOST else "medium"
    return Confusion(
        heads=[short(label, 10) for label in classes],
        rows=[_row(counts, k) for k, counts in enumerate(matrix)] if table else [],
        size="large" if len(classes) > MEDIUM_AT_MOST else size,
        mistakes=_mistakes(matrix, classes),
    )


def _row(counts: Sequence[int], true: int) -> list[Cell]:
    """Shaded by the root of the share of the row, so that rare mistakes are seen."""
    total = sum(counts) or 1
    return [
        Cell(count, f"{'r' if k == true else 'w'}{max(1, round(LEVELS * sqrt(count / total)))}")
        if count
        else Cell(0, "zero")
        for k, count in enumerate(counts)
    ]


def _mistakes(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> list[Mistake]:
    """The commonest first."""
    found = [
        Mistake(short(classes[i], 40), short(classes[j], 40), count, count / sum(counts))
        for i, counts in enumerate(matrix)
        for j, count in enumerate(counts)
        if i != j and count
    ]
    return sorted(found, key=lambda mistake: -mistake.count)[:MISTAKES]
