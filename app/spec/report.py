"""The evidence, as GET /v1/jobs/{id}/report answers it. worker/evaluation/report.py computes it."""

from typing import Literal

from pydantic import Field

from app.spec.ensemble_report import EnsembleReport
from app.spec.figures import (
    CalibrationOut,
    Cost,
    LabelsForGoal,
    LabelsToReach,
    Missing,
    Reference,
    ReportPart,
    Residuals,
)
from app.spec.intervals import REPLICATION, Gain, Interval, Replication
from app.spec.parts_report import ArmParts
from app.spec.reference_report import BestReference, ReferenceArm
from app.spec.shared_columns import SharedColumns
from app.spec.slice_report import Slice
from app.spec.source_report import Recalibrated, Search, Transferability
from app.spec.spec import Choice
from app.tasks import TASKS, TaskKind, metric_of
from app.tasks.classification import RANKED
from app.tasks.contract import Metric

Verdict = Literal["positive_transfer", "no_evidence", "negative_transfer"]
StopReason = Literal["budget", "cancelled"]


class ClassMetrics(ReportPart):
    """Metrics of one class on the test items, means over seeds."""

    label: str
    precision: float | None = Field(description="null without test items, as recall and F1 are")
    recall: float | None
    f1: float | None
    support: int = Field(description="test items of this class")
    training_items: int | None = Field(
        None,
        description="labelled items of this class in the training split; null where they are not "
        "known, or hidden",
    )
    gain: Interval | None = Field(
        description="in F1 over scratch, t-interval over the seeds; null for the baseline, or "
        "without one, and without test items"
    )


class Forgetting(ReportPart):
    """Accuracy on the source's test items; seeds paired."""

    before: Interval = Field(description="of the source's network")
    after: Interval = Field(
        description="of the transferred backbone with the source's head, as far as the strategy "
        "has trained that on"
    )
    change: Interval


class Detail(ReportPart):
    """Part of an arm's report that only one kind of task has."""

    per_class: list[ClassMetrics] = Field(
        default_factory=list,
        description="of the first 1,000 classes, or labels of several per item; else empty",
    )
    confusion: list[list[int]] = Field(
        default_factory=list,
        description="rows are true classes, columns predicted ones; test items, summed over seeds; "
        "empty where there are more than 300 classes, or none",
    )
    calibration: CalibrationOut | None = Field(
        None, description="null where a trial has too few validation items to fit a temperature"
    )
    residuals: Residuals | None = Field(None, description="of a regression; null otherwise")


class Arm(Detail):
    metrics: dict[str, Interval] = Field(
        description="on the test items, of a classification: loss, accuracy, precision_macro, "
        "recall_macro, f1_macro, balanced_accuracy, auc, average_precision (both of up to 1,000 "
        "classes: the mean over the classes of one against the rest, of two classes the second "
        "one's), ece; of several labels: f1_micro, f1_macro, "
        "map, loss; of a regression: mae, rmse, r2, loss"
    )
    validation: Interval | None = Field(
        description="the primary metric on the validation items, by which the winner was chosen; "
        "null without such items"
    )
    gain: Gain | None = Field(
        description="over the baseline in the primary metric; null for the baseline itself"
    )
    replication: Replication = Field("seeds", description=REPLICATION)
    transfer_ratio: float | None = Field(
        description="mean primary metric over the baseline's; null where that is 0 or absent, and "
        "of r2, which may lie below 0; of an error below 1 is better"
    )
    jumpstart: float | None = Field(
        description="gain in the primary metric on validation after the first epoch on the target; "
        "null where it was not recorded"
    )
    unlabelled: int = Field(
        0, description="items without labels that it learnt from beside the labelled ones"
    )
    labels_to_reach: LabelsToReach | None = Field(
        description="how many labels scratch needs for what this arm reaches; null for the "
        "baseline, for an arm at chance, and without a learning curve"
    )
    cost: Cost
    forgetting: Forgetting | None = Field(
        None, description="null without evaluation.forgetting, and without the source's test items"
    )


class CurvePoint(ReportPart):
    """One label budget: every arm that has results there."""

    labels_per_class: int | None = Field(
        description="the budget, in a task without classes of all labels; null: all labels"
    )
    labels: int = Field(description="all classes together, validation's included")
    arms: dict[str, Interval] = Field(description="the primary metric on the test items")
    gains: dict[str, Gain]


class LabelFreeChoice(ReportPart):
    """Choice of the winner without target labels; and what they would have chosen."""

    rule: str = Field(
        description="`invariant_information`: what a prediction tells of the prediction for the "
        "same item strongly changed, nats, on the target's validation items; the highest mean "
        "over the seeds wins"
    )
    scores: dict[str, Interval] = Field(description="of the rule, by arm")
    chosen: str
    chosen_seed: int = Field(description="the arm's trial with the highest score")
    oracle: str | None = Field(
        description="the arm that the test's labels would choose; null where it has none. It "
        "chooses nothing"
    )
    oracle_metric: Interval | None = Field(description="the primary metric of the oracle's arm")
    regret: float | None = Field(
        description="by how much the oracle's mean primary metric is better than the chosen's"
    )


