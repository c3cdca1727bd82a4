"""The catalogue of ways to transfer. worker/strategies holds the code under the same names."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LinearProbeParams(Params):
    head_learning_rate: float = Field(0.01, gt=0, description="Adam's rate for the head")
    max_epochs: int = Field(
        300, ge=1, le=100_000, description="the head stops earlier, once it has converged"
    )
    tolerance: float = Field(
        1e-3, gt=0, description="converged: the loss fell by less than this fraction in 5 epochs"
    )


class FineTuneParams(Params):
    backbone_rate: float = Field(
        0.1, gt=0, le=1, description="the backbone's learning rate over the head's"
    )


class LpFtParams(LinearProbeParams):
    finetune_rate: float = Field(
        0.1, gt=0, le=1, description="the second phase's learning rate over the job's"
    )


class L2SpParams(Params):
    alpha: float = Field(
        0.01, ge=0, description="pull of the backbone towards the source's weights"
    )
    beta: float = Field(0.01, ge=0, description="pull of the new head towards 0")


class CoTuningParams(FineTuneParams):
    weight: float = Field(
        2.3, ge=0, description="of the loss of the source's head over that of the target's"
    )


class DistillParams(FineTuneParams):
    alpha: float = Field(
        0.5, ge=0, le=1, description="weight of the labels; the teacher has the rest"
    )
    temperature: float = Field(3.0, gt=0, description="by which both networks' logits are divided")


class MultiTaskParams(FineTuneParams):
    backbone_rate: float = Field(
        1.0, gt=0, le=1, description="the backbone's learning rate over the heads'"
    )
    weighting: Literal["equal", "uncertainty", "famo", "pcgrad"] = Field(
        "equal",
        description="`uncertainty` learns how much each task counts (Kendall et al., CVPR 2018), "
        "`famo` lets all losses fall at one rate (Liu et al., NeurIPS 2023), `pcgrad` projects "
        "conflicting gradients (Yu et al., NeurIPS 2020)",
    )


class AdaptParams(Params):
    """Of the strategies that learn without target labels: their own optimizer, not the job's."""

    learning_rate: float = Field(
        0.01,
        gt=0,
        le=10,
        description="of what is new; falls by (1 + 10q)^-0.75 over the phase (SGD with Nesterov "
        "momentum 0.9)",
    )
    backbone_rate: float = Field(
        1.0, gt=0, le=1, description="the backbone's learning rate over that of what is new"
    )
    weight_decay: float = Field(1e-3, ge=0, le=1, description="decoupled")


class AdaBnParams(Params):
    pass


class CoralParams(AdaptParams):
    weight: float = Field(1.0, ge=0, description="of the distance over the source's cross-entropy")


class DannParams(AdaptParams):
    trade_off: float = Field(0.5, ge=0, description="of the discriminator's loss")
    hidden: int = Field(1024, ge=1, le=65_536, description="width of the discriminator's layers")


class CdanParams(DannParams):
    trade_off: float = Field(1.0, ge=0, description="of the discriminator's loss")
    entropy: bool = Field(
        True, description="CDAN+E: items of which the classifier is sure count for more"
    )
    random_width: int = Field(
        1024,
        ge=1,
        le=65_536,
        description="of the random projection where features x classes are more than 4096",
    )


class MccParams(AdaptParams):
    temperature: float = Field(2.5, gt=0, description="by which the target's logits are divided")
    weight: float = Field(1.0, ge=0, description="of the confusion over the cross-entropy")


class ShotParams(AdaptParams):
    beta: float = Field(
        0.1,
        ge=0,
        description="of the pseudo-labels' loss, growing over the phase; 0.1 for digits, 0.3 for "
        "photos",
    )


class AdaMatchParams(Params):
    learning_rate: float = Field(0.001, gt=0, le=10, description="Adam's; falls by a cosine")
    threshold: float = Field(
        0.9, gt=0, le=1, description="of a pseudo-label's confidence over the source's mean"
    )
    ratio: int = Field(3, ge=1, le=16, description="target items over source items in a step")
    ema_momentum: float = Field(
        0.999, gt=0, lt=1, description="of the moving averages of the weights, which are tested"
    )


