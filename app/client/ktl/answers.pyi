# Made from the API's description by docs/generate.
"""Types of answers."""

from typing import Any, Literal

class Members(dict[str, Any]):
    """An object of the API's JSON, whose members are attributes too."""

class AnswerShare(Members):
    """A class; of several labels at once the likeliest, or none; of a quantity a range of it."""

    answer: str
    share: float
    reference_share: float | None

class Applicability(Members):
    name: str
    reason: str | None

class Arm(Members):
    per_class: list[ClassMetrics]
    confusion: list[list[int]]
    calibration: Calibration | None
    residuals: Residuals | None
    metrics: dict[str, Interval]
    validation: Interval | None
    gain: Gain | None
    replication: Literal["seeds", "seeds_of_one_pretraining", "pretrainings", "one_network"]
    transfer_ratio: float | None
    jumpstart: float | None
    unlabelled: int
    labels_to_reach: LabelsToReach | None
    cost: Cost
    forgetting: Forgetting | None

class ArmParts(Members):
    """One arm, on all test items."""

    whole: Interval
    parts: dict[str, PartFigures]
    sentence: str

class Audit(Members):
    """Suspects are to be looked at, not to be believed: a rare item looks like a wrong one."""

    dataset: str
    status: Literal["queued", "running", "succeeded", "failed"]
    created_at: str
    ended_at: str | None
    method: str
    features: str | None
    items_: int | None
    suspects: int | None
    classes: list[AuditedClass]
    offset: int
    data: list[Suspect]
    error: dict[str, Any] | None

class AuditedClass(Members):
    label: str
    items_: int
    suspects: int
    is_judged: bool

class Backbone(Members):
    name: str
    summary: str
    weights: str | None
    source: Literal["package", "keras", "hf", "file", "none"]
    licence: str | None
    bytes: int | None
    sha256: str | None
    md5: str | None
    available: Literal["installed", "cached", "downloadable", "missing"]
    how: str | None
    params: dict[str, Any]
    modality: str | None
    training: dict[str, Any]

class Backbones(Members):
    data: list[Backbone]

class BestReference(Members):
    name: str
    chosen_by: Literal["validation", "test"]
    beats_winner: bool
    sentence: str

class Bin(Members):
    """Test items whose confidence falls between `low` (not included) and `high`; all seeds'."""

    low: float
    high: float
    items_: int
    confidence: float | None
    accuracy: float | None

class Bounds(Members):
    low: float
    high: float

class Bytes(Members):
    """Bytes of the project's files in the store. A file that several things share counts once,
    with the first of them."""

    datasets: int
    models: int
    features: int
    weights: int
    predictions: int
    checkpoints: int
    total: int

class Calibration(Members):
    """Temperature scaling fitted on validation items, measured on test items; means over seeds."""

    temperature: float
    ece_before: float
    ece_after: float
    bins_before: list[Bin]
    bins_after: list[Bin]

class Canary(Members):
    model: str
    model_name: str
    percent: int
    created_at: str
    status: Literal["ready", "loading", "failed"]
    reason: str | None

class Catalogue(Members):
    data: list[CataloguedDataset]

class CataloguedDataset(Members):
    """A dataset that a job can name as it is: `catalog:NAME`."""

    name: str
    reference: str
    title: str
    licence: str
    schema: Schema
    download_bytes: int

class CategoryColumn(Members):
    kind: Literal["category"]
    name: str
    unit: str
    misses: bool
    values_: list[str]
    others: bool

class Choice(Members):
    """One decision that `auto` took."""

    field: str
    chosen: Any
    reason: str

class ChosenItem(Members):
    split: Literal["train", "test"]
    index: int
    identifier: str | None
    score: float
    guess: Guess

