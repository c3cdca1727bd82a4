"""What a job does about flawed data: classes of unequal size, labels that are wrong."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from app.datasets.schemas import Schema
from app.errors import Coded, Finding

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

Imbalance = Literal["none", "logit_adjustment", "class_weights", "focal"]
LabelNoise = Literal["none", "gce", "drop_suspects"]

IMBALANCE = (
    "what training does about classes of unequal size, in every arm, the baseline and the "
    "pretraining: `logit_adjustment` adds the logarithm of each class's share of the training "
    "items to the logits in the loss alone (Menon et al., ICLR 2021), `class_weights` weighs items "
    "by the effective number of their class (Cui et al., CVPR 2019), `focal` weighs down what is "
    "told well (Lin et al., ICCV 2017). What is measured and served is the plain softmax; after "
    "the first two it answers as if classes were equally frequent"
)
LABEL_NOISE = (
    "what training does about wrong labels, in every arm, the baseline and the pretraining: `gce` "
    "learns by a loss that no single label can pull far (Zhang & Sabuncu, NeurIPS 2018), "
    "`drop_suspects` leaves out training items whose nearest neighbours say that their label is "
    "wrong; validation and test items all stay"
)
# Of a loss of the label's probability alone, with nothing to say of the other classes.
UNSMOOTHED: frozenset[str] = frozenset({"focal", "gce"})


def loses_smoothing(spec: "JobSpec") -> bool:
    """Tells whether the job's loss leaves no room for label smoothing."""
    return bool(UNSMOOTHED & {spec.imbalance, spec.label_noise})


def flaw_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    chosen = {"imbalance": spec.imbalance, "label_noise": spec.label_noise}
    if not target.task.has_classes:
        for field, value in chosen.items():
            if value != "none":
                detail = f"expected `none` in a {target.task.kind}, got {value}: it is of classes"
                yield "needs_classification", Finding(detail, f"#/{field}")
        return
    if (spec.imbalance, spec.label_noise) == ("focal", "gce"):
        detail = (
            "expected another `imbalance` with the label_noise `gce`, got focal: it weighs up the "
            "items that gce weighs down; there are logit_adjustment and class_weights"
        )
        yield "contradicting_losses", Finding(detail, "#/imbalance")
    if spec.training.label_smoothing and loses_smoothing(spec):
        of = " and ".join(sorted(UNSMOOTHED & set(chosen.values())))
        detail = (
            f"expected label_smoothing 0 with {of}, got {spec.training.label_smoothing}: that loss "
            "knows the label's probability alone"
        )
        yield "contradicting_losses", Finding(detail, "#/training/label_smoothing")
