"""Arms that learnt from target items without labels beside labelled ones, and from how many."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.spec.outcomes import SearchOutcome
from app.spec.spec import ResolvedSpec
from app.spec.strategies import AutoArm
from app.spec.strategy_catalogue import CATALOGUE
from worker.evaluation.evidence import TrialResult


@dataclass(frozen=True)
class UnlabelledUse:
    """`items`: that the job's own label budget leaves without labels, and lets take part; 0 where
    none may. `arms`: that have learnt from them."""

    items: int
    arms: frozenset[str]

    def of(self, arm: str) -> int:
        return self.items if arm in self.arms else 0


def unlabelled_beside(
    spec: ResolvedSpec, trials: Sequence[TrialResult], training_items: int, labels: int
) -> UnlabelledUse:
    """
    Args:
        training_items: of the target, with labels and without; 0 where that is not known.
        labels: of them, that the job's own budget leaves.
    """
    if not spec.target.takes_unlabelled:
        return UnlabelledUse(0, frozenset())
    arms = frozenset(name for name in spec.arms if _takes(name, spec, trials))
    return UnlabelledUse(max(0, training_items - labels), arms)


def _takes(name: str, spec: ResolvedSpec, trials: Sequence[TrialResult]) -> bool:
    """An arm that is `auto` is what one of its searches has chosen."""
    strategy = spec.arms[name].strategy
    if not isinstance(strategy, AutoArm):
        return CATALOGUE[strategy.name].takes_unlabelled
    chosen = [
        trial.outcome.chosen.name
        for trial in trials
        if trial.arm == name and isinstance(trial.outcome, SearchOutcome)
    ]
    return any(each in CATALOGUE and CATALOGUE[each].takes_unlabelled for each in chosen)
