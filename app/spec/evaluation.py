"""Settings of how a job's arms are compared."""

from typing import Annotated, Literal

from pydantic import Field

from app.sent import Array, Sent
from app.spec.references import REFERENCE_MODELS, PlannedReference, ReferenceModel
from app.spec.target import LabelBudget

MOST_SLICES = 8


class Evaluation(Sent):
    seeds: int = Field(5, ge=1, le=100)
    pretrain_seeds: int = Field(
        1,
        ge=1,
        le=100,
        description="pretrainings that the seeds share out among themselves: 1 for all, or as many "
        "as `seeds`, so that the intervals tell how much the pretraining varies as well",
    )
    learning_curve: Array[LabelBudget | None] | None = Field(
        None,
        max_length=32,
        description="label budgets at which every arm is trained besides the target's own, counted "
        "as that is: per class, or in a task without classes in all; null among them: all labels; "
        "the same again counts once",
    )
    baseline: bool = Field(
        True,
        description="train the same network from scratch as well; without target labels: the "
        "source's network as it is, and, where the target has labels, one trained on them",
    )
    forgetting: bool = Field(
        False, description="measure each arm on the source's test items, before and after"
    )
    primary_metric: str | None = Field(
        None,
        max_length=64,
        description="by which arms are compared: of a classification accuracy, f1_macro, "
        "balanced_accuracy, auc or average_precision, of several labels f1_micro, f1_macro or map, "
        "of a regression mae, rmse or r2; null: the first of these",
    )
    confidence: float = Field(0.95, gt=0.5, lt=1)
    goal: float | None = Field(
        None,
        allow_inf_nan=False,
        description="of the primary metric: with a learning curve of 3 budgets or more the report "
        "says how many labels it would take; null: the next round figure of a rate, half of an "
        "error",
    )
    references: Literal["auto"] | Array[ReferenceModel] = Field(
        "auto",
        max_length=len(REFERENCE_MODELS),
        description="models of scikit-learn beside the arms, each on the target's rows, the "
        "source's and both: `linear`, `forest`, `boosting`; `auto`: all of them for tables, "
        "`linear` for texts, none for others; []: none. For texts also `charconv`, a network over "
        "characters from random weights, on the target's rows: what a frozen encoder brings to all "
        "arms, scratch among them, is seen beside it",
    )
    slices: Array[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        (),
        max_length=MOST_SLICES,
        description="columns of the target: every metric and gain also for the test items of each "
        "of their values (of numbers and dates each quarter), with the worst value named",
    )


class ResolvedEvaluation(Evaluation):
    primary_metric: str = "accuracy"
    references: Array[PlannedReference] = ()  # type: ignore[assignment]  # what was chosen
