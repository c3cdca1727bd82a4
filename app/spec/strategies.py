"""Ways to transfer, as a job names them. worker/strategies holds the code under the same names."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from app.sent import Array, Sent
from app.spec.strategy_params import (
    AdaBnParams,
    AdaMatchParams,
    CdanParams,
    ContrastiveParams,
    CoralParams,
    CoTuningParams,
    DannParams,
    DistillParams,
    DomainScalingParams,
    FineTuneParams,
    L2SpParams,
    LinearCoralParams,
    LinearProbeParams,
    LpFtParams,
    MccParams,
    ModalityDistillParams,
    MultiTaskParams,
    PseudoFeaturesParams,
    RecalibrateParams,
    ShotParams,
)

Searched = dict[str, str | None]
# How rows of source tables are written anew: numbers by the target's mean and deviation, or its
# quantiles; columns of the target alone by what predicts them there.
Rewriting = Literal["moments", "quantiles", "made_up"]


class StrategyBase(Sent):
    def epochs(self, training_epochs: int) -> int:
        """Epochs of all its phases, at most; `training_epochs` are the job's."""
        return training_epochs

    @property
    def rewriting(self) -> Rewriting | None:
        """Change of the rows of source tables for this arm, whose pretraining is then its own."""
        return None

    @property
    def unlabelled_batches(self) -> int:
        """Batches of target items without labels that a step takes beside labelled ones, where the
        strategy takes them at all."""
        return 1

    @property
    def searched(self) -> Searched:
        """Settings that a search may change: the strategy's own parameter for each, None where it
        is the job's. One that has a rate of its own has a decay of its own, or none."""
        own = type(self).model_fields["params"].annotation
        fields = getattr(own, "model_fields", {})
        if "learning_rate" not in fields:
            return {"learning_rate": None, "weight_decay": None, "epochs": None}
        named = {name: name for name in ("learning_rate", "weight_decay") if name in fields}
        return {**named, "epochs": None}


class LinearProbe(StrategyBase):
    name: Literal["linear_probe"]
    params: LinearProbeParams = LinearProbeParams()

    def epochs(self, training_epochs: int) -> int:
        return self.params.max_epochs

    @property
    def searched(self) -> Searched:
        """It runs to convergence, with a rate of its own."""
        return {"learning_rate": "head_learning_rate"}


class FineTune(StrategyBase):
    name: Literal["fine_tune"]
    params: FineTuneParams = FineTuneParams()


class LpFt(StrategyBase):
    name: Literal["lp_ft"]
    params: LpFtParams = LpFtParams()

    def epochs(self, training_epochs: int) -> int:
        return self.params.max_epochs + training_epochs


class DomainScaling(StrategyBase):
    name: Literal["domain_scaling"]
    params: DomainScalingParams = DomainScalingParams()

    @property
    def rewriting(self) -> Rewriting:
        return self.params.by


class PseudoFeatures(StrategyBase):
    name: Literal["pseudo_features"]
    params: PseudoFeaturesParams = PseudoFeaturesParams()

    @property
    def rewriting(self) -> Rewriting:
        return "made_up"


class L2Sp(StrategyBase):
    name: Literal["l2_sp"]
    params: L2SpParams = L2SpParams()

    @property
    def searched(self) -> Searched:
        """Settings to search: its own pull stands for weight decay."""
        return {"learning_rate": None, "epochs": None}


class CoTuning(StrategyBase):
    name: Literal["co_tuning"]
    params: CoTuningParams = CoTuningParams()


class Distill(StrategyBase):
    name: Literal["distill"]
    params: DistillParams = DistillParams()


class MultiTask(StrategyBase):
    name: Literal["multi_task"]
    params: MultiTaskParams = MultiTaskParams()


class ModalityDistill(StrategyBase):
    name: Literal["modality_distill"]
    params: ModalityDistillParams = ModalityDistillParams()


class Contrastive(StrategyBase):
    name: Literal["contrastive"]
    params: ContrastiveParams = ContrastiveParams()

    def epochs(self, training_epochs: int) -> int:
        return self.params.pretraining_epochs(training_epochs) + training_epochs


class Recalibrate(StrategyBase):
    name: Literal["recalibrate"]
    params: RecalibrateParams = RecalibrateParams()

    def epochs(self, training_epochs: int) -> int:
        return 0

    @property
    def searched(self) -> Searched:
        """Nothing is trained by steps."""
        return {}


class AdaBn(StrategyBase):
    name: Literal["adabn"]
    params: AdaBnParams = AdaBnParams()

    def epochs(self, training_epochs: int) -> int:
        return 1

    @property
    def searched(self) -> Searched:
        """Nothing is trained."""
        return {}


class Coral(StrategyBase):
    name: Literal["coral"]
    params: CoralParams = CoralParams()


class LinearCoral(StrategyBase):
    name: Literal["linear_coral"]
    params: LinearCoralParams = LinearCoralParams()

    def epochs(self, training_epochs: int) -> int:
        return 0

    @property
    def searched(self) -> Searched:
        """Nothing is trained."""
        return {}


class Dann(StrategyBase):
    name: Literal["dann"]
    params: DannParams = DannParams()


class Cdan(StrategyBase):
    name: Literal["cdan"]
    params: CdanParams = CdanParams()


class Mcc(StrategyBase):
    name: Literal["mcc"]
    params: MccParams = MccParams()


class Shot(StrategyBase):
    name: Literal["shot"]
    params: ShotParams = ShotParams()


class AdaMatch(StrategyBase):
    name: Literal["adamatch"]
    params: AdaMatchParams = AdaMatchParams()

    @property
    def unlabelled_batches(self) -> int:
        return self.params.ratio


class Auto(Sent):
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
    | ModalityDistill
    | Contrastive
    | Recalibrate
    | AdaBn
    | Coral
    | LinearCoral
    | Dann
    | Cdan
    | Mcc
    | Shot
    | AdaMatch
    | DomainScaling
    | PseudoFeatures
)
StrategyChoice = Annotated[
    Annotated[Strategy | Auto, Field(discriminator="name")],
    BeforeValidator(_from_name, json_schema_input_type=str | Strategy | Auto),
]


class AutoArm(StrategyBase):
    """Arm that `auto` becomes once the job is accepted: it chooses among these by the target's
    validation items, before its trials run."""

    name: Literal["auto"]
    portfolio: Array[Annotated[Strategy, Field(discriminator="name")]] = Field(min_length=1)

    def epochs(self, training_epochs: int) -> int:
        return max(strategy.epochs(training_epochs) for strategy in self.portfolio)


BASELINE = "scratch"
# Without target labels: what there is before adapting, and what labels would have brought.
SOURCE_ONLY, SUPERVISED = "source_only", "target_supervised"
