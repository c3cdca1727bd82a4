"""Settings of training that a job may say."""

from math import ceil
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.sent import Sent
from app.spec.flaws import Imbalance

Auto = Literal["auto"]

# A network from random weights is still far from its best before, and then any transfer looks good;
# and so is a pretrained one, and then any transfer looks bad (docs/decisions/a-fair-baseline.md).
MIN_STEPS = 500


class StoredPart(BaseModel):
    """Base of what the service itself writes down."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EarlyStopping(Sent):
    """Training ends when the validation loss has stopped falling; the best epoch's weights stay.

    Without validation items, or with fewer than `min_items`, it runs all its epochs.
    """

    patience: int = Field(5, ge=1, le=10_000, description="epochs without a new best")
    min_delta: float = Field(
        0.0, ge=0, description="a new best is lower than the last by more than this, in nats"
    )
    min_items: int = Field(
        1,
        ge=1,
        le=1_000_000,
        description="labelled validation items without which the best epoch is a matter of luck: a "
        "training with fewer runs all its epochs",
    )


class Augmentation(Sent):
    """Each step changes its items anew and at random, so that they show the same as before.

    It concerns every arm, the baseline and the pretraining; not what is computed from a frozen
    backbone's features, and not strategies that change the images themselves (`adamatch`) or only
    look at them (`adabn`).
    """

    strength: Literal["weak", "strong"] = Field(
        "weak",
        description="images: `weak`: moved by up to an eighth of each side; `strong`: moved, "
        "turned, zoomed, sheared, in another light, and with a square wiped out. Rows of a table: "
        "a tenth (`weak`) or three tenths (`strong`) of a row's columns, by chance, take another "
        "row's values (SCARF, Bahri et al., ICLR 2022). Texts: a twentieth (`weak`) of the words, "
        "or about a seventh and up to a quarter in a row (`strong`), are left out (EDA, Wei & Zou, "
        "EMNLP 2019); on a frozen encoder a tenth or three tenths of its features",
    )
    mirror: bool = Field(
        False,
        description="left to right, half of the images, by chance; not for digits, letters and "
        "tables",
    )

    @property
    def words(self) -> str:
        return f"{self.strength}, mirrored" if self.mirror else self.strength


class Training(Sent):
    epochs: int = Field(10, ge=1, le=100_000)
    min_steps: int = Field(
        MIN_STEPS,
        ge=0,
        le=1_000_000,
        description="optimizer steps of the whole network that every arm which learns from target "
        "labels gets at least, scratch included: where `epochs` come to fewer, all are trained for "
        "more epochs; 0: `epochs` and no more",
    )
    pretrain_epochs: int | None = Field(
        None, ge=1, le=100_000, description="epochs on the source; null: as `epochs`"
    )
    pretrain_min_steps: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="optimizer steps that a training on the source gets at least, where its epochs "
        "come to fewer",
    )
    batch_size: int = Field(64, ge=1, le=65_536)
    optimizer: Literal["adam", "adamw", "sgd"] = Field(
        "adam", description="`sgd` is with Nesterov momentum 0.9"
    )
    learning_rate: float = Field(0.001, gt=0, le=10)
    schedule: Literal["constant", "cosine", "dann"] = Field(
        "constant",
        description="of the learning rate over a phase, q from 0 to 1: `cosine` falls to 0 by "
        "(1 + cos πq)/2 (Loshchilov & Hutter, ICLR 2017), `dann` is (1 + 10q)^-0.75 (Ganin et al., "
        "JMLR 2016)",
    )
    warmup_epochs: int = Field(
        0, ge=0, le=100_000, description="the learning rate rises linearly over so many epochs"
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="decoupled, as in AdamW")
    gradient_clip_norm: float | None = Field(
        None, gt=0, description="gradients whose common norm is larger are scaled down to it"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    ema_momentum: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="an exponential moving average of the weights is validated, tested and "
        "packaged instead of the last ones",
    )
    early_stopping: EarlyStopping | None = None
    augmentation: Augmentation | None = Field(
        None,
        description="`auto`: none, weak or strong, and for pictures mirrored or not, as held-out "
        "training items choose, arm by arm, scratch included; the pretraining goes without, and so "
        "does a job without target labels. null: none",
    )
    hidden_columns: float = Field(
        0.0,
        ge=0,
        le=1,
        description="rows of a table: each row's columns go missing anew in each step, each with a "
        "chance that is itself drawn for the row from 0 to this, so that a network learns what to "
        "say without any of them; where a job leaves it open, those alone that lack values in one "
        "of its tables",
    )
    hidden_parts: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="items of several parts: each that is there goes missing in each step with "
        "this chance, but never the last one, so that a network learns what to say without any",
    )
    parts_alone: float = Field(
        0.0,
        ge=0,
        le=100,
        description="items of several parts: weight of a second loss, of what the network says of "
        "each part alone, over that of all parts, so that no part leans on the others",
    )
    precision: Literal["auto", "float32", "mixed_bfloat16"] = Field(
        "auto", description="`auto`: mixed on a GPU that computes in bfloat16, else float32"
    )
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="cut from the training data, stratified; never from the test's"
    )

    def steps_per_epoch(self, items: int) -> int:
        return ceil(items / self.batch_size)

    def on(self, items: int) -> Self:
        """Returns these settings for arms that learn from `items` labelled training items: with
        as many epochs as `min_steps` take."""
        epochs = max(self.epochs, self._epochs_of(self.min_steps, items))
        return self.model_copy(update={"epochs": epochs})

    def pretraining_on(self, items: int) -> Self:
        """Returns these settings for a training on so many items of the source."""
        epochs = self.pretrain_epochs or self.epochs
        least = self._epochs_of(self.pretrain_min_steps, items)
        return self.model_copy(update={"epochs": max(epochs, least)})

    def _epochs_of(self, steps: int, items: int) -> int:
        return ceil(steps / max(1, self.steps_per_epoch(items)))


class TrainingChoice(Training):
    """Settings as a job may send them: what is `auto` is searched for, arm by arm, before the
    trials."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] | Auto = 10  # type: ignore[assignment]  # wider
    learning_rate: Annotated[float, Field(gt=0, le=10)] | Auto = 0.001  # type: ignore[assignment]
    weight_decay: Annotated[float, Field(ge=0, le=1)] | Auto = 0.0  # type: ignore[assignment]
    augmentation: Augmentation | Auto | None = Field(  # type: ignore[assignment]
        "auto", description=Training.model_fields["augmentation"].description
    )


class Space(StoredPart):
    """Settings that are searched for."""

    learning_rate: bool = False
    weight_decay: bool = False
    epochs: bool = False
    augmentation: bool = False
    imbalance: tuple[Imbalance, ...] = ()  # that are compared, the preferred first

    @property
    def is_empty(self) -> bool:
        return not (self.augmentation or self.has_settings)

    @property
    def has_settings(self) -> bool:
        """Tells whether anything but augmentation, which is nothing to some strategies, is open."""
        settings = self.learning_rate, self.weight_decay, self.epochs, self.imbalance
        return any(map(bool, settings))


def held_out(items: int, fraction: float) -> int:
    """Counts the items for validation of the `items` of a class, or of a part of a quantity's
    range: round(fraction * items), at least 1 and never all but the last; none of fewer than 3."""
    return min(max(1, round(fraction * items)), items - 1) if items >= 3 else 0
