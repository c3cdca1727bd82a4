"""Doubts about the columns of a table: a sentence each."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.datasets.near_names import near_names, shown
from app.inputs.columns import BINS, CategoryColumn, Column, FlagColumn, NumberColumn
from app.tasks import Task
from worker.intake.raw import Array
from worker.intake.splits import Rows
from worker.intake.targets.contract import Stored

TELLS_FROM = 0.99  # of the labels, or of their variance
COMMONEST_UP_TO = 0.95  # of the rows: where one class has more, nothing tells labels
FEWEST_TOLD, MOST_TOLD = 10, 20_000  # rows of each split that are looked at
ZERO_GAP = 0.2  # of the median: no other value is so near to 0
FEWEST_VALUES = 10
MOSTLY_MISSING = 0.5
SHIFT_FROM = 0.5  # standard deviations, or half the L1 distance of shares
MISSING_SHIFT_FROM = 0.3
ALIKE_SHOWN = 5  # groups of names, and values in each

Splits = Mapping[str, NDArray[np.float32]]  # (rows,), one column's numbers


def column_warnings(
    column: Column, x: Splits, y: Mapping[str, Stored], task: Task, is_cut: bool
) -> list[str]:
    """Sentences about one column that a network sees. `is_cut`: the test rows are drawn from the
    same rows as the training rows, so that no drift is to be expected."""
    found = [_tells(column, x, y, task), _zeros(column, x), _missing(column, x)]
    found += [_unseen(column, x), None if is_cut else _shift(column, x)]
    return [each for each in found if each] + list(_near(column))


def _tells(column: Column, x: Splits, y: Mapping[str, Stored], task: Task) -> str | None:
    """Holds the commonest label of each part of the column, or the mean, of training rows against
    the test rows."""
    if y["train"].ndim > 1:
        return None
    known = {split: _labelled(labels, task)[:MOST_TOLD] for split, labels in y.items()}
    if min(map(len, known.values())) < FEWEST_TOLD:
        return None
    y = {split: labels[known[split]] for split, labels in y.items()}
    parts = {split: _parts(column, values[known[split]]) for split, values in x.items()}
    share = (_told_classes if task.has_classes else _told_variance)(parts, y)
    if share is None or share < TELLS_FROM:
        return None
    return (
        f"The column `{column.name}` alone tells {share:.1%} of the labels: is it known when "
        'somebody asks for a prediction? `columns`: {"NAME": "ignore"} in the spec leaves it out.'
    )


def _labelled(labels: Stored, task: Task) -> Rows:
    """Rows that have a label, ascending."""
    return np.flatnonzero(labels >= 0 if task.has_classes else ~np.isnan(labels))


def _parts(column: Column, values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Codes of categories, and places among the edges of what is measured; missing is one."""
    if isinstance(column, CategoryColumn | FlagColumn):
        return np.nan_to_num(values, nan=-1).astype(np.int64) + 1
    edges = np.array(column.edges, np.float32)[1:]
    return np.where(np.isnan(values), 0, np.searchsorted(edges, values, "right") + 1)


def _told_classes(parts: Mapping[str, Array], y: Mapping[str, Stored]) -> float | None:
    train = y["train"]
    shares = np.bincount(train) / len(train)
    if shares.max() > COMMONEST_UP_TO:
        return None
    table = np.zeros((int(max(map(np.max, parts.values()))) + 1, len(shares)), np.int64)
    np.add.at(table, (parts["train"], train), 1)
    guesses = table.argmax(axis=1)
    return min(float((guesses[parts[split]] == y[split]).mean()) for split in parts)


def _told_variance(parts: Mapping[str, Array], y: Mapping[str, Stored]) -> float | None:
    train, test = (y[split].astype(np.float64) for split in ("train", "test"))
    if not test.std():
        return None
    count = np.bincount(parts["train"], minlength=BINS + 2)
    sums = np.bincount(parts["train"], train, minlength=len(count))
    means = np.where(count > 0, sums / np.maximum(count, 1), train.mean())
    guesses = means[np.minimum(parts["test"], len(means) - 1)]
    return 1 - float(((guesses - test) ** 2).mean() / test.var())


def _zeros(column: Column, x: Splits) -> str | None:
    if not isinstance(column, NumberColumn):
        return None
    if not any((values == 0).any() for values in x.values()):
        return None
    known = np.concatenate(list(x.values()))
    known = known[~np.isnan(known)]
    if known.min() < 0:
        return None
    others = known[known != 0]
    zeros = len(known) - len(others)
    if len(np.unique(others[:10_000])) < FEWEST_VALUES:
        return None
    if others.min() < ZERO_GAP * np.median(others):
        return None
    return (
        f"{zeros} of {len(known)} values of the column `{column.name}` are 0, and no other is "
        f"below {others.min():g}: where 0 means that it was not measured, say "
        '`columns`: {"NAME": {"missing": ["0"]}} in the spec.'
    )


def _missing(column: Column, x: Splits) -> str | None:
    share = float(np.isnan(x["train"]).mean())
    if share <= MOSTLY_MISSING:
        return None
    return f"The column `{column.name}` has no value in {share:.0%} of the training rows."


def _unseen(column: Column, x: Splits) -> str | None:
    if not isinstance(column, CategoryColumn):
        return None
    count = {split: int((values == len(column.values)).sum()) for split, values in x.items()}
    if not any(count.values()):
        return None
    told = " and ".join(f"{many} {split} rows" for split, many in count.items() if many)
    why = "that no training row has" if not count["train"] else "beyond the 256 commonest ones"
    return f"{told} have values of the column `{column.name}` {why}: these are taken for `other`."


def _shift(column: Column, x: Splits) -> str | None:
    train, test = x["train"], x["test"]
    gone = float(np.isnan(train).mean()), float(np.isnan(test).mean())
    if abs(gone[0] - gone[1]) >= MISSING_SHIFT_FROM:
        return (
            f"The column `{column.name}` has no value in {gone[0]:.0%} of the training rows and "
            f"{gone[1]:.0%} of the test rows: where it is missing tells the splits apart."
        )
    train, test = train[~np.isnan(train)], test[~np.isnan(test)]
    if min(len(train), len(test)) < FEWEST_TOLD:
        return None
    if isinstance(column, CategoryColumn | FlagColumn):
        places = column.width
        shares = [np.bincount(v.astype(int), minlength=places) / len(v) for v in (train, test)]
        far = float(np.abs(shares[0] - shares[1]).sum() / 2)
        if far < SHIFT_FROM:
            return None
        how = f"{far:.0%} of the rows would have to change for the shares of its values to agree"
    else:
        spread = float(train.std(dtype=np.float64)) or 1.0
        far = abs(float(test.mean(dtype=np.float64) - train.mean(dtype=np.float64))) / spread
        if far < SHIFT_FROM:
            return None
        how = f"their means are {far:.1f} standard deviations apart"
    return f"The column `{column.name}` differs between training and test rows: {how}."


def _near(column: Column) -> Iterator[str]:
    if not isinstance(column, CategoryColumn):
        return
    for group in near_names(column.values)[:ALIKE_SHOWN]:
        names = ", ".join(shown(name) for name in group[:ALIKE_SHOWN])
        yield (
            f"Values of the column `{column.name}` that differ only in case, spaces, Unicode form "
            f"or the way a number is written: {names}. They stay {len(group)} values."
        )


def left_out_warning(reasons: Mapping[str, str]) -> Sequence[str]:
    """`reasons`: why a network sees nothing of a column, by its name."""
    return [f"The column `{name}` is left out: {reason}." for name, reason in reasons.items()]
