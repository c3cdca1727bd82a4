"""Plain figures of a report, without intervals: calibration, cost, what answers that look at no
item would score, the labels that a baseline needs, and what is missing."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ReportPart(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Bin(ReportPart):
    """Test items whose confidence falls between `low` (not included) and `high`; all seeds'."""

    low: float
    high: float
    items: int
    confidence: float | None = Field(description="mean; null without items")
    accuracy: float | None


class CalibrationOut(ReportPart):
    """Temperature scaling fitted on validation items, measured on test items; means over seeds."""

    temperature: float = Field(description="the logits are divided by it")
    ece_before: float
    ece_after: float
    bins_before: list[Bin] = Field(description="15 of equal width")
    bins_after: list[Bin]


class Residuals(ReportPart):
    """Predicted minus true, of the test items, in the quantity's unit; an item's prediction is the
    mean over the seeds."""

    bias: float = Field(description="their mean: above 0 where too much is predicted")
    quantiles: dict[str, float] = Field(description="5, 25, 50, 75 and 95 %, by `p05` … `p95`")
    points: list[tuple[float, float]] = Field(
        description="true and predicted, of up to 500 items, evenly from the lowest to the highest"
    )


class Cost(ReportPart):
    """Seconds of training, summed over the arm's trials at the job's label budget; and how long a
    trial was trained."""

    trials: float
    search: float = Field(0.0, description="of what its trials are trained with")
    pretraining: float = Field(
        description="of the pretrainings that the arm starts from, each whole, though arms share "
        "them; 0 where another job had paid for it"
    )
    epochs: float | None = Field(description="mean number of epochs per trial; all phases")
    steps: float | None = Field(
        None,
        description="mean number of optimizer steps of the whole network per trial; null where it "
        "is not known",
    )
    head_steps: float | None = Field(
        None, description="mean number of optimizer steps of a head on a frozen backbone's features"
    )


class Conditions(ReportPart):
    """Device, precision and loops that a trial was computed by."""

    device: str
    precision: Literal["float32", "mixed_bfloat16"]
    loops: list[Literal["xla", "plain"]] = Field(description="one per phase")
    notes: list[str] = Field(
        default_factory=list, description="what was not as it should be, in sentences"
    )


class Reference(ReportPart):
    """Score of answers that look at no item on the test items."""

    chance: float = Field(
        description="accuracy of guessing among all classes: 1 / classes; with `auc` and "
        "`average_precision` the AUC of an order at random, 1/2; in a regression and with several "
        "labels the primary metric of the best constant answer"
    )
    majority_class: str = Field(
        description="the commonest class of the test items; in a regression and with several "
        "labels the constant answer that suits them best"
    )
    majority: dict[str, float] = Field(
        description="of always answering `majority_class`: accuracy, balanced_accuracy, f1_macro, "
        "and auc and average_precision, where it orders nothing; "
        "in a regression mae, rmse, r2; with several labels f1_micro, f1_macro, map"
    )
    is_unequal: bool = Field(
        description="whether the commonest class has at least 1.5 times the test items of the "
        "rarest that has any: then balanced accuracy stands beside accuracy"
    )
    is_imbalanced: bool = Field(
        False,
        description="whether the commonest class has at least 10 times the test items of the "
        "rarest that has any, or 80 % of them all: then accuracy misleads",
    )
    not_above: list[str] = Field(
        description="arms that are no better than this by more than the noise of so many test "
        "items (one-sided, 95 %): by accuracy where that is the primary metric, by the AUC where "
        "that or average precision is, else by balanced accuracy"
    )
    far_below_bound: list[str] = Field(
        default_factory=list,
        description="arms that have made less than half of the way from chance to "
        "`target_supervised`; empty where there is no such bound",
    )


class LabelsToReach(ReportPart):
    """Read off the mean learning curves, linear in the metric and in log labels between budgets."""

    labels: int = Field(description="that this arm was trained on, all classes together")
    metric: float = Field(description="that it reaches with them")
    scratch_labels: float | None = Field(
        description="that scratch needs for it; null where it lies outside scratch's curve"
    )
    ratio: float | None = Field(description="scratch_labels / labels")
    bound: Literal["at_least", "at_most"] | None = Field(
        description="where scratch's curve ends before (`at_least`: even its largest budget does "
        "not reach it) or starts above it (`at_most`); then `ratio` is that of the curve's end"
    )
    sentence: str = Field(description="`scratch needs 4.2 times the labels of lp_ft`")


class LabelsForGoal(ReportPart):
    """A learning curve continued by a power law."""

    arm: str
    goal: float = Field(description="of the primary metric, which the arm has not reached")
    labels: float | None = Field(
        description="that it would need, all classes together; null: more than 100 times the most "
        "that it was trained on"
    )
    low: float | None = Field(description="of the interval over the seeds; null as `labels`")
    high: float | None
    budgets: int = Field(description="points of the curve that it was fitted to")
    sentence: str


class Missing(ReportPart):
    """Planned trials without results."""

    arm: str
    labels_per_class: int | None
    seeds: list[int]
    code: str = Field(description="why: `budget`, `cancelled`, `diverged`, …")