class ClassMetrics(Members):
    """Metrics of one class on the test items, means over seeds."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    training_items: int | None
    gain: Interval | None

class Classification(Members):
    kind: Literal["classification"]
    classes: list[str]

class ColumnContribution(Members):
    columns: list[str]
    values_: list[Any]
    instead: list[list[Any]]
    contribution: float | None

class ColumnInfo(Members):
    """One column of the upload, whether a network sees it or not."""

    name: str
    kind: Literal["number", "category", "flag", "date", "text", "image", "constant", "identifier"]
    role: Literal["feature", "label", "group", "domain", "id", "time", "ignored"]
    unit: str
    reason: str

class Cost(Members):
    """Seconds of training, summed over the arm's trials at the job's label budget; and how long
    a trial was trained."""

    trials: float
    search: float
    pretraining: float
    epochs: float | None
    steps: float | None
    head_steps: float | None

class Curve(Members):
    """Curve of one order, at each number of labels: the mean over the draws with its 95 %
    interval."""

    mean: list[float]
    low: list[float]
    high: list[float]

class CurvePoint(Members):
    """One label budget: every arm that has results there."""

    labels_per_class: int | None
    labels: int
    arms: dict[str, Interval]
    gains: dict[str, Gain]

class Dataset(Members):
    id: str
    name: str
    status: Literal["ingesting", "ready", "failed", "damaged"]
    origin: str
    created_at: str
    schema: Schema | None
    classes_left_off: int
    columns_left_off: int
    profile: dict[str, Any] | None
    error: dict[str, Any] | None
    content_hash: str | None
    same_as: list[SameDataset]

class DateColumn(Members):
    kind: Literal["date"]
    name: str
    unit: str
    misses: bool
    edges: list[float]
    format: str | None

class Deployment(Members):
    name: str
    model: str
    model_name: str
    version: int
    status: Literal["ready", "loading", "failed"]
    reason: str | None
    canary: Canary | None
    created_at: str
    updated_at: str

class DeploymentTraffic(Members):
    """Counts of all processes of the API, a few seconds old. Requests that are refused before it
    is known which model they ask, as those of a wrong key, are not among them."""

    name: str
    canary: Drift | None
    models: list[ModelTraffic]

class DeploymentVersion(Members):
    version: int
    model: str
    model_name: str
    created_at: str

class DeploymentWithHistory(Members):
    name: str
    model: str
    model_name: str
    version: int
    status: Literal["ready", "loading", "failed"]
    reason: str | None
    canary: Canary | None
    created_at: str
    updated_at: str
    history: list[DeploymentVersion]

class Disk(Members):
    total_bytes: int
    free_bytes: int
    reserve_bytes: int

class DistilledReport(Members):
    """Facts of the one network that has learnt the mean of the seeds: trained where the model
    was packaged, and looked at on the same test items."""

    items_: int
    seconds: float
    metrics: dict[str, float]
    over_mean: EnsembleGain | None
    over_single: EnsembleGain | None
    over_average: EnsembleGain | None
    sentence: str

class DoubtedInputs(Members):
    code: str
    requests: int
    share: float

class Drift(Members):
    """Answers of a window, held against those that the model is known by."""

    standing: Literal["too_few", "same", "drifted", "no_reference"]
    distance: float | None
    limit: float | None
    items_: int
    reference: Literal["test", "first_answers", "current"] | None
    reference_items: int
    confidence: float | None
    reference_confidence: float | None
    confidence_standing: Literal["too_few", "same", "drifted", "no_reference"]
    sentence: str

class EncoderIdentity(Members):
    """Identity of an encoder, and the way in which it is asked."""

    name: str
    revision: str
    licence: str
    prefix: str
    max_tokens: int
    pad_id: int
    dimension: int
    languages: str
    model_sha256: str
    tokenizer_sha256: str

class EnsembleCost(Members):
    """Measured where the model was packaged: of the graph as it is served, and of one seed's."""

    bytes: int
    single_bytes: int
    milliseconds: float
    single_milliseconds: float

class EnsembleGain(Members):
    """Improvement by the ensemble in the primary metric, on the same test items, with its
    interval when these are drawn anew: of these networks."""

    low: float
    high: float
    mean: float

class EnsembleReport(Members):
    kind: Literal["average", "distill"]
    arm: str
    seeds: list[int]
    metrics: dict[str, float]
    single_seed: int
    over_mean: EnsembleGain | None
    over_single: EnsembleGain | None
    cost: EnsembleCost | None
    distilled: DistilledReport | None
    sentence: str

