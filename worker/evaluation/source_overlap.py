"""Sources that hold items of the target: what a verdict then is no evidence of."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.jobs.schemas import EvidenceDataset
from app.spec.plan import sources_of
from app.spec.spec import ResolvedSpec
from worker.evaluation.dataset_warnings import TOO_MANY_KNOWN
from worker.evaluation.evidence import TrialResult

MORE_THAN_CHANCE = 2.0  # times as many as of the source's own items have another that is equal


@dataclass(frozen=True)
class SourceOverlap:
    """Counts of one source, as TrialResult.shared_items has them."""

    source: int
    test: int
    test_items: int
    train: int
    train_items: int
    equal: int
    items: int

    @property
    def of_test(self) -> float:
        """Share of the test items that stand in the source; 0 where rows are so alike that as many
        would do so by chance."""
        return self._beyond_chance(self.test / max(1, self.test_items))

    @property
    def of_train(self) -> float:
        return self._beyond_chance(self.train / max(1, self.train_items))

    def _beyond_chance(self, share: float) -> float:
        by_chance = self.equal / max(1, self.items)
        return share if share > MORE_THAN_CHANCE * by_chance else 0.0


def overlap_doubts(
    spec: ResolvedSpec,
    winner: str,
    datasets: Sequence[EvidenceDataset],
    trials: Sequence[TrialResult],
) -> tuple[list[str], list[str], list[str]]:
    """Sentences that take any verdict away, that take a positive one away, and beside these, about
    the sources that the winner starts from."""
    any_verdict: list[str] = []
    positive: list[str] = []
    beside: list[str] = []
    names = {each.id: each.name for each in datasets}
    for each in _overlaps(spec, winner, trials):
        source = f"source {names.get(spec.sources[each.source].dataset or '', each.source + 1)}"
        if each.of_test:
            said = (
                f"{each.test} of {each.test_items} test items stand among the training items of "
                f"the {source}"
            )
            if each.of_test >= TOO_MANY_KNOWN:
                any_verdict.append(f"{said}: a verdict over such a test set is not evidence")
            else:
                beside.append(f"{said}: {winner} has seen them, with their labels there")
        if each.of_train >= TOO_MANY_KNOWN and _knows_more(spec):
            positive.append(
                f"{each.train} of the target's {each.train_items} training items stand among those "
                f"of the {source}, with labels that the others do not get: a gain tells what more "
                "labels bring, and nothing of another domain"
            )
    return any_verdict, positive, beside


def _overlaps(
    spec: ResolvedSpec, winner: str, trials: Sequence[TrialResult]
) -> list[SourceOverlap]:
    own = set(sources_of(spec, winner))
    rows = {
        int(row[0]): SourceOverlap(*map(int, row))
        for trial in trials
        if trial.shared_items is not None
        for row in trial.shared_items
    }
    return [rows[place] for place in sorted(own & rows.keys())]


def _knows_more(spec: ResolvedSpec) -> bool:
    """Tells whether labels of the target's training items are hidden from who starts anew."""
    return spec.target.budget is not None or not spec.target.use_labels