class Chosen(Params):
    def epochs(self, training_epochs: int) -> int:
        """Of all its phases, at most; `training_epochs` are the job's."""
        return training_epochs


class LinearProbe(Chosen):
    name: Literal["linear_probe"]
    params: LinearProbeParams = LinearProbeParams()

    def epochs(self, training_epochs: int) -> int:
        return self.params.max_epochs


class FineTune(Chosen):
    name: Literal["fine_tune"]
    params: FineTuneParams = FineTuneParams()


class LpFt(Chosen):
    name: Literal["lp_ft"]
    params: LpFtParams = LpFtParams()

    def epochs(self, training_epochs: int) -> int:
        return self.params.max_epochs + training_epochs


class L2Sp(Chosen):
    name: Literal["l2_sp"]
    params: L2SpParams = L2SpParams()


class CoTuning(Chosen):
    name: Literal["co_tuning"]
    params: CoTuningParams = CoTuningParams()


class Distill(Chosen):
    name: Literal["distill"]
    params: DistillParams = DistillParams()


class MultiTask(Chosen):
    name: Literal["multi_task"]
    params: MultiTaskParams = MultiTaskParams()


class AdaBn(Chosen):
    name: Literal["adabn"]
    params: AdaBnParams = AdaBnParams()

    def epochs(self, training_epochs: int) -> int:
        return 1


class Coral(Chosen):
    name: Literal["coral"]
    params: CoralParams = CoralParams()


class Dann(Chosen):
    name: Literal["dann"]
    params: DannParams = DannParams()


class Cdan(Chosen):
    name: Literal["cdan"]
    params: CdanParams = CdanParams()


class Mcc(Chosen):
    name: Literal["mcc"]
    params: MccParams = MccParams()


class Shot(Chosen):
    name: Literal["shot"]
    params: ShotParams = ShotParams()


class AdaMatch(Chosen):
    name: Literal["adamatch"]
    params: AdaMatchParams = AdaMatchParams()


class Auto(Params):
    """Chosen when the job is accepted; the job's `selection` says what and why."""

    name: Literal["auto"]


def _from_name(choice: Any) -> Any:
    return {"name": choice} if isinstance(choice, str) else choice


Strategy = (
    LinearProbe
    | FineTune
    | LpFt
    | L2Sp
    | CoTuning
    | Distill
    | MultiTask
    | AdaBn
    | Coral
    | Dann
    | Cdan
    | Mcc
    | Shot
    | AdaMatch
)
StrategyChoice = Annotated[
    Annotated[Strategy | Auto, Field(discriminator="name")],
    BeforeValidator(_from_name, json_schema_input_type=str | Strategy | Auto),
]


class AutoArm(Chosen):
    """What `auto` becomes once the job is accepted: it chooses among these by the target's
    validation items, before its trials run."""

    name: Literal["auto"]
    portfolio: tuple[Annotated[Strategy, Field(discriminator="name")], ...] = Field(min_length=1)

    def epochs(self, training_epochs: int) -> int:
        return max(strategy.epochs(training_epochs) for strategy in self.portfolio)


# `source_data`: its items as well as the network trained on them; `same_classes`: in both domains;
# `unlabelled_target`: target.use_labels is false; `batch_norm`: in the backbone.
Need = Literal[
    "source", "target_labels", "source_data", "same_classes", "unlabelled_target", "batch_norm"
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
        assert issubclass(params, Params)
        return params.model_json_schema()


_ADAPTS: tuple[Need, ...] = ("source", "unlabelled_target", "same_classes")

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
        ("source", "target_labels"),
        "You et al., NeurIPS 2020",
    ),
    StrategyEntry(
        Distill,
        "Learns from the labels and from the source model's softened opinion of every target item.",
        ("source", "target_labels", "same_classes"),
        "Hinton et al., 2015, arXiv:1503.02531",
    ),
    StrategyEntry(
        MultiTask,
        "Target and source are learnt together: one backbone, a head for each.",
        ("source", "target_labels", "source_data"),
        "Kendall et al., CVPR 2018, arXiv:1705.07115",
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
BASELINE = "scratch"
# Without target labels: what there is before adapting, and what labels would have brought.
SOURCE_ONLY, SUPERVISED = "source_only", "target_supervised"