class Epoch(Members):
    """An epoch with its metrics, as the API shows it."""

    phase: str
    epoch: int
    split: str
    loss: float
    accuracy: float
    f1_micro: float
    f1_macro: float
    mae: float
    rmse: float
    learning_rate: float
    seconds: float

class Explanation(Members):
    deployment: str
    model: str
    calibrated: bool
    temperature: float
    warnings: list[PredictionWarning] | None
    prediction: Any
    output: str
    answer: float
    unit: str
    rows: int
    contributions: Any
    note: str

class Failure(Members):
    code: str
    message: str
    param: str | None
    stage: str

class FeaturesInputs(Members):
    """One tensor `features` (dimension,), float32, centred and of about unit size."""

    modality: Literal["features"]
    shape: list[Any]
    dtype: Literal["float32"]
    value_range: list[Any] | None
    encoder: str
    revision: str
    pad_id: int | None

class FlagColumn(Members):
    kind: Literal["flag"]
    name: str
    unit: str
    misses: bool
    values_: list[Any]

class Forgetting(Members):
    """Accuracy on the source's test items; seeds paired."""

    before: Interval
    after: Interval
    change: Interval

class Gain(Members):
    """Amount by which the transfer is better than scratch, paired by seed: mean, t-interval over
    the seeds. Positive is better whatever the metric: where lower is better (mae, rmse) it is
    scratch minus transfer."""

    mean: float
    low: float | None
    high: float | None
    n: int
    bootstrap: Bounds
    overall: Bounds | None
    p_value: float | None
    p_holm: float | None
    replication: Literal["seeds", "seeds_of_one_pretraining", "pretrainings", "one_network"]

class Guess(Members):
    """Answer of the job's model as it is."""

    label: str | None
    labels: list[str] | None
    value: float | None
    probability: float | None

class Health(Members):
    status: Literal["ok"]

class ImageInputs(Members):
    modality: Literal["image"]
    shape: list[Any]
    dtype: str
    value_range: list[Any] | None

class Infer(Members):
    model_name: str
    id: str | None
    parameters: dict[str, Any]
    outputs: list[ResponseOutput]

class Interval(Members):
    """A mean over seeds with its t-interval at the report's confidence, cut at a metric's ends."""

    mean: float
    low: float | None
    high: float | None
    n: int

class Job(Members):
    id: str
    name: str
    status: Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
    stage: Literal["queued", "pretraining", "training", "finalising", "ended"]
    progress: float
    eta_seconds: float | None
    trials: dict[str, int]
    stop_reason: Literal["budget"] | None
    error: Failure | None
    estimate: MemoryEstimate | None
    spec: dict[str, Any]
    selection: list[Choice]
    sources: list[str]
    source_names: list[str]
    target: str
    target_name: str
    report: str | None
    models: list[str]
    deployment: str | None
    tags: dict[str, str]
    created_at: str
    started_at: str | None
    ended_at: str | None

class JoinedContributions(Members):
    kind: Literal["joined"]
    parts: list[PartContribution]

class JoinedInputs(Members):
    """The tensors of each part as `PART.TENSOR`, and `PART.present` of a picture."""

    modality: Literal["joined"]
    parts: list[JoinedPart]

class JoinedPart(Members):
    name: str
    inputs: Any

class Key(Members):
    id: str
    name: str
    project: str
    scopes: list[Literal["read", "write", "predict", "admin"]]
    created_at: str
    last_used_at: str | None
    revoked_at: str | None

class LabelFreeChoice(Members):
    """Choice of the winner without target labels; and what they would have chosen."""

    rule: str
    scores: dict[str, Interval]
    chosen: str
    chosen_seed: int
    oracle: str | None
    oracle_metric: Interval | None
    regret: float | None

class LabelSet(Members):
    """Answer of a multi-label classification."""

    labels: list[Score]
    scores: list[Score] | None

class LabelsForGoal(Members):
    """A learning curve continued by a power law."""

    arm: str
    goal: float
    labels: float | None
    low: float | None
    high: float | None
    budgets: int
    sentence: str

