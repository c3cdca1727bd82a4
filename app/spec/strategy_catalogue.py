"""What is told of each way to transfer: what it does, what it needs, where it comes from."""

from dataclasses import dataclass
from typing import Any, Literal

from app.sent import Sent
from app.spec.strategies import (
    AdaBn,
    AdaMatch,
    Cdan,
    Coral,
    CoTuning,
    Dann,
    Distill,
    FineTune,
    L2Sp,
    LinearProbe,
    LpFt,
    Mcc,
    MultiTask,
    Recalibrate,
    Shot,
    Strategy,
)

# `source_data`: its items as well as the network trained on them; `same_classes`: in both domains;
# `unlabelled_target`: target.use_labels is false; `batch_norm`: in the backbone; `classification`:
# the task has classes.
Need = Literal[
    "source",
    "target_labels",
    "source_data",
    "classification",
    "same_classes",
    "unlabelled_target",
    "batch_norm",
]


@dataclass(frozen=True)
class StrategyEntry:
    """What GET /v1/strategies says of one."""

    choice: type[Strategy]
    summary: str
    needs: tuple[Need, ...]
    paper: str | None = None

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

_ENTRIES = (
    StrategyEntry(
        LinearProbe,
        "The source's backbone stays frozen; a new head is trained on its features.",
        ("source", "target_labels"),
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
        ("source", "classification", "target_labels"),
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
        Recalibrate,
        "The source's network as it is, with a slope and a bias per class that few labels tell.",
        ("source", "classification", "target_labels", "same_classes"),
        "Alexandari et al., ICML 2020, arXiv:1901.06852",
    ),
    StrategyEntry(
        AdaBn,
        "Nothing is trained: BatchNorm's statistics are computed anew on the target.",
        (*_ADAPTS, "batch_norm"),
        "Li et al., ICLR Workshop 2017, arXiv:1603.04779",
    ),
    StrategyEntry(
        Coral,
        "The covariances of the features become alike in both domains.",
        (*_ADAPTS, "source_data"),
        "Sun & Saenko, ECCV Workshops 2016, arXiv:1607.01719",
    ),
    StrategyEntry(
        Dann,
        "A discriminator tells the domains apart; the features learn to leave it guessing.",
        (*_ADAPTS, "source_data"),
        "Ganin et al., JMLR 2016, arXiv:1505.07818",
    ),
    StrategyEntry(
        Cdan,
        "As dann, and the discriminator sees the predicted classes with the features.",
        (*_ADAPTS, "source_data"),
        "Long et al., NeurIPS 2018, arXiv:1705.10667",
    ),
    StrategyEntry(
        Mcc,
        "On the target the classifier learns not to take one class for another.",
        (*_ADAPTS, "source_data"),
        "Jin et al., ECCV 2020, arXiv:1912.03699",
    ),
    StrategyEntry(
        Shot,
        "Source-free: features become sure and diverse under the source's frozen head, with "
        "pseudo-labels.",
        _ADAPTS,
        "Liang et al., ICML 2020, arXiv:2002.08546",
    ),
    StrategyEntry(
        AdaMatch,
        "Pseudo-labels aligned to the source's classes, on weakly and strongly changed images.",
        (*_ADAPTS, "source_data"),
        "Berthelot et al., ICLR 2022, arXiv:2106.04732",
    ),
)
CATALOGUE: dict[str, StrategyEntry] = {entry.name: entry for entry in _ENTRIES}
