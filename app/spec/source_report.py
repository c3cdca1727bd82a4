"""Members of a report on the sources, and of the searches that came before the trials."""

from typing import Any

from pydantic import Field

from app.spec.figures import ReportPart
from app.spec.intervals import Gain, Interval
from app.spec.relation import Relation


class SourceRank(ReportPart):
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


class RankingQuality(ReportPart):
    """Agreement of a score's ranking with what was measured."""

    kendall_tau: float | None
    weighted_tau: float | None = Field(description="the top of the ranking counts for more")
    regret: float | None = Field(
        description="by how much the best source's primary metric is better than that of the "
        "source put first"
    )


class Transferability(ReportPart):
    headline: str = Field("", description="which source suits best: `mnist suits best`")
    reason: str = Field("", description="how clear that is, in a sentence with its numbers")
    ranked_by: str
    ranking: list[SourceRank] = Field(description="the most promising first")
    quality: dict[str, RankingQuality] | None = Field(
        description="by score; null where fewer than two sources were measured"
    )


class Recalibrated(ReportPart):
    """Gain of an arm that moves a slope and a bias per class of the source's network alone."""

    arm: str
    labels_per_class: int | None
    labels: int = Field(description="all classes together, validation's included")
    before: float = Field(description="primary metric of the source's network as it came")
    after: float
    gain: Gain = Field(description="of the arm over that network, on the same test items")
    sentence: str


class Search(ReportPart):
    """Record of what an arm's search tried, and what the arm's trials were then trained with."""

    arm: str
    others: list[str] = Field(
        default_factory=list, description="arms that are trained with the same augmentation"
    )
    labels_per_class: int | None
    seed: int
    chosen: dict[str, Any] = Field(
        description="strategy (null: the baseline's), learning_rate, weight_decay, epochs, "
        "augmentation, imbalance (null: as the job says)"
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