class LabelsToReach(Members):
    """Read off the mean learning curves, linear in the metric and in log labels between budgets."""

    labels: int
    metric: float
    scratch_labels: float | None
    ratio: float | None
    bound: Literal["at_least", "at_most"] | None
    sentence: str

class Limits(Members):
    """null: none."""

    bytes: int | None
    datasets: int | None
    running_trials: int | None
    upload_bytes: int

class LoadStatus(Members):
    error_code: Literal["OK", "FAILED_PRECONDITION"]
    error_message: str

class MadeUpColumn(Members):
    """A column that the source lacks, predicted in its rows by what the target's training rows
    tell; no label of theirs is used."""

    arm: str
    name: str
    rows: int
    measure: Literal["r2", "accuracy"]
    quality: float | None
    guessing: float | None
    is_used: bool

class MemoryEstimate(Members):
    """Estimate of what a process that trains takes, before any has run."""

    memory_bytes: int
    parameters: int

class Metrics(Members):
    job_id: str
    trials: list[TrialMetrics]
    has_more: bool
    next: str | None

class Missing(Members):
    """Planned trials without results."""

    arm: str
    labels_per_class: int | None
    seeds: list[int]
    code: str

class ModelMetadata(Members):
    name: str
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]

class Model(Members):
    id: str
    name: str
    origin: Literal["job", "imported"]
    job_id: str | None
    trial_id: str | None
    status: Literal["importing", "ready", "failed", "damaged"]
    error: dict[str, Any] | None
    signature: Signature | None
    classes_left_off: int
    columns_left_off: int
    card: dict[str, Any]
    hashes: dict[str, str]
    deployments: list[str]
    created_at: str

class ModelReady(Members):
    name: str
    ready: Literal[True]

class ModelTraffic(Members):
    model: str
    model_name: str
    role: Literal["current", "canary", "earlier"]
    version: int | None
    windows: list[TrafficWindow]

class MultiLabel(Members):
    kind: Literal["multi_label"]
    labels: list[str]

class NewKey(Members):
    id: str
    name: str
    project: str
    scopes: list[Literal["read", "write", "predict", "admin"]]
    created_at: str
    last_used_at: str | None
    revoked_at: str | None
    key: str

class NextLabels(Members):
    """Items in the order in which to label them."""

    job: str
    dataset: str
    status: Literal["queued", "running", "succeeded", "failed"]
    items_: int
    created_at: str
    ended_at: str | None
    method: str | None
    candidates: int | None
    considered: int | None
    identifier_column: str | None
    data: list[ChosenItem]
    worth: Worth | None
    sentence: str | None
    error: dict[str, Any] | None

class NumberColumn(Members):
    kind: Literal["number"]
    name: str
    unit: str
    misses: bool
    edges: list[float]

class PartContribution(Members):
    part: str
    contribution: float | None
    within: Any

class PartFigures(Members):
    """One part of the test items, by the network of an arm that looks at all of them."""

    missing: int
    alone: Interval
    without: Interval
    lost: Interval

class PhotoFeaturesInputs(Members):
    """One tensor `features` (dimension,), float32; zeros of a picture that is missing."""

    modality: Literal["photo_features"]
    shape: list[Any]
    dtype: Literal["float32"]
    value_range: list[Any] | None
    weights: str
    digest: str
    size: list[Any]

class PictureContributions(Members):
    """A grid over the picture, as the model sees it: each cell's number is the change by a patch
    around it."""

    kind: Literal["image"]
    cell: list[Any]
    patch: list[Any]
    filling: Literal["border", "mean"]
    colour: list[float]
    contributions: list[list[float | None]]

class PieceContribution(Members):
    start: int
    end: int
    text: str
    contribution: float | None

class PlannedTrial(Members):
    role: Literal["pretrain", "score", "search", "baseline", "bound", "transfer", "reference"]
    arm: str
    seed: int
    labels_per_class: int | None
    steps: int
    seconds: float

class Predict(Members):
    deployment: str
    model: str
    calibrated: bool
    temperature: float
    warnings: list[PredictionWarning]
    outputs: list[Any]

