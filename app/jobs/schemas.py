"""A job as the outside sees it; app/spec/spec.py is what is sent."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.spec.capacity_check import MemoryEstimate
from app.spec.epoch_metrics import Epoch
from app.spec.figures import Conditions
from app.spec.plan import Role
from app.spec.shared_columns import SharedColumns
from app.spec.spec import Choice
from app.tasks import Task

JobStatus = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
Stage = Literal["queued", "pretraining", "training", "finalising", "ended"]
TrialStatus = Literal["waiting", "queued", "running", "succeeded", "failed", "cancelled"]


class Failure(BaseModel):
    code: str
    message: str
    param: str | None = Field(
        None, description="JSON pointer to what was wrong, where there is one"
    )
    stage: str


class JobOut(BaseModel):
    id: str
    name: str
    status: JobStatus
    stage: Stage
    progress: float = Field(
        ge=0,
        le=1,
        description="share of the planned seconds that is done; of a job that failed or was "
        "cancelled: that had been done",
    )
    eta_seconds: float | None = Field(
        description="of what is left, with as many trials at once as now: what finished trials of "
        "the arm took, else planned seconds at the pace of this job's trials, or of others of this "
        "installation; null while the job is not running"
    )
    trials: dict[TrialStatus, int]
    stop_reason: Literal["budget"] | None = Field(
        None,
        description="`budget`: budget_seconds were spent before all trials were done; the report "
        "says which are missing",
    )
    error: Failure | None
    estimate: MemoryEstimate | None = Field(
        None, description="null for jobs of releases that did not estimate"
    )
    spec: dict[str, Any] = Field(description="as resolved: nothing is `auto` any more")
    selection: list[Choice] = Field(description="what `auto` chose, and why")
    sources: list[str]
    source_names: list[str] = Field(description="of the sources, in their order")
    target: str
    target_name: str
    report: str | None = Field(
        description="path of the report, once there is one; a cancelled job of which trials had "
        "results gets one too, in its stage `finalising`"
    )
    models: list[str]
    deployment: str | None
    tags: dict[str, str]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class PlannedTrialOut(BaseModel):
    role: Role
    arm: str
    seed: int
    labels_per_class: int | None
    steps: int = Field(description="of the optimizer, at most")
    seconds: float = Field(description="its share of `estimated_seconds`")


class Applicability(BaseModel):
    name: str
    reason: str | None = Field(description="why the strategy cannot apply; null where it can")


class ValidationOut(BaseModel):
    """Plan of what a job would do. Nothing was started."""

    spec: dict[str, Any]
    selection: list[Choice]
    trials: list[PlannedTrialOut]
    steps: int = Field(description="optimizer steps over all trials, at most")
    estimate: MemoryEstimate
    estimated_seconds: float = Field(
        description="at most, roughly, one trial at a time: phases that stop at convergence take "
        "less, and so do several trials at once"
    )
    estimate_basis: Literal["shipped", "measured"] = Field(
        description="`shipped`: a table of one machine's seconds; `measured`: corrected by what "
        "this installation's last trials of the same backbone took"
    )
    domain_distance: list[dict[str, float | None] | None] = Field(
        description="of each source to the target, by small pictures of their training items, or "
        "by the columns that both tables have: proxy_a_distance, 0 (alike) to 2, and mmd "
        "(squared); null where one is not stored yet, or is a model"
    )
    columns: list[SharedColumns] = Field(
        default=[],
        description="of each source, where it and the target are tables: which columns are "
        "matched, how far apart they are, and which may be the same besides; `columns` of the "
        "job's source says so",
    )
    strategies: list[Applicability] = Field(description="which can run between these domains")
    warnings: list[str] = Field(
        default=[], description="where source and target seem to be on different scales"
    )


class TrialOut(BaseModel):
    id: str
    job_id: str
    role: Role
    arm: str
    seed: int
    labels_per_class: int | None
    depends_on: str | None = Field(description="the pretraining whose weights it starts from")
    reused_from: str | None = Field(
        None,
        description="the trial, of another job, whose weights a pretraining took over: same "
        "source, network, recipe and seed",
    )
    status: TrialStatus
    progress: float
    attempt: int
    seconds: float = Field(description="of training, over all attempts")
    validation: dict[str, float] | None
    test: dict[str, float] | None
    outcome: dict[str, Any] | None = Field(
        None, description="what a scoring or a search has found out"
    )
    error: Failure | None
    started_at: datetime | None
    ended_at: datetime | None


class TrialMetrics(BaseModel):
    id: str
    arm: str
    seed: int
    labels_per_class: int | None
    status: TrialStatus
    epochs: list[Epoch] = Field(
        description="with accuracy and f1_macro, of a regression mae and rmse, of several labels "
        "f1_micro and f1_macro"
    )
    test: dict[str, float] | None


class MetricsOut(BaseModel):
    job_id: str
    trials: list[TrialMetrics]
    has_more: bool = False
    next: str | None = Field(None, description="the `after` of the next page")


class EvidenceTrial(BaseModel):
    """A trial as the report sees it."""

    id: str
    arm: str
    role: Role
    seed: int
    labels_per_class: int | None
    seconds: float
    error: dict[str, Any] | None
    depends_on: str | None
    outcome: dict[str, Any] | None = Field(None, description="of a scoring or a search")
    conditions: Conditions | None = Field(
        None, description="null for what trained nothing, and in archives of older releases"
    )
    epochs: int = Field(description="trained, of all phases; 0 for a pretraining taken over")
    steps: int | None = Field(
        None,
        description="optimizer steps of the whole network; null for what is no arm's trial, and in "
        "archives of older releases",
    )
    head_steps: int | None = Field(
        None, description="optimizer steps of a head on a frozen backbone's features"
    )
    first_epoch: dict[str, Any] | None = Field(
        description="metrics on validation after the very first epoch"
    )
    predictions: str | None = Field(
        description="a file in the archive, .npz: y_test, logits_test, y_validation, "
        "logits_validation; logits_changed, of the validation items, changed, without target "
        "labels; y_source, before_source, after_source with evaluation.forgetting; of items "
        "trained on y_train (absent where labels are hidden), logits_train and logits_train_mode "
        "(by the batch's own BatchNorm statistics); suspects, with label_noise `drop_suspects`: "
        "training items left out, and kept; slice_codes, slice_values and slice_sizes with "
        "evaluation.slices"
    )


class EvidenceDataset(BaseModel):
    """Facts that the intake found in one of the job's datasets."""

    role: Literal["source", "target"]
    id: str
    name: str
    test_in_training: int = Field(0, description="test items that equal one of the training split")
    test_contradicting: int = Field(
        0, description="of these, items whose twin in the training split has another label"
    )
    warnings: list[str] = Field(default_factory=list, description="the profile's, in sentences")


class EvidenceOut(BaseModel):
    """`job.json` in the archive of predictions: with them, all that the report is made from."""

    spec: dict[str, Any]
    selection: list[dict[str, Any]]
    classes: list[str] = Field(description="the target's, in the order of the logits")
    source_names: list[str] = Field(
        default_factory=list, description="of the sources' datasets or models, in their order"
    )
    task: Task | None = Field(
        None,
        description="of the target, its names in the order of the outputs; null in archives of "
        "older releases: a classification",
    )
    class_counts: list[int] = Field(
        description="items per class in the target's training split; of a regression and of "
        "several labels per item all labelled ones"
    )
    training_items: int = Field(
        0,
        description="of the target, with labels and without; 0 in archives of older releases",
    )
    datasets: list[EvidenceDataset] = Field(
        default_factory=list,
        description="the target, then the sources that are datasets; empty in archives of older "
        "releases",
    )
    report: dict[str, Any] | None
    trials: list[EvidenceTrial]
