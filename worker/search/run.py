"""A search with the engine: every evaluation is a training on a fold of the trial's items."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from app.errors import FailureCode, WorkFailure
from app.inputs.image import ImageInputs
from app.spec.calibration import once, seconds_per_step
from app.spec.figures import Conditions
from app.spec.forecast import HEAD_STEP_COST
from app.spec.outcomes import Candidate, SearchOutcome
from app.spec.strategies import Strategy
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Space
from worker.backbones.network import Network
from worker.evaluation.measures import measures_of
from worker.search.advice import SourceEvidence, ruled_out
from worker.search.candidates import Costs, batches
from worker.search.evaluations import Finished, Result
from worker.search.folds import Fold, folds, pooled
from worker.search.judging import Values, by_information, by_labels, scale_of
from worker.search.ledger import Task
from worker.search.prior import Prior
from worker.search.scoring import SourceScores, scored
from worker.search.search import search
from worker.search.standing import Standing
from worker.search.views import default_views
from worker.training.checkpoint import Checkpoint, Position
from worker.training.data import Domain, Split
from worker.training.predict import changed_outputs, outputs_of
from worker.training.run import train
from worker.training.setup import (
    EpochRecord,
    Interrupted,
    Journal,
    Signal,
    TrialSetup,
)

# It diverges or is too large: others may not be. A store that fails says nothing of a candidate.
_OF_A_CANDIDATE = {FailureCode.DIVERGED, FailureCode.OUT_OF_MEMORY}
_STATE: TypeAdapter[list[Finished]] = TypeAdapter(list[Finished])
LEAST_SECONDS = 20.0  # of a search, what is compiled for it included
_ARRAY = "search"  # of a checkpoint: the state as JSON


def run_search(
    setup: TrialSetup,
    portfolio: Sequence[Strategy | None],
    journal: Journal,
    checkpoint: Checkpoint | None = None,
    *,
    space: Space,
    metric: str,
    seconds: float | None = None,
) -> SearchOutcome:
    """Chooses among `portfolio`, and settings in `space`, by held-out training items.

    Args:
        setup: of the arm's trials; its recipe is ignored. Its training and validation items are
            taken together and parted into folds. `source` is there if any strategy needs it.
        portfolio: the safest first; None stands for the baseline.
        journal: gets progress and checkpoints, but no epochs of the trainings inside.
        checkpoint: of this search, to go on from: what had finished is not done again.
        metric: by which it is chosen; where labels are hidden, by invariant information.
        seconds: of evaluations, at most; then the best so far is chosen.

    Raises:
        Interrupted: the journal signals; with a checkpoint when it was PAUSE.
    """
    items = pooled(setup.target)
    candidates = [
        Candidate(strategy=strategy, imbalance=imbalance)
        for strategy in portfolio
        for imbalance in space.imbalance or (None,)
    ]
    inputs = setup.target.schema.inputs
    prior = Prior.of(candidates, inputs.modality)
    hidden = np.full(len(items), -1, np.int64)
    measures = measures_of(setup.target.schema.task)
    strata = measures.strata(items.y, setup.seed) if items.is_labelled else hidden
    parts = folds(strata, setup.seed, items.groups)
    if not parts:
        first = candidates[0]
        return _nothing_to_compare_on(default_views(first, prior) if space.augmentation else first)
    metric = metric if items.is_labelled else "information"
    costs = Costs(
        setup.training,
        items=len(setup.target.train),
        fold_items=len(parts[0].train),
        beside_labels=setup.unlabelled is not None,
        least=_least(setup, len(candidates)),
    )
    finished = _restored(checkpoint)
    found, out = _advice(setup, items, candidates)
    candidates = [each for each in candidates if each not in out]
    evaluations = _Evaluations(setup, items, parts, costs, metric, journal, finished)
    outcome = search(
        candidates,
        evaluations.evaluate,
        costs,
        folds=len(parts),
        seeds=setup.trials,
        space=space,
        seed=setup.seed,
        metric=metric,
        scale=scale_of(measures, metric) if items.is_labelled else 1.0,
        seconds=seconds,
        finished=finished,
        prior=prior,
        has_mirror=isinstance(inputs, ImageInputs),
        places=[part.held_out for part in parts],
    )
    tried = [Standing(each, 0, 0.0, dropped=why).tried() for each, why in out.items()]
    known = {"scores": found.scores, "relation": found.relation} if found else {}
    reason = outcome.reason + _said_of_single(strata)
    return outcome.model_copy(update={"tried": (*tried, *outcome.tried), "reason": reason, **known})


def _least(setup: TrialSetup, candidates: int) -> float:
    """Steps that a search may cost in any case: of a job of seconds nobody waits for a search of
    seconds. By the machine of calibration.py, so that the same search has the same steps."""
    inputs, fixed = setup.target.schema.inputs, once(setup.model.backbone)
    batch = min(setup.training.batch_size, max(1, len(setup.target.train)))
    step = seconds_per_step(setup.model, setup.model.seen(inputs.layout), batch, inputs.tokens)
    return max(0.0, LEAST_SECONDS - candidates * (fixed.first - fixed.again)) / step


def _advice(
    setup: TrialSetup, items: Split, candidates: Sequence[Candidate]
) -> tuple[SourceScores | None, dict[Candidate, str]]:
    """How the source's network does on the target, and who is not tried because of it, and why."""
    is_scored = items.is_labelled and setup.target.schema.task.has_classes
    if len(candidates) == 1 or setup.source_weights is None or not is_scored:
        return None, {}
    found = scored(setup, items)
    classes = len(np.unique(items.y))
    return found, ruled_out(candidates, SourceEvidence(classes, found.scores, found.relation))


