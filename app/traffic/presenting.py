"""Counts as the outside sees them: sums of windows, shares, and what they say."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import NamedTuple

from app.tables.traffic import TrafficRow
from app.tasks import Task
from app.traffic.counts import AnswersSeen, Counts
from app.traffic.drift import FEWEST, Distance, of_confidence, of_kinds
from app.traffic.latency import quantile
from app.traffic.repository import FIRST
from app.traffic.schemas import AnswerShare, DoubtedInputs, DriftOut, Origin, TrafficWindow
from app.traffic.windows import WINDOWS, Window

SHOWN = 20
PLACES = {
    "test": "those to the test items",
    "first_answers": "the first ones",
    "current": "those of the current model",
}


class ReferenceAnswers(NamedTuple):
    """Answers that others are held against."""

    origin: Origin
    counted: AnswersSeen


def reference_of(tested: AnswersSeen | None, rows: Iterable[TrafficRow]) -> ReferenceAnswers | None:
    """Returns None where there is none yet. `tested`: answers on test items; `rows`: of the
    model."""
    if tested is not None and tested.items:
        return ReferenceAnswers("test", tested)
    first = _sum(row for row in rows if row.seconds == FIRST).answers
    return ReferenceAnswers("first_answers", first) if first.items else None


def windows_of(
    task: Task, rows: Sequence[TrafficRow], reference: ReferenceAnswers | None, at: float
) -> list[TrafficWindow]:
    """`rows`: of one model, of all processes."""
    told = []
    for window in WINDOWS:
        own = (row for row in rows if row.seconds == window.step and _is_within(row, window, at))
        told.append(_told(task, window, _sum(own), reference))
    return told


def beside(
    task: Task, rows: Sequence[TrafficRow], current: Sequence[TrafficRow], at: float
) -> DriftOut:
    """Answers of one model's last day held against another's. `rows`, `current`: of each."""
    day = WINDOWS[-1]
    own, others = (
        _sum(row for row in each if row.seconds == day.step and _is_within(row, day, at)).answers
        for each in (rows, current)
    )
    known = ReferenceAnswers("current", others) if others.items else None
    return _drift(day, own, known, _shares(task, own, known))


def _is_within(row: TrafficRow, window: Window, at: float) -> bool:
    return row.begins_at + window.step > at - window.seconds


def _sum(rows: Iterable[TrafficRow]) -> Counts:
    return reduce(add, (Counts.model_validate(row.counts) for row in rows), Counts())


def _told(
    task: Task, window: Window, counts: Counts, reference: ReferenceAnswers | None
) -> TrafficWindow:
    answered = sum(counts.latency.values())
    shares = _shares(task, counts.answers, reference)
    doubts = sorted(counts.warned.items(), key=lambda each: -each[1])
    return TrafficWindow(
        window=window.name,
        seconds=window.seconds,
        requests=counts.requests,
        requests_per_second=counts.requests / window.seconds,
        items=counts.items,
        errors={str(status): count for status, count in sorted(counts.errors.items())},
        p50_seconds=quantile(counts.latency, 0.5),
        p99_seconds=quantile(counts.latency, 0.99),
        doubts=[
            DoubtedInputs(code=code, requests=count, share=count / max(answered, count))
            for code, count in doubts
        ],
        answers=shares[:SHOWN],
        answers_left_off=max(0, len(shares) - SHOWN),
        drift=_drift(window, counts.answers, reference, shares),
    )


def _shares(task: Task, now: AnswersSeen, reference: ReferenceAnswers | None) -> list[AnswerShare]:
    """Kinds of answers that either has, those that differ most first."""
    names, then = task.answer_kinds, reference.counted if reference else AnswersSeen()
    shares = [
        AnswerShare(
            answer=names[kind],
            share=now.kinds.get(kind, 0) / max(1, now.items),
            reference_share=then.kinds.get(kind, 0) / then.items if then.items else None,
        )
        for kind in sorted(now.kinds.keys() | then.kinds.keys())
        if kind < len(names)
    ]
    return sorted(
        shares, key=lambda each: (-abs(each.share - (each.reference_share or 0)), -each.share)
    )


def _drift(
    window: Window,
    now: AnswersSeen,
    reference: ReferenceAnswers | None,
    shares: Sequence[AnswerShare],
) -> DriftOut:
    confidence = now.confidence / now.items if now.confidence else None
    if reference is None or not now.items:
        return DriftOut(
            standing="too_few" if reference else "no_reference",
            items=now.items,
            reference=reference.origin if reference else None,
            reference_items=reference.counted.items if reference else 0,
            confidence=confidence,
            sentence=f"No answers in the last {window.name}." if not now.items else NOTHING,
        )
    then = reference.counted
    kinds, sure = of_kinds(now, then), of_confidence(now, then)
    return DriftOut(
        standing=kinds.standing,
        distance=kinds.value,
        limit=kinds.limit,
        items=now.items,
        reference=reference.origin,
        reference_items=then.items,
        confidence=confidence,
        reference_confidence=then.confidence / then.items if then.confidence else None,
        confidence_standing=sure.standing,
        sentence=_sentence(window, now, reference, kinds, sure, shares[0]),
    )


NOTHING = "There are no answers yet to hold these against."


def _sentence(
    window: Window,
    now: AnswersSeen,
    reference: ReferenceAnswers,
    kinds: Distance,
    sure: Distance,
    most: AnswerShare,
) -> str:
    then, place = reference.counted, PLACES[reference.origin]
    if kinds.standing == "too_few":
        fewer, where = min(
            (now.items, f"in the last {window.name}"), (then.items, f"among {place}")
        )
        return f"{fewer} answers {where}: fewer than {FEWEST}, too few to say anything."
    told = []
    if kinds.standing == "drifted":
        told.append(
            f"The answers of the last {window.name} differ from {place}: "
            f"{most.share:.0%} `{most.answer}`, {most.reference_share or 0:.0%} then."
        )
    if sure.standing == "drifted":
        before, after = then.confidence / then.items, now.confidence / now.items
        word = "less" if after < before else "more"
        told.append(f"The model is {word} sure: {after:.0%} on the mean, {before:.0%} then.")
    if not told:
        told.append(f"The answers of the last {window.name} are as {place}, but for chance.")
    return " ".join(told)
