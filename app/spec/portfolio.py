"""Strategies that `auto` tries, by the facts of the data: few strategies, the safest first.

Of these the search rules out more by the source's features (worker/search/advice.py).

Every training that compares strategies is one that the chosen one does not get, so a strategy that
is unlikely to win stays out, with the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.spec.strategies import Strategy
from app.spec.strategy_catalogue import CATALOGUE

MOST, MOST_IF_EXPENSIVE = 5, 3  # that are trained on labelled items alone
UNTRAINED = frozenset({"recalibrate"})
# Of rows and texts whose classes are the source's, what keeps its answers was best in the study
# (docs/decisions/defaults.md); of pictures what learns anew.
KEEPING = frozenset({"distill", "recalibrate"})
KEEPING_MODALITIES = frozenset({"table", "text"})
EXPENSIVE_STEPS = 20_000  # of one training
FEW_LABELS = 50  # a class: below, what holds a network back helps it
PARTS = 10  # of a quantity's range, each as a class
LEAST_FOR_RELATION = 5  # labels per class that tell how the source sees it


@dataclass(frozen=True)
class Facts:
    items: int  # of the target, that are trained on
    classes: int  # of the target; of the source where they are hidden
    same_classes: bool
    source_data: bool  # and not only a network trained on it
    target_labels: bool
    has_classes: bool = True  # or a quantity to tell
    source_head: bool = True  # each source has one
    source_classes: bool = True  # and it tells one class of several
    batch_norm: bool = False  # in the backbone
    pairs: int = 0  # of the target's part beside others, in a source; 0 where it has no other parts
    unlabelled: int = 0  # training items of the target without a label, or beyond the label budget
    use_unlabelled: bool = False  # whether these take part beside the labelled ones
    steps: int = 0  # of one training of the job's epochs
    modality: str = "image"  # of the target's items

    @property
    def labels_per_class(self) -> float:
        """Labels per class; of a quantity, per tenth of its range."""
        return self.items / (max(1, self.classes) if self.has_classes else PARTS)


@dataclass(frozen=True)
class Portfolio:
    strategies: tuple[Strategy, ...]
    included: Mapping[str, str] = field(default_factory=dict)  # name -> why
    excluded: Mapping[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """All of it in one line."""
        said = [f"{name}: {why}" for name, why in self.included.items()]
        said += [f"not {name}: {why}" for name, why in self.excluded.items()]
        return "; ".join(said)


# (facts) -> (whether, why)
_Rule = Callable[[Facts], tuple[bool, str]]


def portfolio(facts: Facts) -> Portfolio:
    """Proposes at least one strategy: with labels lp_ft is always among them, without them shot."""
    is_expensive = facts.steps >= EXPENSIVE_STEPS
    most = MOST_IF_EXPENSIVE if is_expensive else MOST
    included, excluded = dict[str, str](), dict[str, str]()

    def is_beside(name: str) -> bool:
        """Whether it learns from items without labels beside labelled ones."""
        return facts.target_labels and CATALOGUE[name].takes_unlabelled

    for name, rule in _rules(facts).items():
        needs = CATALOGUE[name].needs
        if facts.target_labels and (beside := CATALOGUE[name].beside_labels) is not None:
            if not facts.unlabelled:
                continue
            needs = beside
        if "pairs" in needs and not facts.pairs:
            continue
        if "unlabelled_items" in needs and not facts.use_unlabelled:
            excluded[name] = (
                f"target.use_unlabelled is false, so that the target's {facts.unlabelled} other "
                "training items stay out"
            )
        elif "classification" in needs and not facts.has_classes:
            excluded[name] = "it needs classes"
        elif "source_head" in needs and not facts.source_head:
            excluded[name] = "the source has no head"
        elif {"source_head", "same_classes"} & {*needs} and not facts.source_classes:
            excluded[name] = "the source tells no classes"
        elif "source_data" in needs and not facts.source_data:
            excluded[name] = "the source's data is not there"
        elif "same_classes" in needs and not facts.same_classes:
            excluded[name] = "source and target have different classes"
        else:
            is_in, why = rule(facts)
            trained = [each for each in included if each not in UNTRAINED and not is_beside(each)]
            if is_in and name not in UNTRAINED and not is_beside(name) and len(trained) == most:
                is_in, why = (
                    False,
                    f"{most} are enough"
                    + (f" where a training takes {facts.steps} steps" if is_expensive else ""),
                )
            (included if is_in else excluded)[name] = why
    return Portfolio(tuple(_strategy(name) for name in included), included, excluded)


def _rules(facts: Facts) -> Mapping[str, _Rule]:
    """In the order of preference."""
    if not facts.target_labels:
        return _WITHOUT_LABELS
    if facts.modality not in KEEPING_MODALITIES:
        return _WITH_LABELS
    return dict(sorted(_WITH_LABELS.items(), key=lambda rule: rule[0] not in KEEPING))


def _strategy(name: str) -> Strategy:
    choice: Any = CATALOGUE[name].choice
    chosen: Strategy = choice(name=name)
    return chosen


def _labels(facts: Facts) -> str:
    if not facts.has_classes:
        return f"{facts.items} labels"
    return f"{facts.labels_per_class:.0f} labels per class"


def _linear_probe(facts: Facts) -> tuple[bool, str]:
    if facts.labels_per_class > FEW_LABELS:
        return False, f"{_labels(facts)} are enough to train more than a head"
    return True, f"{_labels(facts)} cannot spoil a frozen backbone"


def _l2_sp(facts: Facts) -> tuple[bool, str]:
    if facts.labels_per_class > FEW_LABELS:
        return False, f"{_labels(facts)} need no pull back to the source's weights"
    return True, f"{_labels(facts)} may lead far from the source's weights"


def _co_tuning(facts: Facts) -> tuple[bool, str]:
    if facts.labels_per_class < LEAST_FOR_RELATION:
        return False, f"{_labels(facts)} do not tell how the source's classes relate to them"
    return True, f"{_labels(facts)} tell how the source's classes relate to them"


def _recalibrate(facts: Facts) -> tuple[bool, str]:
    if facts.labels_per_class > FEW_LABELS:
        return False, f"{_labels(facts)} tell more than a slope and biases"
    return True, f"{_labels(facts)} move the source's scores, and cost no training"


def _multi_task(facts: Facts) -> tuple[bool, str]:
    if facts.labels_per_class > FEW_LABELS:
        return False, f"{_labels(facts)} do not need the source's items beside them"
    return True, f"the source's items hold the backbone where there are {_labels(facts)}"


def _pairs(name: str, why: str) -> _Rule:
    def rule(facts: Facts) -> tuple[bool, str]:
        least = CATALOGUE[name].least_pairs
        if facts.pairs < least:
            return False, f"{facts.pairs} pairs of the source's parts are too few, {least} may pay"
        return True, f"{facts.pairs} pairs of the source's parts: {why}"

    return rule


def _adamatch(facts: Facts) -> tuple[bool, str]:
    if facts.steps >= EXPENSIVE_STEPS:
        return False, "its steps are several times as large as the others'"
    return True, "pseudo-labels bring most where many are right"


def _beside_labels(why: str) -> _Rule:
    def rule(facts: Facts) -> tuple[bool, str]:
        said = f"{facts.unlabelled} items without labels beside {_labels(facts)}"
        if facts.unlabelled < facts.items:
            return False, f"{said} add little"
        if facts.steps >= EXPENSIVE_STEPS:
            return False, "its steps are several times as large as the others'"
        return True, f"{said}: {why}"

    return rule


def _always(why: str) -> _Rule:
    return lambda facts: (True, why)


def _never(why: str) -> _Rule:
    return lambda facts: (False, why)


# In the order of preference.
_WITH_LABELS: dict[str, _Rule] = {
    "lp_ft": _always("the safest: a head first, then all layers, gently"),
    "adamatch": _beside_labels("pseudo-labels, and the same label for every view of an item"),
    "mcc": _beside_labels("the source's labels, and no class taken for another"),
    "modality_distill": _pairs("modality_distill", "one part learns what all parts say"),
    "contrastive": _pairs("contrastive", "parts of one item become alike"),
    "fine_tune": _always("all layers learn"),
    "distill": _always("source and target have the same classes, so the source is a teacher"),
    "linear_probe": _linear_probe,
    "l2_sp": _l2_sp,
    "co_tuning": _co_tuning,
    "multi_task": _multi_task,
    "recalibrate": _recalibrate,
}
_WITHOUT_LABELS: dict[str, _Rule] = {
    "mcc": _always("the safest: one loss, no adversary"),
    "cdan": _always("aligns domains class by class"),
    "shot": _always("adapts to the target alone"),
    "adamatch": _adamatch,
    "dann": _always("aligns domains as a whole, where classes cannot be told"),
    "coral": _never("aligns second moments only; cdan aligns more"),
    "linear_coral": _never("the others learn features that agree, it maps those that there are"),
    "adabn": _never("the others compute BatchNorm's statistics on the target as well"),
}
