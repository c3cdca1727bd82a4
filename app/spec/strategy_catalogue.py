"""The catalogue of ways to transfer: what each does, what it needs, where it comes from."""

from dataclasses import dataclass
from typing import Any, Literal

from app.sent import Sent
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
from app.spec.target import Target

Need = Literal[
    "source",
    "target_labels",
    "source_data",
    "classification",
    "same_classes",
    "unlabelled_target",
    "unlabelled_items",
    "batch_norm",
    "source_head",
    "pairs",
    "shared_numbers",
    "lacking_columns",
]


NEEDS: dict[Need, str] = {
    "source": "a source to start from",
    "target_labels": "`target.use_labels` true: it learns from them",
    "source_data": "the source's items as well as the network trained on them",
    "classification": "a task with classes",
    "same_classes": "the same classes in both domains",
    "unlabelled_target": "`target.use_labels` false",
    "unlabelled_items": "`target.use_unlabelled` true",
    "batch_norm": "BatchNorm in the backbone, as `model.bottleneck` brings it",
    "source_head": "a source that tells classes, as an imported network without a head does not",
    "pairs": "a source whose items show the target's part beside others",
    "shared_numbers": "tables as source and target, which share a number",
    "lacking_columns": "tables as source and target, where the target has a column that a source "
    "lacks",
}


@dataclass(frozen=True)
class StrategyEntry:
    """Entry of a strategy in GET /v1/strategies."""

    choice: type[Strategy]
    summary: str
    needs: tuple[Need, ...]
    paper: str | None = None
    # What it needs where target items without labels stand beside labelled ones
    # (target.use_unlabelled); None: it has no use for them and learns from the labelled ones alone.
    beside_labels: tuple[Need, ...] | None = None
    # What it needs besides where target.use_labels is false
    without_labels: tuple[Need, ...] = ()
    # Of a strategy that learns from pairs, how many it takes until it may pay
    least_pairs: int = 0
    # Whether a phase of it trains on items that training.augmentation changes
    augments: bool = True
    width: str | None = None  # the parameter that makes layers of its own wide
    # Whether it moves so little of the source's network that the report holds it against that
    keeps_source: bool = False

    @property
    def takes_unlabelled(self) -> bool:
        return self.beside_labels is not None

    def needs_in(self, target: Target) -> tuple[Need, ...]:
        """Needs of the strategy in a job with such a target."""
        if not target.use_labels:
            return (*self.needs, *self.without_labels)
        return self.beside_labels or self.needs if target.takes_unlabelled else self.needs

    @property
    def name(self) -> str:
        return str(self.choice.model_fields["name"].annotation.__args__[0])  # type: ignore[union-attr]  # a Literal

    @property
    def params_schema(self) -> dict[str, Any]:
        params = self.choice.model_fields["params"].annotation
        assert isinstance(params, type)
        assert issubclass(params, Sent)
        return params.model_json_schema()


_ADAPTS: tuple[Need, ...] = ("source", "classification", "unlabelled_target", "same_classes")
_BESIDE: tuple[Need, ...] = ("source", "classification", "unlabelled_items", "same_classes")

_AS_IT_IS: tuple[Need, ...] = ("classification", "same_classes")