class Prediction(Members):
    """The best label. `scores` is there when `top_k` was asked for: the best first."""

    label: str
    score: float
    scores: list[Score] | None

class PredictionWarning(Members):
    """A doubt about the inputs, which were answered nevertheless."""

    code: Literal["wrong_scale", "out_of_range", "unknown_category", "text_cut", "missing_part"]
    detail: str
    pointer: str
    count: int | None

class Predictions(Members):
    """`predictions` answers `instances`, and `outputs` answers `inputs`."""

    predictions: list[list[float]] | None
    outputs: list[list[float]] | None
    warnings: list[PredictionWarning]

class PreviewItem(Members):
    """One stored item: raw values by the names of its tensors, of which pictures have `image`
    and texts `text`; of a table `row`, an object by the names of its columns."""

    index: int
    label: str | None
    labels: list[str] | None
    value: float | None
    suspected: Suspected | None
    image: list[list[list[float]]] | None
    text: str | None
    parts: dict[str, Any] | None
    row: dict[str, float | bool | str | None] | None

class Preview(Members):
    dataset: str
    split: Literal["train", "test"]
    offset: int
    total: int
    data: list[PreviewItem]

class Quantity(Members):
    """Answer of a regression."""

    value: float

class RankingQuality(Members):
    """Agreement of a score's ranking with what was measured."""

    kendall_tau: float | None
    weighted_tau: float | None
    regret: float | None

class Recalibrated(Members):
    """Gain of an arm that moves a slope and a bias per class of the source's network alone."""

    arm: str
    labels_per_class: int | None
    labels: int
    before: float
    after: float
    gain: Gain
    sentence: str

class Reference(Members):
    """Score of answers that look at no item on the test items."""

    chance: float
    majority_class: str
    majority: dict[str, float]
    is_unequal: bool
    is_imbalanced: bool
    not_above: list[str]
    far_below_bound: list[str]

class ReferenceArm(Members):
    metrics: dict[str, Interval]
    validation: Interval | None
    gain: Gain | None
    seconds: float

class Regression(Members):
    kind: Literal["regression"]
    name: str
    unit: str
    mean: float
    std: float

class Relation(Members):
    """Information of a source's classes about the target's, in nats: LEEP over the entropy of
    the target's labels. Of n items it is more than 0 even where there is nothing to tell."""

    told: float
    by_chance: float
    spread: float
    p_value: float
    entropy: float

class Report(Members):
    verdict: Literal["positive_transfer", "no_evidence", "negative_transfer"]
    task: Literal["classification", "multi_label", "regression"]
    unit: str
    reason: str
    primary_metric: str
    confidence: float
    labels_per_class: int | None
    labels: int
    unlabelled: int
    test_items: int
    classes: list[str]
    baseline: str | None
    winner: str | None
    winner_seed: int | None
    arms: dict[str, Arm]
    learning_curve: list[CurvePoint]
    labels_for_goal: list[LabelsForGoal]
    multiplicity: str
    selection: list[Choice]
    stop_reason: Literal["budget", "cancelled"] | None
    missing: list[Missing]
    warnings: list[str]
    label_free: LabelFreeChoice | None
    slices: list[Slice]
    reference: Reference | None
    references: dict[str, ReferenceArm]
    parts: dict[str, ArmParts]
    best_reference: BestReference | None
    ensemble: EnsembleReport | None
    recalibrated: list[Recalibrated]
    transferability: Transferability | None
    columns: list[SharedColumns]
    searches: list[Search]
    devices: list[str]
    trials_failed: int
    seconds: float
    def _repr_html_(self) -> str: ...

class Residuals(Members):
    """Predicted minus true, of the test items, in the quantity's unit; an item's prediction is
    the mean over the seeds."""

    bias: float
    quantiles: dict[str, float]
    points: list[list[Any]]

class ResponseOutput(Members):
    name: Literal["probabilities", "values"]
    datatype: Literal["FP32"]
    shape: list[int]
    parameters: dict[str, Any] | None
    data: list[float] | None

