"""The place where an imported network's features end and its head begins."""

from dataclasses import dataclass

import numpy as np

from app.errors import FailureCode, WorkFailure
from app.models.importing import ImportSpec
from app.spec.imported.forms import Flatten
from app.spec.imported.kinds import Kind
from app.spec.imported.values import ActivationLayer, Dense, Softmax
from app.spec.imported.windows import GlobalAveragePooling2D
from worker.importing.reading import Array, ReadLayer, ReadNetwork
from worker.importing.refusing import IMPORT, refused


@dataclass(frozen=True)
class Head:
    """A dense layer whose logits are the classes'. `is_binary`: it has one, the second class's over
    the first's."""

    layer: ReadLayer
    use_bias: bool
    units: int
    is_binary: bool

    def read(self, features: int) -> tuple[Array, Array]:
        """Kernel (features, classes) and bias (classes,): softmax(0, z) is (1 - s, s) of the
        sigmoid s of z."""
        shapes = [(features, self.units), *([(self.units,)] if self.use_bias else [])]
        kernel, *biases = self.layer.weights(shapes)
        bias = biases[0] if biases else np.zeros(self.units, np.float32)
        if self.is_binary:
            kernel = np.concatenate([np.zeros_like(kernel), kernel], axis=1)
            bias = np.concatenate([np.zeros_like(bias), bias])
        return kernel, bias


@dataclass(frozen=True)
class Cut:
    """`calls`: so many of them make the features; `after`: layers that bring these into one
    dimension."""

    calls: int
    after: tuple[Kind, ...] = ()
    head: Head | None = None


def cut_of(read: ReadNetwork, spec: ImportSpec) -> Cut:
    """Raises WorkFailure where the network has no such head as the spec says."""
    if spec.head == "none":
        return Cut(len(read.calls), _flattening(len(read.shapes[-1])) if read.calls else ())
    end, activation = len(read.calls), "linear"
    place, taken = read.calls[-1]
    match read.layers[place].kind:
        case ActivationLayer() as last if taken == (end - 1,) and end > 1:
            end, activation = end - 1, last.activation
        case Softmax() if taken == (end - 1,) and end > 1:
            end, activation = end - 1, "softmax"
    place, taken = read.calls[end - 1]
    layer = read.layers[place]
    uses = sum(each == place for each, _ in read.calls)
    if not isinstance(layer.kind, Dense) or uses > 1 or len(read.shapes[taken[0]]) != 1:
        detail = (
            "expected a dense layer on features in one dimension at the end, which gives the "
            "classes, got another; with the head `none` what the network gives are features"
        )
        raise refused("no_head", detail, *layer.path)
    after = () if end > 1 else (Flatten(kind="Flatten"),)
    if spec.classes is None:
        return Cut(end - 1, after)
    return Cut(end - 1, after, _head(layer, layer.kind, activation, len(spec.classes)))


def _head(layer: ReadLayer, dense: Dense, after: str, classes: int) -> Head:
    activation = after if dense.activation == "linear" else dense.activation
    is_binary = dense.units == 1 and classes == 2 and activation == "sigmoid"
    if dense.units != classes and not is_binary:
        detail = (
            f"expected as many classes as the network has outputs, {dense.units}, got {classes}"
        )
        raise WorkFailure(
            FailureCode.MODEL_INVALID,
            detail,
            stage=IMPORT,
            reason="class_count",
            pointer="#/spec/classes",
        )
    is_twice = "linear" not in (after, dense.activation)
    if is_twice or (not is_binary and activation not in {"softmax", "linear"}):
        detail = (
            "expected softmax or nothing after the last dense layer, or the sigmoid of one unit "
            "for two classes, got another activation; with the head `drop` the layer is left off"
        )
        raise refused("head_activation", detail, *layer.path, "activation")
    return Head(layer, dense.use_bias, dense.units, is_binary)


def _flattening(dimensions: int) -> tuple[Kind, ...]:
    """A picture's mean over height and width; of what has two dimensions all values."""
    if dimensions == 3:
        return (GlobalAveragePooling2D(kind="GlobalAveragePooling2D"),)
    return (Flatten(kind="Flatten"),) if dimensions == 2 else ()