@dataclass(eq=False)
class _Evaluations:
    setup: TrialSetup
    items: Split
    folds: Sequence[Fold]
    costs: Costs
    metric: str
    journal: Journal
    finished: list[Finished]

    def evaluate(self, task: Task) -> Result:
        part = self.folds[task.fold]
        held_out = self.items.select(part.held_out)
        weight = batches(task.candidate, self.costs.beside_labels)
        inner = _InnerJournal(self.journal, task, weight, self._state)
        began, failure = time.perf_counter(), None
        values = losses = np.empty(0)
        try:
            network = train(self._setup(task.candidate, part.train, held_out), inner)
            outputs = outputs_of(network, held_out.items)
            if np.isfinite(outputs).all():
                values, losses = self._judged(network, held_out, outputs)
            else:
                failure = "expected finite outputs of the held-out items, got others"
        except WorkFailure as failed:
            if failed.code not in _OF_A_CANDIDATE:
                raise
            failure = failed.detail
        except Interrupted as interrupted:
            raise Interrupted(self._state() if interrupted.checkpoint else None) from None
        return Result(
            values=tuple(values.tolist()),
            losses=tuple(losses.tolist()),
            cost=inner.epochs * self.costs.steps(len(part.train)),
            head=inner.head,
            seconds=time.perf_counter() - began,
            failure=failure,
        )

    def _judged(
        self, network: Network, held_out: Split, outputs: NDArray[np.float32]
    ) -> tuple[Values, Values]:
        if held_out.is_labelled:
            measures = measures_of(self.setup.target.schema.task)
            return by_labels(measures, self.metric, held_out.y, outputs)
        return by_information(outputs, changed_outputs(network, held_out.items, self.setup.seed))

    def _setup(self, candidate: Candidate, train: np.ndarray, held_out: Split) -> TrialSetup:
        setup, strategy = self.setup, candidate.strategy
        training = candidate.training(setup.training)
        # Held-out items are judged after the last epoch; before, only early stopping needs them.
        watched = held_out if training.early_stopping else held_out.select(_NONE)
        needs = CATALOGUE[strategy.name].needs if strategy else ()
        return replace(
            setup,
            recipe=candidate.way,
            params=strategy.params if strategy else None,
            training=training,
            imbalance=candidate.imbalance or setup.imbalance,
            target=Domain(setup.target.schema, self.items.select(train), watched),
            source=setup.source if "source_data" in needs else None,
        )

    def _state(self) -> Checkpoint:
        state = np.frombuffer(_STATE.dump_json(self.finished), np.uint8)
        return Checkpoint({_ARRAY: state}, Position(), self.setup.seed, (), threads=0)


_NONE = np.empty(0, np.int64)


def _restored(checkpoint: Checkpoint | None) -> list[Finished]:
    return _STATE.validate_json(checkpoint.arrays[_ARRAY].tobytes()) if checkpoint else []


@dataclass(eq=False)
class _InnerJournal:
    """Journal of a training inside the search: forwards signals and progress, and counts."""

    outer: Journal
    task: Task
    batches: int  # that a step of the whole network goes through
    state: Callable[[], Checkpoint]
    epochs: float = field(default=0.0, init=False)  # of the whole network on one domain
    head: int = field(default=0, init=False)  # epochs on features

    def signal(self) -> Signal | None:
        return self.outer.signal()

    def computed_by(self, conditions: Conditions) -> None:
        self.outer.computed_by(conditions)

    def moved(self, progress: float) -> None:
        self.outer.moved(self._share(progress))

    def epoch_ended(
        self,
        records: list[EpochRecord],
        progress: float,
        snapshot: Callable[[], Checkpoint],
    ) -> None:
        for record in records:
            if record.split == "train":
                is_head = record.phase == "head"
                self.head += is_head
                self.epochs += HEAD_STEP_COST if is_head else self.batches
        self.outer.epoch_ended([], self._share(progress), self.state)

    def _share(self, progress: float) -> float:
        return self.task.begins + (self.task.ends - self.task.begins) * progress


def _said_of_single(strata: NDArray[np.integer]) -> str:
    """What of the folds is said: a class of one item is in all trainings and judged by none."""
    codes, counts = np.unique(strata[strata >= 0], return_counts=True)
    single = int((counts == 1).sum())
    if not single:
        return ""
    have = "has" if single == 1 else "have"
    return f"; {single} of {len(codes)} classes {have} one item, which no fold holds out"


def _nothing_to_compare_on(first: Candidate) -> SearchOutcome:
    reason = f"{first.name} is the first of the portfolio; no class has two items to hold one out"
    return SearchOutcome(chosen=first, reason=reason, tried=(), trainings=0.0, seconds=0.0)
