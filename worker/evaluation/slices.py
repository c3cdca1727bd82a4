"""Every arm by the values of a column: a pure function of the predictions and the items' values.

Which values an item has is stored beside its predictions (worker/trials/slices.py). The same
metrics and gains are computed of the items of one value as of all; and the worst value is named,
with an interval that knows that it was picked as the worst.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from app.plurals import counted
from app.spec.intervals import Bounds, Gain
from app.spec.slice_report import Slice, SliceArm, SliceValue, WorstSlice
from app.spec.spec import ResolvedSpec
from app.tasks.contract import EXACT, Metric
from worker.evaluation.arms import metric_interval
from worker.evaluation.arrays import Floats
from worker.evaluation.clusters import by_group
from worker.evaluation.crossed import unbiased
from worker.evaluation.evidence import Evidence, TrialResult
from worker.evaluation.gains import corrected
from worker.evaluation.measures.contract import Labels
from worker.evaluation.slice_groups import MeasuredArms, SliceGroup, has_metric, restricted

FEWEST_ITEMS = 20  # of a value that is measured alone
OTHER = "(other)"

Key = tuple[int, int, str]  # of a gain: column, value and arm


@dataclass(frozen=True, eq=False)
class CodedColumn:
    """One column's values of the test items. `codes` (n,): each item's place in `values`."""

    column: str
    values: tuple[str, ...]
    codes: NDArray[np.int16]


def coded(columns: Sequence[str], trials: Sequence[TrialResult]) -> list[CodedColumn]:
    """The values of the test items as the trials stored them; none where they did not. Raises
    ValueError where two trials differ in them."""
    found = [trial for trial in trials if trial.slice_codes is not None]
    if not columns or not found:
        return []
    first = found[0]
    codes, values, sizes = first.slice_codes, first.slice_values, first.slice_sizes
    if codes is None or values is None or sizes is None or len(sizes) != len(columns):
        raise ValueError("report: expected values of each column of evaluation.slices, got others")
    others = (each.slice_codes for each in found[1:])
    if any(other is None or not np.array_equal(codes, other) for other in others):
        raise ValueError("report: expected the same slices in every trial, got different ones")
    names = np.split(values, np.cumsum(sizes)[:-1])
    return [
        CodedColumn(column, tuple(map(str, of_column)), codes[:, place])
        for place, (column, of_column) in enumerate(zip(columns, names, strict=True))
    ]


def slices_of(found: Sequence[CodedColumn], measured: MeasuredArms) -> list[Slice]:
    """Slices of each column, where there is an arm."""
    arms, winner, spec = measured.arms, measured.winner, measured.spec
    if not arms:
        return []
    grouped = [_groups(column, measured) for column in found]
    gains: dict[Key, Gain] = {
        (place, number, name): gain
        for place, (groups, _) in enumerate(grouped)
        for number, group in enumerate(groups)
        for name, gain in group.gains.items()
    }
    gains = corrected(gains)
    judged = next((name for name in (winner, spec.baseline_arm) if name in arms), None)
    judged = judged or next(iter(arms))
    slices = []
    for place, (column, (groups, too_few)) in enumerate(zip(found, grouped, strict=True)):
        values = [
            _value(
                group,
                {name: gains.get((place, number, name)) for name in group.names},
                spec,
            )
            for number, group in enumerate(groups)
        ]
        worst = _worst(groups, judged, arms[judged], spec)
        sentence = _sentence(column.column, values, worst, too_few, spec)
        slices.append(
            Slice(
                column=column.column,
                values=values,
                too_few=too_few,
                worst=worst,
                sentence=sentence,
            )
        )
    return slices


def _groups(column: CodedColumn, measured: MeasuredArms) -> tuple[list[SliceGroup], dict[str, int]]:
    """The commonest first, rare ones together last; and items of the rare ones."""
    counts = np.bincount(column.codes, minlength=len(column.values))
    order = [int(place) for place in np.argsort(-counts, kind="stable") if counts[place]]
    others = [place for place in order if column.values[place] == OTHER]
    rare = [place for place in order if counts[place] < FEWEST_ITEMS and place not in others]
    large = [place for place in order if place not in {*rare, *others}]
    parts = [(column.values[place], column.codes == place) for place in large]
    together = rare + others
    if counts[together].sum() >= FEWEST_ITEMS:
        parts.append((OTHER, np.isin(column.codes, together)))
    groups = [measured.group(value, rows) for value, rows in parts]
    return groups, {column.values[place]: int(counts[place]) for place in rare}


def _value(group: SliceGroup, gains: Mapping[str, Gain | None], spec: ResolvedSpec) -> SliceValue:
    arms, references = (
        {
            name: SliceArm(
                metrics={
                    metric: metric_interval(evidence, metric, spec.evaluation.confidence)
                    for metric in evidence.trials[0].test
                    if has_metric({name: evidence}, metric)
                },
                gain=gains[name],
            )
            for name, evidence in held.items()
        }
        for held in (group.arms, group.references)
    )
    return SliceValue(value=group.value, items=group.items, arms=arms, references=references)


def _worst(
    groups: Sequence[SliceGroup], arm: str, whole: Evidence, spec: ResolvedSpec
) -> WorstSlice | None:
    """The worst of the groups that have the primary metric, where there are two or more."""
    metric = spec.evaluation.primary_metric
    means = {
        number: float(np.mean(group.arms[arm].test(metric)))
        for number, group in enumerate(groups)
        if has_metric({arm: group.arms[arm]}, metric)
    }
    if len(means) < 2:
        return None
    number = min(means, key=lambda place: spec.metric.sign * means[place])
    group = groups[number]
    rest = restricted(whole, ~group.rows)
    if not has_metric({arm: rest}, metric):
        return None
    confidence = 1 - (1 - spec.evaluation.confidence) / len(means)
    low, high = difference(group.arms[arm], rest, metric, spec.metric, confidence)
    is_clear = high < 0 if spec.metric.higher_is_better else low > 0
    return WorstSlice(
        value=group.value,
        items=group.items,
        arm=arm,
        mean=means[number],
        rest=float(np.mean(rest.test(metric))),
        difference=Bounds(low=low, high=high),
        is_clear=is_clear,
    )


def difference(
    one: Evidence, other: Evidence, metric: str, of: Metric, confidence: float
) -> tuple[float, float]:
    """Interval of an arm's metric on some items minus that on others, with the items of both and
    the seeds taken as random: the sum of the three variances with Satterthwaite's degrees of
    freedom, Welch's interval where there is one seed. Where items belong together their groups are
    random in their place, if these vary more; of a slice that is one group it is this that is asked
    about.

    References: Welch, Biometrika 34, 1947; Satterthwaite, Biometrics Bulletin 2, 1946.
    """
    parts: list[tuple[float, int]] = []
    for evidence in (one, other):
        values = np.mean(
            [evidence.measures.item_values(evidence.y, each, metric) for each in evidence.outputs],
            axis=0,
        )
        classes = evidence.measures.averaged_over(evidence.y, metric)
        added = _one_more(len(values), classes) if of.is_rate else 0.0
        found = [(_error(values, classes) + added, len(values) - 1)]
        if evidence.groups is not None:
            grouped = by_group(values[None], evidence.groups)[0]
            added = _one_more(len(grouped), None) if of.is_rate else 0.0
            found.append((_error(grouped) + added, len(grouped) - 1))
        parts.append(max(found))
    apart = np.subtract(one.test(metric), other.test(metric))
    if len(apart) > 1:
        parts.append((_error(apart), len(apart) - 1))
    variance = sum(part for part, _ in parts)
    mean = float(np.mean(apart))
    if not variance:
        return mean, mean
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    margin = float(student.ppf((1 + confidence) / 2, freedom)) * sqrt(variance)
    least, most = of.change
    return max(least, mean - margin), min(most, mean + margin)


def _error(values: Floats, classes: Labels | None = None) -> float:
    """Variance of the mean of n > 1 values. `classes`: of the items, (n,), where the values are
    influences on a mean over classes."""
    squares = (values - values.mean()) ** 2
    if classes is not None:
        squares = unbiased(squares, classes)
    return float(squares.sum()) / (len(values) - 1) / len(values)


def _sentence(
    column: str,
    values: Sequence[SliceValue],
    worst: WorstSlice | None,
    too_few: Mapping[str, int],
    spec: ResolvedSpec,
) -> str:
    said = []
    if worst:
        said.append(f"By {column}, {_told_of(worst, values, spec)}.")
        said += _gain_there(values, worst, spec)
    else:
        said.append(
            f"By {column} nothing can be compared: fewer than two of its values have the "
            f"{FEWEST_ITEMS} test items, of different labels, that it takes."
        )
    if too_few:
        items, others = sum(too_few.values()), len(too_few)
        what = (
            f"taken together as {OTHER}"
            if any(each.value == OTHER for each in values)
            else "not measured"
        )
        values_of = "one value" if others == 1 else f"{others} values"
        said.append(
            f"The {counted(items, 'test item')} of {values_of} with fewer than {FEWEST_ITEMS} "
            f"{'is' if items == 1 else 'are'} {what}."
        )
    return " ".join(said)


def _told_of(worst: WorstSlice, values: Sequence[SliceValue], spec: ResolvedSpec) -> str:
    of, name, apart = spec.metric, spec.metric.label, worst.mean - worst.rest
    if abs(apart) < EXACT * abs(worst.rest):
        same = f"{worst.arm} is no worse for any value than for the others"
        return f"{same}: {name} {of.shown(worst.mean)}"
    low, high = (of.shown(each, signed=True) for each in _ends(worst.difference))
    chance = "which chance alone may bring"
    if worst.is_clear:
        chance = "more than chance would bring"
    elif of.sign * apart > 0:
        chance = f"so the others taken together are no better: {name} of all is no mean of them"
    primary = spec.evaluation.primary_metric
    compared = [each for each in values if primary in each.arms[worst.arm].metrics]
    return (
        f"{worst.arm} is worst for {worst.value}: {name} {of.shown(worst.mean)} on {worst.items} "
        f"test items, {of.shown(worst.rest)} on the others, a difference of "
        f"{of.shown(apart, signed=True)} [{low}, {high}] (corrected for the choice of the worst of "
        f"{len(compared)}), {chance}"
    )


def _gain_there(
    values: Sequence[SliceValue], worst: WorstSlice, spec: ResolvedSpec
) -> Sequence[str]:
    """The winner's gain over the baseline on the worst value's items."""
    there = next(each for each in values if each.value == worst.value)
    gain, of = there.arms[worst.arm].gain, spec.metric
    if gain is None:
        return []
    low, high = (of.shown(each, signed=True) for each in _ends(gain.overall or gain.bootstrap))
    mean = of.shown(gain.mean, signed=True)
    return [f"Its gain over {spec.baseline_arm} there is {mean} [{low}, {high}]."]


def _ends(bounds: Bounds) -> tuple[float, float]:
    return bounds.low, bounds.high


def _one_more(items: int, classes: Labels | None) -> float:
    """Variance that one more item adds that is right every other time, as in crossed_interval; of a
    mean over classes one more of each, of which a slice may have one or two."""
    if classes is None:
        return 0.5 / items**2
    counts = np.unique(classes, return_counts=True)[1]
    return float((0.5 / (len(counts) * counts) ** 2).sum())
