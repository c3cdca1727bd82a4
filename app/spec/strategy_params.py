"""Parameters of each strategy that a job may say, with the defaults."""

from typing import Literal

from pydantic import Field

from app.sent import Sent

WIDEST_PRODUCT = 4096  # of features and classes; CDAN projects a wider one


class LinearProbeParams(Sent):
    head_learning_rate: float = Field(0.01, gt=0, description="Adam's rate for the head")
    max_epochs: int = Field(
        300, ge=1, le=100_000, description="the head stops earlier, once it has converged"
    )
    tolerance: float = Field(
        1e-3, gt=0, description="converged: the loss fell by less than this fraction in 5 epochs"
    )
    l2: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="pull of the head's kernel towards 0 while it is trained on features: where "
        "these are more than the items, a head without it learns the items by heart",
    )


class FineTuneParams(Sent):
    backbone_rate: float = Field(
        0.3, gt=0, le=1, description="the backbone's learning rate over the head's"
    )


class LpFtParams(LinearProbeParams):
    finetune_rate: float = Field(
        0.3, gt=0, le=1, description="the second phase's learning rate over the job's"
    )


class RecalibrateParams(Sent):
    slope_spread: float = Field(
        0.5, gt=0, le=100, description="standard deviation of the prior of the slope's logarithm"
    )
    bias_spread: float = Field(
        2.0, gt=0, le=100, description="the same of each class's bias, in logits"
    )


class DomainScalingParams(FineTuneParams):
    by: Literal["moments", "quantiles"] = Field(
        "moments",
        description="what a number of the source is given of the target's: `moments` its mean and "
        "deviation, `quantiles` its whole distribution",
    )


class PseudoFeaturesParams(FineTuneParams):
    pass


class L2SpParams(Sent):
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


class ModalityDistillParams(FineTuneParams):
    backbone_rate: float = Field(
        1.0, gt=0, le=1, description="the backbone's learning rate over the heads'"
    )
    teacher: Literal["fused", "others"] = Field(
        "fused",
        description="what the source's network is asked about each pair: all its parts, or those "
        "alone that the target lacks",
    )
    weight: float = Field(
        1.0, ge=0, description="of the teacher's opinion over the loss of the target's labels"
    )
    temperature: float = Field(
        2.0, gt=0, description="of classes: by which both networks' logits are divided"
    )


class ContrastiveParams(FineTuneParams):
    backbone_rate: float = Field(
        1.0, gt=0, le=1, description="the backbone's learning rate over the head's, afterwards"
    )
    pretraining: float = Field(
        1.0,
        gt=0,
        le=100,
        description="epochs of the pretraining on pairs, over those of the fine-tuning after it",
    )
    projection: int = Field(128, ge=1, le=65_536, description="width that features are compared at")
    temperature: float = Field(
        0.07, gt=0, description="by which similarities are divided at first; it is learnt"
    )

    def pretraining_epochs(self, epochs: int) -> int:
        """Epochs of the pretraining before so many of fine-tuning, each of the target's length."""
        return max(1, round(self.pretraining * epochs))


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


class AdaptParams(Sent):
    """Parameters of the strategies that learn without target labels: their own optimizer, not the
    job's."""

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


class AdaBnParams(Sent):
    pass


class CoralParams(AdaptParams):
    weight: float = Field(1.0, ge=0, description="of the distance over the source's cross-entropy")


class LinearCoralParams(Sent):
    ridge: float = Field(
        1.0,
        gt=0,
        le=1000,
        description="added to the diagonal of both covariances, of features at deviation 1",
    )


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
        description="of the random projection where features x classes are more than "
        f"{WIDEST_PRODUCT}",
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


class AdaMatchParams(Sent):
    learning_rate: float = Field(0.001, gt=0, le=10, description="Adam's; falls by a cosine")
    threshold: float = Field(
        0.9, gt=0, le=1, description="of a pseudo-label's confidence over the source's mean"
    )
    ratio: int = Field(
        3,
        ge=1,
        le=16,
        description="target items over source items in a step; beside labelled target items, "
        "batches of items without labels in a step",
    )
    ema_momentum: float = Field(
        0.999, gt=0, lt=1, description="of the moving averages of the weights, which are tested"
    )