class SameDataset(Members):
    """Another dataset of the project that holds the very same data."""

    id: str
    name: str

class ScaledColumn(Members):
    """A number that was brought to the target's scale in the source's rows."""

    arm: str
    name: str
    by: Literal["moments", "quantiles"]
    source_mean: float
    source_deviation: float
    target_mean: float
    target_deviation: float

class Schema(Members):
    """A stored dataset: what its items are, what is asked of them, and how many there are."""

    inputs: Any
    task: Any
    splits: dict[str, int]
    class_counts: dict[str, list[int]]
    columns: list[ColumnInfo]

class Score(Members):
    label: str
    score: float

class Search(Members):
    """Record of what an arm's search tried, and what the arm's trials were then trained with."""

    arm: str
    others: list[str]
    labels_per_class: int | None
    seed: int
    chosen: dict[str, Any]
    reason: str
    tried: list[dict[str, Any]]
    scores: dict[str, float | None] | None
    relation: Relation | None
    seconds: float

class ServerLive(Members):
    live: Literal[True]

class ServerMetadata(Members):
    name: str
    version: str
    extensions: list[str]

class ServerReady(Members):
    live: Literal[True]
    ready: Literal[True]

class SharedColumn(Members):
    name: str
    source_name: str
    kind: str
    confirmed: bool
    measure: Literal["wasserstein", "total_variation"]
    distance: float | None
    missing: list[Any] | None

class SharedColumns(Members):
    """Columns shared by one source's table and the target's, in the order of the target's
    columns."""

    source: int
    shared: list[SharedColumn]
    target_only: list[str]
    source_only: list[str]
    unlike: list[UnlikeColumns]
    similar: list[SimilarColumns]
    scaled: list[ScaledColumn]
    made_up: list[MadeUpColumn]

class Signature(Members):
    """Form of what a model is asked, and of what it answers."""

    inputs: Any
    task: Any
    temperature: float | None
    encoder: EncoderIdentity | None

class SimilarColumns(Members):
    """Columns of other names that may be one: a job says so in its source's `columns`."""

    name: str
    source_name: str
    reason: str

class Slice(Members):
    """All that is said by one column of `evaluation.slices`."""

    column: str
    values_: list[SliceValue]
    too_few: dict[str, int]
    worst: WorstSlice | None
    sentence: str

class SliceArm(Members):
    """One arm on the items of one value."""

    metrics: dict[str, Interval]
    gain: Gain | None

class SliceValue(Members):
    """The test items with one value of the column; numbers and dates are cut into quarters."""

    value: str
    items_: int
    arms: dict[str, SliceArm]
    references: dict[str, SliceArm]

class SourceRank(Members):
    """A candidate source's place."""

    source: int
    reference: str
    name: str | None
    scores: dict[str, float | None]
    relation: Relation | None
    doubt: str | None
    domain_distance: dict[str, float | None] | None
    measured: Interval | None
    best_arm: str | None

class Strategies(Members):
    data: list[Strategy]

class Strategy(Members):
    name: str
    summary: str
    needs: list[
        Literal[
            "source",
            "target_labels",
            "source_data",
            "classification",
            "same_classes",
            "unlabelled_target",
            "unlabelled_items",
            "batch_norm",
            "source_head",
            "pairs",
            "shared_numbers",
            "lacking_columns",
        ]
    ]
    beside_labels: (
        list[
            Literal[
                "source",
                "target_labels",
                "source_data",
                "classification",
                "same_classes",
                "unlabelled_target",
                "unlabelled_items",
                "batch_norm",
                "source_head",
                "pairs",
                "shared_numbers",
                "lacking_columns",
            ]
        ]
        | None
    )
    paper: str | None
    params: dict[str, Any]

class Suspect(Members):
    """An item whose label is likely wrong."""

    split: Literal["train", "test"]
    index: int
    label: str
    proposed: str
    score: float

class Suspected(Members):
    """Reason why an item's label is likely wrong, by the dataset's audit."""

    proposed: str
    score: float

