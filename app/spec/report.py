"""The evidence, as GET /v1/jobs/{id}/report answers it. worker/evaluation/report.py computes it."""

from typing import Any, Literal

from pydantic import Field

from app.spec.figures import CalibrationOut, Cost, LabelsToReach, Missing, Part, Reference
from app.spec.relation import Relation
from app.spec.spec import Choice

Verdict = Literal["positive_transfer", "no_evidence", "negative_transfer"]
StopReason = Literal["budget", "cancelled"]
Replication = Literal["seeds", "seeds_of_one_pretraining", "pretrainings", "one_network"]
REPLICATION = (
    "what the n values behind the intervals are: `seeds`, each a run of its own; "
    "`seeds_of_one_pretraining`, so that what is said holds for that pretraining; `pretrainings`, "
    "each by the mean of the seeds that share it; `one_network`, which every seed evaluates"
)


class Bounds(Part):
    low: float
    high: float


class Interval(Part):
    """A mean over seeds with its t-interval at the report's confidence, cut at a metric's ends."""

    mean: float
    low: float | None = Field(description="null with one value: its spread is unknown")
    high: float | None
    n: int = Field(
        description="independent values: seeds, or the pretrainings that they share; 1 where all "
        "seeds evaluate one network, which a baseline that trains nothing does"
    )


class Gain(Interval):
    """Transfer minus scratch, paired by seed: mean, t-interval over the seeds."""

    bootstrap: Bounds = Field(
        description="interval of the gain, averaged over seeds, when test items are drawn anew"
    )
    overall: Bounds | None = Field(
        description="interval for other seeds and other test items at once (crossed random "
        "effects), never shorter than the one over the seeds; the verdict rests on it; null where "
        "n is 1"
    )
    p_value: float | None = Field(
        description="two-sided, of `overall`, that the gain is 0; null where n is 1"
    )
    p_holm: float | None = Field(
        description="the same, corrected for the number of arms compared with scratch (Holm)"
    )
    replication: Replication = Field("seeds", description=REPLICATION)


class ClassMetrics(Part):
    """Of one class on the test items, means over seeds."""

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


class Forgetting(Part):
    """Accuracy on the source's test items; seeds paired."""

    before: Interval = Field(description="of the source's network")
    after: Interval = Field(
        description="of the transferred backbone with the source's head, as far as the strategy "
        "has trained that on"
    )
    change: Interval


class Arm(Part):
    metrics: dict[str, Interval] = Field(
        description="on the test items: loss, accuracy, precision_macro, recall_macro, f1_macro, "
        "balanced_accuracy, ece"
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
        description="mean primary metric over the baseline's; null where that is 0 or absent"
    )
    jumpstart: float | None = Field(
        description="gain in the primary metric on validation after the first epoch on the target; "
        "null where it was not recorded"
    )
    labels_to_reach: LabelsToReach | None = Field(
        description="how many labels scratch needs for what this arm reaches; null for the "
        "baseline, and without a learning curve"
    )
    per_class: list[ClassMetrics] = Field(description="of the first 1,000 classes")
    confusion: list[list[int]] = Field(
        description="rows are true classes, columns predicted ones; test items, summed over seeds; "
        "empty where there are more than 300 classes"
    )
    calibration: CalibrationOut | None = Field(
        description="null where a trial has too few validation items to fit a temperature"
    )
    cost: Cost
    forgetting: Forgetting | None = Field(
        None, description="null without evaluation.forgetting, and without the source's test items"
    )


class CurvePoint(Part):
    """One label budget: every arm that has results there."""

    labels_per_class: int | None = Field(description="null: all labels")
    labels: int = Field(description="all classes together, validation's included")
    arms: dict[str, Interval] = Field(description="the primary metric on the test items")
    gains: dict[str, Gain]


class LabelFreeChoice(Part):
    """How the winner was chosen without target labels; and what they would have chosen."""

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
    regret: float | None = Field(description="the oracle's mean primary metric minus the chosen's")


