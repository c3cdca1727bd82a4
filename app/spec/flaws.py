"""Settings of a job for flawed data: classes of unequal size, labels that are wrong."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Discriminator, Field, Tag

from app.datasets.schemas import Schema
from app.errors import Coded, Finding
from app.sent import Array
from app.tasks.classification import is_imbalanced

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

Imbalance = Literal["none", "logit_adjustment", "class_weights", "focal"]
ImbalanceChoice = Annotated[
    Annotated[Imbalance | Literal["auto"], Tag("one")]
    | Annotated[Array[Imbalance], Field(max_length=4), Tag("several")],
    Discriminator(lambda said: "several" if isinstance(said, list | tuple) else "one"),
]
LabelNoise = Literal["none", "gce", "drop_suspects"]
AUTO: tuple[Imbalance, ...] = ("none", "logit_adjustment", "class_weights")

IMBALANCE = (
    "what training does about classes of unequal size, in every arm, the baseline and the "
    "pretraining: `logit_adjustment` adds the logarithm of each class's share of the training "
    "items to the logits in the loss alone (Menon et al., ICLR 2021), `class_weights` weighs items "
    "by the effective number of their class (Cui et al., CVPR 2019), `focal` weighs down what is "
    "told well (Lin et al., ICCV 2017). What is measured and served is the plain softmax; after "
    "the first two it answers as if classes were equally frequent. A list compares its members: "
    "each arm, the baseline too, is trained with the one that tells items held out of its training "
    "data best, the first where they are level; the pretraining is then trained with `none`. "
    "`auto`: none, logit_adjustment and class_weights, where the target's classes are of unequal "
    "size"
)
LABEL_NOISE = (
    "what training does about wrong labels, in every arm, the baseline and the pretraining: `gce` "
    "learns by a loss that no single label can pull far (Zhang & Sabuncu, NeurIPS 2018), "
    "`drop_suspects` leaves out training items whose nearest neighbours say that their label is "
    "wrong; validation and test items all stay"
)
# Of a loss of the label's probability alone, with nothing to say of the other classes.
UNSMOOTHED: frozenset[str] = frozenset({"focal", "gce"})


def compared(spec: "JobSpec", target: Schema) -> tuple[Imbalance, ...]:
    """Choices of `imbalance` among which each arm has one chosen; () where the job says which."""
    if isinstance(spec.imbalance, tuple):
        return spec.imbalance
    if spec.imbalance == "auto" and not _obstacle(spec, target):
        return AUTO
    return ()


def _obstacle(spec: "JobSpec", target: Schema) -> str | None:
    """Why `auto` compares nothing."""
    if not target.task.has_classes:
        return "it is of classes"
    if not spec.target.use_labels:
        return "without target labels nothing tells which is better"
    counts = target.class_counts["train"]
    if not is_imbalanced(counts):
        return "the target's classes are of about one size"
    if not is_imbalanced(target.task.strata(counts, spec.target.budget)):
        return "the label budget takes as many items of each of the target's classes"
    return None


def decided(spec: "JobSpec", target: Schema) -> tuple[Imbalance, str | None]:
    """Returns what all that is trained before a comparison is trained with, and why, where the job
    left it open."""
    if isinstance(spec.imbalance, tuple):
        return "none", None
    if spec.imbalance != "auto":
        return spec.imbalance, None
    obstacle = _obstacle(spec, target)
    return "none", obstacle or "each arm has one chosen by held-out training items"


def loses_smoothing(spec: "JobSpec") -> bool:
    """Tells whether the job's loss leaves no room for label smoothing."""
    return bool(UNSMOOTHED & {*_said(spec), spec.label_noise})


def _said(spec: "JobSpec") -> tuple[str, ...]:
    return spec.imbalance if isinstance(spec.imbalance, tuple) else (spec.imbalance,)


def flaw_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    said = _said(spec)
    if not target.task.has_classes:
        for field, values in {"imbalance": said, "label_noise": (spec.label_noise,)}.items():
            if value := next((each for each in values if each not in {"none", "auto"}), None):
                detail = f"expected `none` in a {target.task.kind}, got {value}: it is of classes"
                yield "needs_classification", Finding(detail, f"#/{field}")
        return
    if isinstance(spec.imbalance, tuple):
        yield from _comparison_findings(spec)
    if "focal" in said and spec.label_noise == "gce":
        detail = (
            "expected another `imbalance` with the label_noise `gce`, got focal: it weighs up the "
            "items that gce weighs down; there are logit_adjustment and class_weights"
        )
        yield "contradicting_losses", Finding(detail, "#/imbalance")
    if spec.training.label_smoothing and loses_smoothing(spec):
        of = " and ".join(sorted(UNSMOOTHED & {*said, spec.label_noise}))
        detail = (
            f"expected label_smoothing 0 with {of}, got {spec.training.label_smoothing}: that loss "
            "knows the label's probability alone"
        )
        yield "contradicting_losses", Finding(detail, "#/training/label_smoothing")


def _comparison_findings(spec: "JobSpec") -> Iterator[Coded]:
    said = _said(spec)
    if len(said) < 2 or len({*said}) < len(said):
        detail = f"expected two or more different choices to compare, got {', '.join(said) or '[]'}"
        yield "nothing_to_compare", Finding(detail, "#/imbalance")
    if not spec.target.use_labels:
        detail = (
            "expected one choice where the target's labels are not used, as nothing tells there "
            "which is better, got several"
        )
        yield "labels_missing", Finding(detail, "#/imbalance")
