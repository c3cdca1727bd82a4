"""Seconds that training took on one machine: an estimate for an installation that has trained
nothing yet.

STEPS is what `nice -n 10 python -m benchmarks.calibration` prints, here on two shared cores of an
x86-64 server without a GPU, each network at its defaults; ONCE is rounded from the processor's time
in its remarks, with what a worker does besides: data, test, storing. Other sizes, batches, widths
and depths are read off STEPS by their multiplications, linearly between two rows.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import fmean

from app.inputs.layouts import JoinedLayout, PartLayout
from app.spec.backbones import CATALOGUE, Backbone
from app.spec.network_size import Shape


@dataclass(frozen=True)
class StepSeconds:
    """An optimizer step of the whole network."""

    backbone: str
    shape: Shape
    batch: int
    seconds: float
    tokens: int = 1

    @property
    def work(self) -> float:
        """Multiplications of a pass forward."""
        params = CATALOGUE[self.backbone].params()
        return self.batch * params.multiplications(self.shape, self.tokens)


@dataclass(frozen=True)
class FixedSeconds:
    """Seconds of a trial besides its steps."""

    first: float  # of its arm: it compiles
    again: float


# A picture and a row of ten columns.
FUSED = JoinedLayout.of(
    [
        PartLayout("picture", "image", (32, 32, 3), 1),
        PartLayout("row", "table", (1, 1, 170), 10),
    ]
)
STEPS = (
    StepSeconds("mlp", (8, 8, 1), 16, 0.00217),
    StepSeconds("mlp", (8, 8, 1), 64, 0.00160),
    StepSeconds("mlp", (28, 28, 1), 16, 0.00152),
    StepSeconds("mlp", (28, 28, 1), 64, 0.00148),
    StepSeconds("mlp", (64, 64, 3), 16, 0.01661),
    StepSeconds("mlp", (64, 64, 3), 64, 0.01587),
    StepSeconds("convnet", (16, 16, 1), 16, 0.01802),
    StepSeconds("convnet", (16, 16, 1), 64, 0.02965),
    StepSeconds("convnet", (32, 32, 3), 16, 0.01705),
    StepSeconds("convnet", (32, 32, 3), 64, 0.10662),
    StepSeconds("convnet", (64, 64, 3), 16, 0.08836),
    StepSeconds("convnet", (64, 64, 3), 64, 0.41854),
    StepSeconds("mobilenet", (32, 32, 3), 16, 0.11622),
    StepSeconds("mobilenet", (32, 32, 3), 64, 0.22804),
    StepSeconds("mobilenet", (64, 64, 3), 16, 0.14036),
    StepSeconds("mobilenet", (64, 64, 3), 64, 0.41260),
    StepSeconds("mobilenet", (96, 96, 3), 16, 0.20302),
    StepSeconds("mobilenet", (96, 96, 3), 64, 1.23507),
    StepSeconds("efficientnet_lite0", (128, 128, 3), 16, 0.30000),
    StepSeconds("tabm", (1, 1, 170), 16, 0.00285, 10),
    StepSeconds("tabm", (1, 1, 170), 64, 0.00785, 10),
    StepSeconds("tabm", (1, 1, 1700), 16, 0.00970, 100),
    StepSeconds("tabm", (1, 1, 1700), 64, 0.03430, 100),
    StepSeconds("sentence_encoder", (1, 1, 384), 16, 0.00113),
    StepSeconds("sentence_encoder", (1, 1, 384), 64, 0.00201),
    StepSeconds("ft_transformer", (1, 1, 170), 16, 0.01226, 10),
    StepSeconds("ft_transformer", (1, 1, 170), 64, 0.02573, 10),
    StepSeconds("ft_transformer", (1, 1, 1700), 16, 0.16617, 100),
    StepSeconds("ft_transformer", (1, 1, 1700), 64, 0.48136, 100),
    StepSeconds("e5_small", (1, 1, 64), 16, 1.80000),
    StepSeconds("charconv", (1, 64, 1), 16, 0.00805, 64),
    StepSeconds("charconv", (1, 64, 1), 64, 0.03151, 64),
    StepSeconds("charconv", (1, 256, 1), 16, 0.02685, 256),
    StepSeconds("charconv", (1, 256, 1), 64, 0.04929, 256),
    StepSeconds("fusion", FUSED, 16, 0.01906),
    StepSeconds("fusion", FUSED, 64, 0.05233),
)
ONCE = {
    "sentence_encoder": FixedSeconds(first=1.2, again=0.3),
    "mlp": FixedSeconds(first=1.2, again=0.3),
    "convnet": FixedSeconds(first=2.5, again=0.4),
    "mobilenet": FixedSeconds(first=17.0, again=1.5),
    "efficientnet_lite0": FixedSeconds(first=12.0, again=1.5),
    "tabm": FixedSeconds(first=3.0, again=0.4),
    "ft_transformer": FixedSeconds(first=6.0, again=0.6),
    "charconv": FixedSeconds(first=3.0, again=0.5),
    "e5_small": FixedSeconds(first=15.0, again=2.0),
    "fusion": FixedSeconds(first=5.0, again=0.6),
}

# Networks that are read off another's rows: theirs are layers of the same kinds.
ALIKE = {
    "imported": "mobilenet",
    **dict.fromkeys(
        ("efficientnet_lite1", "efficientnet_lite2", "efficientnetv2_b0"), "efficientnet_lite0"
    ),
}


def once(backbone: str) -> FixedSeconds:
    return ONCE[ALIKE.get(backbone, backbone)]


def seconds_per_step(model: Backbone, shape: Shape, batch: int, tokens: int = 1) -> float:
    """Args:
    shape: of the items as the network sees them; `tokens`: their parts.
    """
    rows = _by_work(ALIKE.get(model.backbone, model.backbone))
    work = batch * model.params.multiplications(shape, tokens)
    for (less, low), (more, high) in pairwise(rows):
        if work <= more:
            return low + max(0.0, (work - less) / (more - less)) * (high - low)
    most, seconds = rows[-1]
    return seconds * work / most


@cache
def _by_work(backbone: str) -> list[tuple[float, float]]:
    """Multiplications and seconds of a step, rising; rows of as much work are taken together."""
    alike: dict[float, list[float]] = {}
    for step in STEPS:
        if step.backbone == backbone:
            alike.setdefault(step.work, []).append(step.seconds)
    return sorted((work, fmean(seconds)) for work, seconds in alike.items())
