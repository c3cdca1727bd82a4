"""The evidence, as GET /v1/jobs/{id}/report answers it. worker/evaluation/report.py computes it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.jobs.spec import Choice

Verdict = Literal["positive_transfer", "no_evidence", "negative_transfer"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Bounds(Part):
    low: float
    high: float


class Interval(Part):
    """A mean over seeds with its t-interval at the report's confidence."""

    mean: float
    low: float | None = Field(description="null with one seed: its spread is unknown")
    high: float | None
    n: int = Field(description="seeds")


class Gain(Interval):
    """Transfer minus scratch in the primary metric, paired by seed."""

    p_value: float = Field(
        description="two-sided, of the paired t-test over seeds; of the bootstrap with one seed"
    )
    p_holm: float = Field(description="the same, corrected for the number of arms (Holm)")
    bootstrap: Bounds = Field(
        description="interval of the gain, averaged over seeds, when test items are drawn anew"
    )


class ClassMetrics(Part):
    """Of one class on the test items, means over seeds."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int = Field(description="test items of this class")


class CalibrationOut(Part):
    """Temperature scaling fitted on validation items, measured on test items; means over seeds."""

    temperature: float = Field(description="the logits are divided by it")
    ece_before: float
    ece_after: float


class Arm(Part):
    metrics: dict[str, Interval] = Field(
        description="on the test items: loss, accuracy, precision_macro, recall_macro, f1_macro, "
        "balanced_accuracy, ece"
    )
    validation: Interval | None = Field(
        description="the primary metric on the validation items, by which the winner was chosen; "
        "null without such items"
    )
    gain: Gain | None = Field(description="over the baseline; null for the baseline itself")
    transfer_ratio: float | None = Field(
        description="mean primary metric over the baseline's; null where that is 0 or absent"
    )
    jumpstart: float | None = Field(
        description="gain in the primary metric on validation after the first epoch on the target; "
        "null where it was not recorded"
    )
    per_class: list[ClassMetrics]
    confusion: list[list[int]] = Field(
        description="rows are true classes, columns predicted ones; test items, summed over seeds"
    )
    calibration: CalibrationOut | None = Field(
        description="null where a trial has too few validation items to fit a temperature"
    )
    seconds: float = Field(description="of training, summed over the arm's trials")


class Report(Part):
    verdict: Verdict = Field(description="about the winner against the baseline")
    reason: str = Field(description="the verdict in a sentence, with its numbers")
    primary_metric: str
    confidence: float
    labels_per_class: int | None
    test_items: int
    classes: list[str]
    baseline: str | None = Field(description="the baseline's arm; null without one")
    winner: str | None = Field(description="the transfer arm that validation chose")
    winner_seed: int | None = Field(description="its trial that is packaged: best on validation")
    arms: dict[str, Arm] = Field(description="the arms that have results, baseline first")
    selection: list[Choice] = Field(description="what `auto` chose, and why")
    warnings: list[str]
    trials_failed: int
    seconds: float = Field(description="of training, summed over all trials, pretraining included")
