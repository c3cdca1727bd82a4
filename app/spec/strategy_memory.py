"""Memory that each way of training holds besides a network, its gradients and one batch. Pure."""

from dataclasses import dataclass, replace
from typing import assert_never

from app.spec.strategies import (
    AdaBn,
    AdaMatch,
    Cdan,
    Contrastive,
    Coral,
    CoTuning,
    Dann,
    Distill,
    DomainScaling,
    FineTune,
    L2Sp,
    LinearCoral,
    LinearProbe,
    LpFt,
    Mcc,
    ModalityDistill,
    MultiTask,
    PseudoFeatures,
    Recalibrate,
    Shot,
    Strategy,
)
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.strategy_params import WIDEST_PRODUCT


@dataclass(frozen=True)
class Widths:
    """Widths of what a strategy's own layers are attached to."""

    features: int
    classes: int
    source_classes: int


@dataclass(frozen=True)
class Load:
    passes: float = 1.0  # batches that are on their way forth and back in a step
    looks: float = 0.0  # batches that only go forth
    networks: float = 0.0  # besides the trained one, that stay as they are
    frozen: bool = False  # the network up to its features
    new: int = 0  # parameters trained besides the network's
    fixed: int = 0  # parameters besides the network's that stay as they are
    gradients: int = 1  # sets of them
    slots: int | None = None  # of the optimizer for each parameter, where it is not the job's
    averaged: bool = False  # whatever the job says
    source_data: bool = False
    unlabelled: bool = False  # target items without labels, beside labelled ones
    passes_beside: float | None = None  # with these; None: theirs more than without
    features: bool = False  # those of all items, at once


def load_of(strategy: Strategy, widths: Widths, beside_labels: bool = False) -> Load:
    """`beside_labels`: whether target items without labels stand beside labelled ones."""
    load, entry = _alone(strategy, widths), CATALOGUE[strategy.name]
    load = replace(load, source_data="source_data" in entry.needs)
    if not beside_labels or not entry.takes_unlabelled:
        return load
    passes = load.passes_beside or load.passes + strategy.unlabelled_batches
    return replace(load, passes=passes, unlabelled=True)


def _alone(strategy: Strategy, widths: Widths) -> Load:  # noqa: PLR0912  a case per strategy
    source_head = (widths.features + 1) * widths.source_classes
    load = Load()
    match strategy:
        case LinearProbe():
            load = Load(passes=0, frozen=True, features=True)
        case LpFt():
            load = Load(features=True)
        case L2Sp():
            load = Load(networks=1, gradients=2)
        case CoTuning():
            relation = widths.classes * widths.source_classes
            load = Load(new=source_head, fixed=relation, features=True)
        case Distill():
            load = Load(networks=1, looks=1)
        case MultiTask(params=params):
            gradients = 3 if params.weighting == "pcgrad" else 1
            load = Load(2, looks=2, new=source_head, gradients=gradients)
        case ModalityDistill():
            load = Load(2, networks=1, looks=1, new=source_head, fixed=source_head)
        case Contrastive(params=params):
            load = Load(2, looks=1, new=2 * widths.features * params.projection + 1)
        case Recalibrate():
            load = Load(passes=0, slots=0, features=True)
        case AdaBn():
            load = Load(passes=0, looks=1, slots=0)
        case Coral():
            load = Load(2, fixed=4 * widths.features**2, slots=1)  # covariances
        case LinearCoral():
            # Both covariances, their powers and the map, in float64.
            load = Load(passes=0, looks=1, fixed=12 * widths.features**2, slots=0, features=True)
        case Mcc():
            load = Load(2, slots=1)
        case Dann(params=params):
            load = Load(2, new=_discriminator(widths.features, params.hidden), slots=1)
        case Cdan(params=params):
            joint, fixed = widths.features * widths.classes, 0
            if joint > WIDEST_PRODUCT:
                joint = params.random_width
                fixed = (widths.features + widths.classes) * joint
            load = Load(2, new=_discriminator(joint, params.hidden), fixed=fixed, slots=1)
        case Shot():
            load = Load(slots=1, features=True)
        case AdaMatch(params=params):
            # Weak and strong images of both domains; labelled ones twice (its header says why).
            beside = 8 + 2 * params.ratio
            load = Load(2 + 4 / params.ratio, slots=2, averaged=True, passes_beside=beside)
        case FineTune() | DomainScaling() | PseudoFeatures():
            pass
        case _ as unknown:
            assert_never(unknown)
    return load


def _discriminator(width: int, hidden: int) -> int:
    """Parameters of worker/strategies/discriminator.py."""
    return (width + 1) * hidden + 4 * hidden + (hidden + 1) * hidden + 4 * hidden + hidden + 1