_ENTRIES = (
    StrategyEntry(
        LinearProbe,
        "The source's backbone stays frozen; a new head is trained on its features.",
        ("source", "target_labels"),
        augments=False,
    ),
    StrategyEntry(
        FineTune,
        "All layers start from the source's weights with a new head; the backbone learns slower.",
        ("source", "target_labels"),
        "Yosinski et al., NeurIPS 2014, arXiv:1411.1792",
    ),
    StrategyEntry(
        LpFt,
        "A linear probe first, then all layers at a smaller rate: the new head does not distort "
        "the source's features.",
        ("source", "target_labels"),
        "Kumar et al., ICLR 2022, arXiv:2202.10054",
    ),
    StrategyEntry(
        L2Sp,
        "All layers, pulled back to the source's weights, so that few labels do not lead far away.",
        ("source", "target_labels"),
        "Li et al., ICML 2018, arXiv:1802.01483",
    ),
    StrategyEntry(
        CoTuning,
        "The source's head is trained on too, towards what the source says of each target class.",
        ("source", "classification", "target_labels", "source_head"),
        "You et al., NeurIPS 2020",
    ),
    StrategyEntry(
        Distill,
        "Learns from the labels and from the source model's softened opinion of every target item.",
        ("source", "classification", "target_labels", "same_classes"),
        "Hinton et al., 2015, arXiv:1503.02531",
    ),
    StrategyEntry(
        MultiTask,
        "Target and source are learnt together: one backbone, a head for each.",
        ("source", "target_labels", "source_data"),
        "Kendall et al., CVPR 2018, arXiv:1705.07115",
    ),
    StrategyEntry(
        ModalityDistill,
        "On the source's items of several parts, the target's part alone learns to say what the "
        "source's network says of all parts, or of the others.",
        ("source", "target_labels", "source_data", "pairs"),
        "Gupta et al., CVPR 2016, arXiv:1507.00448",
        least_pairs=200,
    ),
    StrategyEntry(
        Contrastive,
        "First the target's part and the other parts of one item become alike in their features, "
        "and those of different items unlike (InfoNCE); then all layers learn the target's labels.",
        ("source", "target_labels", "source_data", "pairs"),
        "van den Oord et al., 2018, arXiv:1807.03748; Radford et al., ICML 2021, arXiv:2103.00020",
        width="projection",
        least_pairs=2000,
    ),
    StrategyEntry(
        Recalibrate,
        "The source's network as it is, with a slope and a bias per class that few labels tell.",
        ("source", "classification", "target_labels", "same_classes"),
        "Alexandari et al., ICML 2020, arXiv:1901.06852",
        augments=False,
        keeps_source=True,
    ),
    StrategyEntry(
        AdaBn,
        "Nothing is trained: BatchNorm's statistics are computed anew on the target.",
        (*_ADAPTS, "batch_norm"),
        "Li et al., ICLR Workshop 2017, arXiv:1603.04779",
        augments=False,
        beside_labels=(*_BESIDE, "batch_norm"),
    ),
    StrategyEntry(
        Coral,
        "The covariances of the features become alike in both domains.",
        (*_ADAPTS, "source_data"),
        "Sun & Saenko, ECCV Workshops 2016, arXiv:1607.01719",
        beside_labels=(*_BESIDE, "source_data"),
    ),
    StrategyEntry(
        LinearCoral,
        "Nothing is trained: the target's features are given the source's mean and covariance, in "
        "front of the source's head.",
        (*_ADAPTS, "source_data"),
        "Sun, Feng & Saenko, AAAI 2016, arXiv:1511.05547",
        beside_labels=(*_BESIDE, "source_data"),
    ),
    StrategyEntry(
        Dann,
        "A discriminator tells the domains apart; the features learn to leave it guessing.",
        (*_ADAPTS, "source_data"),
        "Ganin et al., JMLR 2016, arXiv:1505.07818",
        width="hidden",
        beside_labels=(*_BESIDE, "source_data"),
    ),
    StrategyEntry(
        Cdan,
        "As dann, and the discriminator sees the predicted classes with the features.",
        (*_ADAPTS, "source_data"),
        "Long et al., NeurIPS 2018, arXiv:1705.10667",
        width="hidden",
        beside_labels=(*_BESIDE, "source_data"),
    ),
    StrategyEntry(
        Mcc,
        "On the target the classifier learns not to take one class for another.",
        (*_ADAPTS, "source_data"),
        "Jin et al., ECCV 2020, arXiv:1912.03699",
        beside_labels=(*_BESIDE, "source_data"),
    ),
    StrategyEntry(
        Shot,
        "Source-free: features become sure and diverse under the source's frozen head, with "
        "pseudo-labels.",
        _ADAPTS,
        "Liang et al., ICML 2020, arXiv:2002.08546",
        beside_labels=_BESIDE,
    ),
    StrategyEntry(
        AdaMatch,
        "Pseudo-labels aligned to the source's classes, on weakly and strongly changed items.",
        (*_ADAPTS, "source_data"),
        "Berthelot et al., ICLR 2022, arXiv:2106.04732",
        augments=False,
        beside_labels=("source", "classification", "target_labels", "unlabelled_items"),
    ),
    StrategyEntry(
        DomainScaling,
        "Of tables: the source's network is trained on numbers that are brought to the target's "
        "scale, each by its own domain's rows; then as it is, or fine-tuned where there are "
        "labels.",
        ("source", "shared_numbers"),
        without_labels=_AS_IT_IS,
    ),
    StrategyEntry(
        PseudoFeatures,
        "Of tables: columns that a source lacks are predicted in its rows by what the target's "
        "rows tell; the network trained on them is then taken as it is, or fine-tuned where there "
        "are labels.",
        ("source", "lacking_columns"),
        "Levin et al., ICLR 2023, arXiv:2206.15306",
        without_labels=_AS_IT_IS,
    ),
)
CATALOGUE: dict[str, StrategyEntry] = {entry.name: entry for entry in _ENTRIES}


def batches_of_step(strategy: Strategy, beside_labels: bool) -> int:
    """Counts how many batches a step sends through the network: one, one more of the source's
    items, and those of target items without labels that stand beside labelled ones."""
    entry = CATALOGUE[strategy.name]
    beside = beside_labels and entry.takes_unlabelled
    return 1 + ("source_data" in entry.needs) + (strategy.unlabelled_batches if beside else 0)