class Report(ReportPart):
    verdict: Verdict = Field(
        description="about the winner against the baseline; `no_evidence` also where the winner is "
        "no better than chance, or the test set proves nothing, whatever the gain"
    )
    task: TaskKind = "classification"
    unit: str = Field("", description="of a regression's quantity, and of its mae and rmse")
    reason: str = Field(
        description="the verdict with its numbers; before them what takes it away, after them what "
        "weakens it"
    )
    primary_metric: str
    confidence: float
    labels_per_class: int | None = Field(
        description="the job's label budget, in a task without classes of all labels; null: all"
    )
    labels: int = Field(description="the same for all classes together")
    unlabelled: int = Field(
        0,
        description="training items that the budget leaves without labels and that took part so, "
        "where `target.use_unlabelled` is true",
    )
    test_items: int
    classes: list[str]
    baseline: str | None = Field(description="the baseline's arm; null without one")
    winner: str | None = Field(description="the transfer arm that validation chose")
    winner_seed: int | None = Field(description="its trial that is packaged: best on validation")
    arms: dict[str, Arm] = Field(description="that have results, by name, in no particular order")
    learning_curve: list[CurvePoint] = Field(
        description="by rising budget; a single point without evaluation.learning_curve"
    )
    labels_for_goal: list[LabelsForGoal] = Field(
        default_factory=list,
        description="of the winner and the baseline, where their learning curves say",
    )
    multiplicity: str = Field(description="how many comparisons were made, and what was done of it")
    selection: list[Choice] = Field(description="what `auto` chose, and why")
    stop_reason: StopReason | None = Field(description="why trials are missing, if planned")
    missing: list[Missing]
    warnings: list[str]
    label_free: LabelFreeChoice | None = Field(
        None, description="null where the target's labels were used"
    )
    slices: list[Slice] = Field(
        default_factory=list, description="by the columns of `evaluation.slices`, in their order"
    )
    reference: Reference | None = Field(
        None, description="null without labelled test items, and in reports of older releases"
    )
    references: dict[str, ReferenceArm] = Field(
        default_factory=dict,
        description="models without a network on the same items, labels and seeds: no arms, and "
        "never the baseline",
    )
    parts: dict[str, ArmParts] = Field(
        default_factory=dict,
        description="of items of several parts, by arm, the winner and the baseline: what each "
        "part says alone, and what is lost without it; empty elsewhere",
    )
    best_reference: BestReference | None = Field(
        None, description="null without references, and without a winner"
    )
    ensemble: EnsembleReport | None = Field(
        None, description="null where one seed is packaged, or none"
    )
    recalibrated: list[Recalibrated] = Field(
        default_factory=list,
        description="of arms that move a slope and a bias per class of the source's network and "
        "nothing else (`recalibrate`), with each label budget; empty without such an arm",
    )
    transferability: Transferability | None = Field(
        None, description="of several sources; null with one, and without target labels"
    )
    columns: list[SharedColumns] = Field(
        default_factory=list,
        description="of each source, where it and the target are tables: which columns were "
        "matched, how far apart they are, and which were not; empty elsewhere",
    )
    searches: list[Search] = Field(default_factory=list)
    devices: list[str] = Field(
        default_factory=list, description="what computed the trials, and in which precision"
    )
    trials_failed: int
    seconds: float = Field(description="of training, summed over all trials, pretraining included")

    @property
    def metric(self) -> Metric:
        """Metric by which the job is decided, with its direction."""
        return metric_of(self.task, self.primary_metric)

    def chance_of(self, metric: str) -> float | None:
        """Score of answers at random by a metric of classes: what an order at random has by `auc`
        and `average_precision`; None where it is not known."""
        if self.reference is None or not TASKS[self.task].has_classes:
            return None
        if metric in RANKED:
            return self.reference.majority.get(metric)
        return 1 / len(self.classes) if metric in ("accuracy", "balanced_accuracy") else None

    @property
    def ranked(self) -> dict[str, Arm]:
        """The baseline, then the others, the best by the primary metric first."""

        def place(named: tuple[str, Arm]) -> tuple[bool, float, str]:
            name, arm = named
            mean = arm.metrics[self.primary_metric].mean
            return name != self.baseline, -self.metric.sign * mean, name

        return dict(sorted(self.arms.items(), key=place))

    @property
    def is_proven(self) -> bool:
        """Tells whether the winner beats the baseline and chance, is not far below what labels
        would bring, and not beaten by a model without a network: what `beats_baseline` asks for."""
        too_low = (
            {*self.reference.not_above, *self.reference.far_below_bound} if self.reference else ()
        )
        is_beaten = self.best_reference is not None and self.best_reference.beats_winner
        return self.verdict == "positive_transfer" and self.winner not in too_low and not is_beaten

    @property
    def best_of_all(self) -> str | None:
        """The winner, the baseline or the best reference, whichever is best on validation items: of
        equals the first. Without such items the winner, unless the reference is shown to be
        better."""
        shown = [name for name in (self.winner, self.baseline) if name in self.arms]
        held_out = {name: self.arms[name].validation for name in shown if name}
        if best := self.best_reference:
            held_out[best.name] = self.references[best.name].validation
            if best.chosen_by == "test" or None in held_out.values():
                return best.name if best.beats_winner else self.winner
        known = {name: each.mean for name, each in held_out.items() if each}
        return self.metric.best(known) if len(known) == len(held_out) else self.winner

    @property
    def correction_note(self) -> str | None:
        """Says why the verdict stands although the winner's corrected p-value is not small; None
        where there is nothing to explain."""
        judged = self.arms.get(self.winner) if self.winner else None
        gain = judged.gain if judged else None
        if self.verdict == "no_evidence" or gain is None:
            return None
        if gain.p_value is None or gain.p_holm is None or gain.p_holm <= 1 - self.confidence:
            return None
        return (
            f"The verdict speaks of {self.winner} alone, which was chosen before the test "
            f"set was read: its p is {gain.p_value:.2g}. p (Holm), {gain.p_holm:.2g}, is "
            "corrected for all the arms that were compared with the baseline, as if the test set "
            "had chosen among them."
        )
