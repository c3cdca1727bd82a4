"""A trained network -> one ONNX graph from raw inputs to probabilities, held against Keras.

The graph is traced here and not by Keras' `model.export(format="onnx")`: that one names the output
itself, and it has put BatchNorm in training mode where a network begins with a Resizing layer.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import keras
import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf

from app.models.schemas import Signature
from app.prediction.feeds import ONE
from app.spec.ensemble_report import EnsembleCost
from app.tensors import Tensors
from worker.machine.device import full_float32
from worker.objectives import objective_of
from worker.packaging.averaging import averaged_graph
from worker.packaging.conversion import convert, fix
from worker.packaging.cost import cost_of
from worker.packaging.frozen_encoder import FrozenEncoder
from worker.packaging.golden import hold

Array = npt.NDArray[np.float32]

OUTPUTS = "outputs"  # of a member's graph
LARGE_KERNEL = 2**17  # weights: 512 KiB


@dataclass(frozen=True)
class Packaged:
    """Paths into the working directory, and how far the graph was from Keras.

    `max_difference` is the largest absolute difference of a probability, or of a quantity in
    standard deviations; `seconds` is wall time; `cost` is an ensemble's.
    """

    onnx: Path
    keras: Path
    golden: Path
    max_difference: float
    seconds: float
    cost: EnsembleCost | None = None


def package(
    raw_model: keras.Model,
    sample: Tensors,
    workdir: Path,
    signature: Signature,
    frozen: FrozenEncoder | None = None,
    members: Sequence[keras.Model] = (),
) -> Packaged:
    """Exports the network and checks that the export answers as the network does.

    Args:
        raw_model: raw values (n, *shape) -> logits (n, classes); of items of several tensors, these
            by their names.
        sample: raw values (m, *shape), m >= 1, by the names of an item's tensors; the first 32
            become golden inputs.
        workdir: an existing folder for `model.onnx`, `model.keras` and `golden.npz`.
        signature: what an item is and what is asked of it. The graph divides the logits by its
            temperature before the softmax; the .keras archive does not.
        frozen: the encoder whose features `raw_model` takes; then items are texts, the graph takes
            their tokens, and the .keras archive features.
        members: of an ensemble, of whose answers `raw_model` makes the mean (`averaged_model`).
            They are converted one by one, and stand in one graph.

    Returns:
        The files. The graph takes `inputs` (n, *shape), or each of several tensors by its name, in
        the network's dtypes for any n and answers `probabilities` (n, classes) float32, or what the
        task calls its answers. `golden.npz` holds `inputs`, or `inputs.NAME` for each of several,
        and the answers as Keras computed them; and, where clients do not send such arrays, `raw`:
        the golden inputs as the JSON of a request has them, its bytes as uint8.

    Raises:
        WorkFailure: `package_mismatch` when a probability differs by more than 1e-4, or a quantity
            by more than that of its standard deviation, or one is not finite.
    """
    with full_float32():  # as the graph computes where it is served
        return _package(raw_model, sample, workdir, signature, frozen, members)


def _package(
    raw_model: keras.Model,
    sample: Tensors,
    workdir: Path,
    signature: Signature,
    frozen: FrozenEncoder | None,
    members: Sequence[keras.Model],
) -> Packaged:
    started = time.perf_counter()
    task, temperature = signature.task, signature.temperature
    objective, output = objective_of(task), task.answers
    takes = _takes(raw_model)

    @tf.function(input_signature=takes)  # type: ignore[untyped-decorator]  # TensorFlow
    def outputs(*inputs: tf.Tensor) -> tf.Tensor:
        """Called eagerly a Keras model keeps whatever its layers give until its end: gigabytes."""
        return raw_model(_given(raw_model, inputs), training=False)

    def in_order(inputs: Tensors) -> list[npt.NDArray[np.generic]]:
        given = {ONE: frozen.features(inputs)} if frozen else inputs
        return [given[spec.name] for spec in takes]

    graph, archive, golden = (workdir / f for f in ("model.onnx", "model.keras", "golden.npz"))
    head, alone = workdir / "averaged.onnx", workdir / "member.onnx"  # to be measured

    def activated(outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: objective.activate(outputs, temperature)}

    if members:
        graphs = [_export(each, takes, lambda outputs: {OUTPUTS: outputs}) for each in members]
        onnx.save(graphs[0], alone)
        onnx.save(averaged_graph(graphs, activated, objective), graph)
        del graphs
        copyfile(graph, head)
    else:
        onnx.save(_export(raw_model, takes, activated), graph)
    if frozen:
        frozen.join(graph)
    raw_model.save(archive)

    def answers(inputs: Tensors) -> Array:
        found: Array = objective.activate(outputs(*in_order(inputs)), temperature).numpy()
        return found

    def unsoftened(inputs: Tensors) -> Array:
        found: Array = tf.nn.softmax(outputs(*in_order(inputs))).numpy()
        return found

    prepare = frozen.prepare if frozen else None
    difference = hold(
        graph,
        golden,
        signature,
        sample,
        answers,
        unsoftened,
        prepare,
    )

    def of_head(inputs: Tensors) -> dict[str, npt.NDArray[np.generic]]:
        return dict(zip([spec.name for spec in takes], in_order(inputs), strict=True))

    cost = cost_of(graph, golden, prepare, (head, alone), of_head) if members else None
    return Packaged(graph, archive, golden, difference, time.perf_counter() - started, cost)


def _takes(raw_model: keras.Model) -> list[tf.TensorSpec]:
    """The tensors of a graph, in an order that stays."""
    inputs = raw_model.input
    named = inputs if isinstance(inputs, Mapping) else {ONE: inputs}
    return [
        tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=name)
        for name, tensor in named.items()
    ]


def _given(
    raw_model: keras.Model, inputs: tuple[tf.Tensor, ...]
) -> tf.Tensor | dict[str, tf.Tensor]:
    """What the network is called with: its tensors in the order of `_takes`."""
    if not isinstance(raw_model.input, Mapping):
        return inputs[0]
    return dict(zip(raw_model.input, inputs, strict=True))


def _export(
    raw_model: keras.Model,
    takes: list[tf.TensorSpec],
    activated: Callable[[tf.Tensor], dict[str, tf.Tensor]],
) -> onnx.ModelProto:
    """Large kernels of dense layers are inputs while the graph is converted, and are put into it
    afterwards: of what is constant tf2onnx makes some sixty copies (8.7 GB for a network of 147
    MB). Kernels of convolutions stay constant, which it lays out anew and joins with BatchNorm.
    """
    large = {
        f"kernel_{number}": variable
        for number, variable in enumerate(raw_model.variables)
        if len(variable.shape) == 2 and math.prod(variable.shape) >= LARGE_KERNEL
    }

    def answers(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs, kernels = tensors[: len(takes)], tensors[len(takes) :]
        given = {
            id(variable): kernel for variable, kernel in zip(large.values(), kernels, strict=True)
        }
        trained, fixed = (
            [given.get(id(variable), variable.value) for variable in variables]
            for variables in (raw_model.trainable_variables, raw_model.non_trainable_variables)
        )
        logits, _ = raw_model.stateless_call(
            trained, fixed, _given(raw_model, inputs), training=False
        )
        return activated(logits)

    of_kernels = [tf.TensorSpec(v.shape, v.dtype, name=name) for name, v in large.items()]
    graph = convert(answers, [*takes, *of_kernels])
    fix(graph, large)
    return graph