class SourceRank(Part):
    """A candidate source's place."""

    source: int = Field(description="its place among the job's sources, from 1")
    reference: str = Field(description="`ds_…` or `mdl_…`")
    name: str | None = Field(None, description="the dataset's or the model's; null in old reports")
    scores: dict[str, float | None]
    relation: Relation | None = Field(
        None, description="of its classes to the target's; null where LEEP is, and in old reports"
    )
    doubt: str | None = Field(
        None, description="why its labels look like noise; null where nothing says so"
    )
    domain_distance: dict[str, float | None] | None = Field(
        description="in the source's features: proxy_a_distance, 0 (alike) to 2, and mmd "
        "(squared); null for a model without its data"
    )
    measured: Interval | None = Field(
        description="the primary metric of the best arm, by its mean, that starts from it; null "
        "where none was trained"
    )
    best_arm: str | None


class RankingQuality(Part):
    """How well a score's ranking agrees with what was measured."""

    kendall_tau: float | None
    weighted_tau: float | None = Field(description="the top of the ranking counts for more")
    regret: float | None = Field(
        description="the best source's primary metric minus that of the source put first"
    )


class Transferability(Part):
    headline: str = Field("", description="which source suits best: `mnist suits best`")
    reason: str = Field("", description="how clear that is, in a sentence with its numbers")
    ranked_by: str
    ranking: list[SourceRank] = Field(description="the most promising first")
    quality: dict[str, RankingQuality] | None = Field(
        description="by score; null where fewer than two sources were measured"
    )


class Search(Part):
    """What an arm's search tried, and what the arm's trials were then trained with."""

    arm: str
    labels_per_class: int | None
    seed: int
    chosen: dict[str, Any] = Field(
        description="strategy (null: the baseline's), learning_rate, weight_decay, epochs (null: "
        "as the job says)"
    )
    reason: str
    tried: list[dict[str, Any]] = Field(description="in their order, with scores and why dropped")
    scores: dict[str, float | None] | None = Field(
        None,
        description="transferability of the source's features to the target's labels: it may rule "
        "strategies out before any is tried; null without labels, or with nothing to choose among",
    )
    relation: Relation | None = Field(None, description="of the source's classes to the target's")
    seconds: float


class Report(Part):
    verdict: Verdict = Field(
        description="about the winner against the baseline; `no_evidence` also where the winner is "
        "no better than chance, or the test set proves nothing, whatever the gain"
    )
    reason: str = Field(
        description="the verdict with its numbers; before them what takes it away, after them what "
        "weakens it"
    )
    primary_metric: str
    confidence: float
    labels_per_class: int | None
    labels: int = Field(description="the same for all classes together")
    test_items: int
    classes: list[str]
    baseline: str | None = Field(description="the baseline's arm; null without one")
    winner: str | None = Field(description="the transfer arm that validation chose")
    winner_seed: int | None = Field(description="its trial that is packaged: best on validation")
    arms: dict[str, Arm] = Field(description="that have results, by name, in no particular order")
    learning_curve: list[CurvePoint] = Field(
        description="by rising budget; a single point without evaluation.learning_curve"
    )
    multiplicity: str = Field(description="how many comparisons were made, and what was done of it")
    selection: list[Choice] = Field(description="what `auto` chose, and why")
    stop_reason: StopReason | None = Field(description="why trials are missing, if planned")
    missing: list[Missing]
    warnings: list[str]
    label_free: LabelFreeChoice | None = Field(
        None, description="null where the target's labels were used"
    )
    reference: Reference | None = Field(
        None, description="null without labelled test items, and in reports of older releases"
    )
    transferability: Transferability | None = Field(
        None, description="of several sources; null with one, and without target labels"
    )
    searches: list[Search] = Field(default_factory=list)
    devices: list[str] = Field(
        default_factory=list, description="what computed the trials, and in which precision"
    )
    trials_failed: int
    seconds: float = Field(description="of training, summed over all trials, pretraining included")

    @property
    def ranked(self) -> dict[str, Arm]:
        """The baseline, then the others by falling primary metric."""

        def place(named: tuple[str, Arm]) -> tuple[bool, float, str]:
            name, arm = named
            return name != self.baseline, -arm.metrics[self.primary_metric].mean, name

        return dict(sorted(self.arms.items(), key=place))

    @property
    def is_proven(self) -> bool:
        """Whether the winner beats the baseline and chance, and is not far below what labels would
        bring: what `beats_baseline` asks for."""
        too_low = (
            {*self.reference.not_above, *self.reference.far_below_bound} if self.reference else ()
        )
        return self.verdict == "positive_transfer" and self.winner not in too_low

    @property
    def correction_note(self) -> str | None:
        """Why the verdict stands although the winner's corrected p-value is not small; None where
        there is nothing to explain."""
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