class TableContributions(Members):
    """A value is taken away by making it missing, as null does, where training rows lack some of
    its column's values too: the model has learnt what that means. Where none did, it is
    compared with values of training rows, up to eight that cut them into about equal shares,
    or the commonest categories: its contribution is the mean of these changes."""

    kind: Literal["table"]
    columns: list[ColumnContribution]
    missing: list[str]

class TableInputs(Members):
    """One tensor `row`, a number per column: see app.inputs.columns."""

    modality: Literal["table"]
    columns: list[Any]

class TensorMetadata(Members):
    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, list[str]] | None

class TextContributions(Members):
    """Pieces are words, which stand between white space, and each character of Chinese and
    Japanese; of a text of more pieces than are taken away, so many neighbours together that
    they are. What the model does not look at of a long text is in no piece."""

    kind: Literal["text"]
    pieces: list[PieceContribution]

class TextInputs(Members):
    """One tensor `text` (length,), int32: the code points of a text by app.inputs.text_rule,
    then 0. A longer text is cut: its first `length` - 1 code points, then CUT. Zeros alone:
    no text."""

    modality: Literal["text"]
    length: int

class TrafficWindow(Members):
    window: Literal["minute", "hour", "day"]
    seconds: int
    requests: int
    requests_per_second: float
    items_: int
    errors: dict[str, int]
    p50_seconds: float | None
    p99_seconds: float | None
    doubts: list[DoubtedInputs]
    answers: list[AnswerShare]
    answers_left_off: int
    drift: Drift

class Transferability(Members):
    headline: str
    reason: str
    ranked_by: str
    ranking: list[SourceRank]
    quality: dict[str, RankingQuality] | None

class TrialMetrics(Members):
    id: str
    arm: str
    seed: int
    labels_per_class: int | None
    status: Literal["waiting", "queued", "running", "succeeded", "failed", "cancelled"]
    epochs: list[Epoch]
    test: dict[str, float] | None

class Trial(Members):
    id: str
    job_id: str
    role: Literal["pretrain", "score", "search", "baseline", "bound", "transfer", "reference"]
    arm: str
    seed: int
    labels_per_class: int | None
    depends_on: str | None
    reused_from: str | None
    status: Literal["waiting", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    attempt: int
    seconds: float
    validation: dict[str, float] | None
    test: dict[str, float] | None
    outcome: dict[str, Any] | None
    error: Failure | None
    started_at: str | None
    ended_at: str | None

class UnlikeColumns(Members):
    """Columns of equal names that are not one, and what would make them one."""

    name: str
    source_name: str
    reason: str

class Usage(Members):
    """Usage of the caller's project, and what it may hold."""

    project: str
    bytes: Bytes
    datasets: int
    jobs: int
    running_trials: int
    limits: Limits
    disk: Disk | None

class Validation(Members):
    """Plan of what a job would do. Nothing was started."""

    spec: dict[str, Any]
    selection: list[Choice]
    trials: list[PlannedTrial]
    steps: int
    estimate: MemoryEstimate
    estimated_seconds: float
    estimate_basis: Literal["shipped", "measured"]
    domain_distance: list[dict[str, float | None] | None]
    columns: list[SharedColumns]
    strategies: list[Applicability]
    warnings: list[str]

class VersionStatus(Members):
    version: str
    state: Literal["AVAILABLE", "LOADING", "END"]
    status: LoadStatus

class VersionStatuses(Members):
    """Answer to clients of TensorFlow Serving about a deployment: the version it serves."""

    model_version_status: list[VersionStatus]

class WorstSlice(Members):
    """Value where the winner, or without one the baseline, has its worst mean of the primary
    metric."""

    value: str
    items_: int
    arm: str
    mean: float
    rest: float
    difference: Bounds
    is_clear: bool

class Worth(Members):
    """A simulation on items whose labels are known, which proves nothing of those that are not:
    a linear probe on frozen features, trained anew at each number of labels, on items in this
    order and in random order, each draw with items of its own held out to measure on."""

    metric: str
    draws: int
    items_: int
    features: Literal["start", "winner"]
    labels: list[int]
    ordered: Curve
    random: Curve
    gain: float
    low: float
    high: float
    saved: int | None
