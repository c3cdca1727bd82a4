"""Sources whose labels look like noise, by what a job knows of them without asking for more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binomtest

from app.spec.plan import PRETRAIN, sources_of
from app.spec.relation import Relation
from app.spec.source_report import Transferability
from app.spec.spec import ResolvedSpec, Sources
from app.tasks import TASKS
from worker.evaluation.evidence import TrialResult

SIGNIFICANCE = 0.01
FAR = 0.5  # of the way from chance to always being right


def doubts_of(spec: ResolvedSpec, trials: Sequence[TrialResult]) -> dict[Sources, str]:
    """Says why the labels of some sources, each alone or several as one, look like noise.

    A source's own held-out items are the stronger sign: a network that has learnt labels by heart
    is at chance there, while its outputs for the target still follow the items."""
    own, relations = _own_items(spec, trials), _relations(spec, trials)
    return {
        sources: said
        for sources in spec.source_sets.values()
        if (said := "; ".join(_reasons(own.get(sources, []), relations.get(sources, []))))
    }


def source_warnings(
    spec: ResolvedSpec,
    trials: Sequence[TrialResult],
    names: Sequence[str],
    ranking: Transferability | None,
) -> list[str]:
    """Sentences.

    Args:
        names: of the job's sources.
    """
    nearest = _nearest(ranking)
    warnings = []
    for sources, doubt in doubts_of(spec, trials).items():
        who = names[sources[0]] if len(sources) == 1 else "all sources as one"
        if nearest and sources == (nearest[0],):
            what = f"in its {spec.items_word} only"
            near = f"it is the nearest by proxy A-distance ({nearest[1]:.2f}), {what}"
            warnings.append(f"{who}: {doubt}; {near}")
        else:
            warnings.append(f"{who}: {doubt}")
    return warnings


def _reasons(own: Sequence[tuple[int, int, float]], relations: Sequence[Relation]) -> list[str]:
    reasons = []
    if own and all(_is_chance(*each) for each in own):
        right, items, chance = own[0]
        reasons.append(
            "its labels look like noise, or its pretraining has learnt nothing: its network is "
            f"right on {right / items:.2f} of {items} held-out items of its own, "
            f"{chance:.2f} would be chance"
        )
    if relations and all(each.is_nothing for each in relations):
        first = relations[0]
        reasons.append(
            f"its classes tell {first.told:.3f} nats of the target's labels (LEEP over their "
            f"frequencies), {first.by_chance:.3f} are told by chance: they have nothing to do "
            "with each other, or its labels are noise"
        )
    return reasons


def _is_chance(right: int, items: int, chance: float) -> bool:
    """Not significantly better than chance, and too often wrong to be far from it."""
    found = binomtest(right, items, chance, alternative="greater")
    most = binomtest(right, items).proportion_ci(1 - SIGNIFICANCE, method="wilson").high
    return bool(found.pvalue > SIGNIFICANCE and most < chance + FAR * (1 - chance))


def _own_items(
    spec: ResolvedSpec, trials: Sequence[TrialResult]
) -> Mapping[Sources, list[tuple[int, int, float]]]:
    """Figures of every pretraining: how many held-out items its network has right, of how many, and
    the share that it would have right if labels and predictions were as frequent but unrelated."""
    found: dict[Sources, list[tuple[int, int, float]]] = defaultdict(list)
    if not spec.has_classes:
        return found
    for trial in sorted(trials, key=lambda each: each.seed):
        y, logits = trial.y_validation, trial.logits_validation
        if trial.role != PRETRAIN or y is None or logits is None or not len(y):
            continue
        if not TASKS[spec.task_of(sources_of(spec, trial.arm))].has_classes:
            continue
        predicted, classes = logits.argmax(axis=1), logits.shape[1]
        shares = [np.bincount(of, minlength=classes) / len(y) for of in (y, predicted)]
        chance = float(shares[0] @ shares[1])
        found[sources_of(spec, trial.arm)].append((int((predicted == y).sum()), len(y), chance))
    return found


def _relations(
    spec: ResolvedSpec, trials: Sequence[TrialResult]
) -> Mapping[Sources, list[Relation]]:
    found = defaultdict(list)
    for trial in sorted(trials, key=lambda each: (each.arm, each.seed)):
        relation = trial.outcome.relation if trial.outcome else None
        if relation:
            found[sources_of(spec, trial.arm)].append(relation)
    return found


def _nearest(ranking: Transferability | None) -> tuple[int, float] | None:
    """The place and the distance of the source that is nearest by proxy A-distance, of several."""
    apart = [
        (distance, each.source - 1)
        for each in (ranking.ranking if ranking else ())
        if (distance := (each.domain_distance or {}).get("proxy_a_distance")) is not None
    ]
    if len(apart) < 2:
        return None
    distance, place = min(apart)
    return place, distance
