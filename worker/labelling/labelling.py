"""Ranking of a dataset's unlabelled items to label next, and what that was worth."""

from typing import Any

import numpy as np
from scipy.special import expit, softmax

from app.errors import FailureCode, WorkFailure
from app.jobs.next_labels.schemas import ChosenItem, Guess, Ranked, Worth
from app.tables.next_labels import NextLabelsRow
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import THRESHOLD, MultiLabel
from app.tasks.regression import Regression
from worker.labelling.choice import METHODS, UNTRIED, Rule, choose
from worker.labelling.embeddings import Floats
from worker.labelling.simulation import simulate
from worker.labelling.stored import Winner
from worker.labelling.worth import HIDDEN, too_few, worth_of
from worker.machine.context import WorkerContext
from worker.training.data import Split

MOST_CANDIDATES = 20_000  # of more, so many are drawn
MOST_LABELLED = 5000  # likewise
SEED = 0


def result_of(context: WorkerContext, row: NextLabelsRow) -> dict[str, Any]:
    """The row's `result`. Raises WorkFailure."""
    with context.database.read() as session:
        winner = Winner.of(session, context.storage, row)
    return ranked(winner.encoded(context), row.items).model_dump(mode="json")


def ranked(winner: Winner, count: int) -> Ranked:
    """The `count` items to label next, of the winner's candidates, and what the order is worth."""
    every, rng = winner.candidates(), np.random.default_rng(SEED)
    if not len(every):
        detail = "expected items without a label, got none"
        raise WorkFailure(FailureCode.DATASET_INVALID, detail, reason="no_unlabelled_items")
    considered = every.select(np.sort(rng.permutation(len(every))[:MOST_CANDIDATES]))
    labelled, spec, task = winner.labelled(), winner.data.spec, winner.signature.task
    features, outputs = winner.seen(considered.items, spec.seen(winner.schema).inputs)
    some = labelled.select(np.sort(rng.permutation(len(labelled))[:MOST_LABELLED]))
    known = features[:0]
    if len(some):
        known, _ = winner.seen(some.items, winner.data.target_schema.inputs)
    rule, worth, sentence = _worth(winner, some, known)
    drawn_items = choose(rule, task, outputs, features, known, count, rng)
    chosen = considered.select(drawn_items.items)
    column, identifiers = winner.identifiers(chosen)
    return Ranked(
        method=METHODS[rule],
        candidates=len(every),
        considered=len(considered),
        identifier_column=column,
        listed=[
            ChosenItem(
                split="train" if chosen.splits[place] == "train" else "test",
                index=int(chosen.places[place]),
                identifier=identifiers[place],
                score=round(float(drawn_items.shares[place]), 6),
                guess=guess_of(task, outputs[item]),
            )
            for place, item in enumerate(drawn_items.items)
        ],
        worth=worth,
        sentence=sentence,
    )


def guess_of(task: Task, outputs: Floats) -> Guess:
    """Returns what the model answers for one item, of its outputs (K,) before any activation."""
    match task:
        case Classification():
            p = softmax(outputs)
            return Guess(label=task.classes[p.argmax()], probability=round(float(p.max()), 6))
        case MultiLabel():
            p = expit(outputs)
            has = p >= THRESHOLD
            labels = [name for name, is_there in zip(task.labels, has, strict=True) if is_there]
            sure = round(float(np.where(has, p, 1 - p).prod()), 6)
            return Guess(labels=labels, probability=sure)
        case Regression():
            return Guess(value=float(task.values(outputs[None])[0]))


def _worth(winner: Winner, some: Split, own: Floats) -> tuple[Rule, Worth | None, str]:
    """The rule by which to choose, what that was worth, and the sentence that says it, or why it is
    not known.

    Args:
        some: labelled items.
        own: the winner's features of them.
    """
    if winner.data.hides_labels:
        return UNTRIED, None, HIDDEN
    start, spec = winner.starting_features(some.items), winner.data.spec
    name, metric = spec.evaluation.primary_metric, spec.metric
    features = own if start is None else start
    found = simulate(winner.signature.task, name, features, some.y, SEED)
    if found is None:
        return UNTRIED, None, too_few(len(some))
    return found.rule, *worth_of(found, name, metric, len(some), start is not None)
