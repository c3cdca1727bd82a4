"""A network: preprocessing, backbone (up to its features), head (to the outputs)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import keras
import numpy as np
import tensorflow as tf

from app.datasets.schemas import Schema
from app.inputs import Inputs
from app.inputs.table import TableInputs
from app.spec.backbones import Backbone
from app.spec.memory import INFERENCE, NUMBER, network_size
from app.spec.network_size import Size
from app.tasks import Task
from worker.backbones.bottleneck import with_bottleneck
from worker.backbones.initialisation import Initialiser, is_random_state, never_changes
from worker.backbones.input_rows import Axes, Learnt, carried, keys_of
from worker.backbones.nested import layers_within
from worker.backbones.part_views import PartViews
from worker.backbones.registry import build, input_axes, part_views
from worker.inputs import layers_of
from worker.inputs.contract import InputLayers, X
from worker.machine.device import Precision


@dataclass(frozen=True)
class Architecture:
    """All that the shape of a network depends on; two networks of one have the same variables."""

    model: Backbone
    inputs: Inputs
    task: Task  # nameless
    precision: Precision = "float32"  # of the computations; variables and outputs are float32

    @classmethod
    def of(cls, model: Backbone, schema: Schema, precision: Precision = "float32") -> Self:
        return cls(model, schema.inputs, schema.task.nameless, precision)

    @property
    def outputs(self) -> int:
        """Width of the head."""
        return self.task.outputs

    def input_layers(self) -> InputLayers:
        return layers_of(self.inputs, self.model.image_size)


class Network:
    """Raw items -> outputs (batch, architecture.outputs): logits, or standardised quantities.

    Items are named tensors (batch, …): raw ones as `architecture.inputs` has them, else what
    `inputs.seen` makes of them. Weights are read and written as .npz files keyed by
    `backbone/LAYER/NAME` and `head/…`; what never changes comes with the architecture.
    """

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        model = architecture.model
        self.inputs = architecture.input_layers()
        with _computing_in(architecture.precision):
            self.backbone = build(model, self.inputs.preprocessing.output, self.inputs.blocks)
            if model.bottleneck:
                self.backbone = with_bottleneck(self.backbone, model.bottleneck)
        self.head = self.new_head(architecture.outputs)
        self._fixed = {id(each) for each in self.backbone.variables if never_changes(each)}
        self._initialiser = Initialiser(self.variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """All that may change, always in one order: weights, moving statistics and the random state
        of Dropout."""
        own = [each for each in self.backbone.variables if id(each) not in self._fixed]
        return [*own, *self.head.variables]

    @property
    def feature_count(self) -> int:
        return int(self.backbone.output.shape[-1])

    @property
    def members(self) -> int:
        """Counts how many networks the backbone is, whose features are averaged."""
        shape = self.backbone.output.shape
        return int(shape[1]) if len(shape) == 3 else 1

    @cached_property
    def part_views(self) -> PartViews | None:
        """Halves of a network of several parts, which tell what each part says alone."""
        return part_views(self.architecture.model, self.backbone)

    @cached_property
    def inference_rows(self) -> int:
        """Counts how many items may go through the network at once, beside whatever else bounds
        them."""
        return max(1, INFERENCE // (NUMBER * self._size.widest))

    @property
    def looks_up(self) -> bool:
        """Tells whether the backbone takes rows of a table, as of characters, that it learns."""
        return self._size.lookups > 0

    @cached_property
    def _size(self) -> Size:
        inputs = self.architecture.inputs
        return network_size(self.architecture.model, inputs.layout, inputs.tokens)

    def new_head(self, classes: int) -> keras.Model:
        """Features (batch, feature_count) -> outputs (batch, classes)."""
        features = keras.Input((self.feature_count,), name="features")
        outputs = keras.layers.Dense(classes, name="logits")(features)
        return keras.Model(features, outputs, name="head")

    def features(self, x: X, training: bool = False) -> tf.Tensor:
        """Items as `inputs.seen` gives them -> features (batch, feature_count), float32.

        What strategies train on: each stream has been through a preprocessing of its own.
        """
        features = tf.cast(self.backbone(x, training=training), tf.float32)
        return tf.reduce_mean(features, 1) if self.members > 1 else features

    def members_features(self, x: X, training: bool = False) -> tf.Tensor:
        """Items as in `features` -> each member's own (batch, members, feature_count), float32."""
        features = tf.cast(self.backbone(x, training=training), tf.float32)
        return features if self.members > 1 else features[:, None]

    def outputs(self, x: X, training: bool = False) -> tf.Tensor:
        """Items as in `features` -> outputs (batch, outputs), float32."""
        return self.head(self.features(x, training), training=training)

    def raw_features(self, raw: X) -> tf.Tensor:
        """Raw items -> features (batch, feature_count), float32, in inference."""
        return self.features(self.inputs.seen(raw))

    def raw_outputs(self, raw: X) -> tf.Tensor:
        """Raw items -> outputs (batch, outputs), float32, in inference."""
        return self.head(self.raw_features(raw))

    def raw_model(self) -> keras.Model:
        """The whole network as one Keras model that shares these weights: of items of one raw
        tensor `inputs` (n, *shape) -> outputs (n, outputs), of others a dict of these by their
        names."""
        specs, is_one = self.inputs.raw, len(self.inputs.raw) == 1
        raw = {
            name: keras.Input(
                spec.shape[1:], name="inputs" if is_one else name, dtype=spec.dtype.name
            )
            for name, spec in specs.items()
        }
        features = self.backbone(self.inputs.preprocessing(raw))
        if self.members > 1:
            features = keras.layers.GlobalAveragePooling1D(name="members_mean")(features)
        given = next(iter(raw.values())) if is_one else raw
        return keras.Model(given, self.head(features), name="network")

    @property
    def norms(self) -> list[keras.layers.BatchNormalization]:
        """The BatchNorm layers of the backbone; a head has none."""
        return layers_within(self.backbone, keras.layers.BatchNormalization)

    @contextmanager
    def batch_norm_frozen(self) -> Iterator[None]:
        """Calls inside use BatchNorm's moving statistics and leave them as they are."""
        for layer in self.norms:
            layer.trainable = False
        try:
            yield
        finally:
            for layer in self.norms:
                layer.trainable = True

    @cached_property
    def compiled_features(self) -> Any:
        """`raw_features`, compiled once for any number of rows."""
        return tf.function(self.raw_features, input_signature=[self.inputs.raw], autograph=False)

    @cached_property
    def compiled_outputs(self) -> Any:
        """`raw_outputs`, compiled once for any number of rows."""
        return tf.function(self.raw_outputs, input_signature=[self.inputs.raw], autograph=False)

    @cached_property
    def compiled_head(self) -> Any:
        """Features (n, feature_count), float32 -> outputs, compiled once for any number of rows."""
        signature = [tf.TensorSpec((None, self.feature_count), tf.float32)]
        return tf.function(self.head, input_signature=signature, autograph=False)

    @cached_property
    def compiled_by_batch(self) -> Any:
        """`batch_statistics.by_batch`, compiled once for any number of rows."""
        from worker.backbones.batch_statistics import by_batch  # which knows networks

        return by_batch(self)

    def initialise(self, seed: int) -> None:
        """All variables as a pure function of `seed`."""
        self._initialiser.initialise(seed)

    def save_weights(self, path: Path) -> None:
        partial = path.with_name(f"{path.name}.{uuid4().hex}.partial")
        try:
            with partial.open("wb") as file:
                np.savez(file, **{name: w.numpy() for name, w in self._weights().items()})
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def load_weights(self, path: Path) -> None:
        """Raises ValueError when the file's weights are not this network's."""
        _load(path, self._weights())

    def load_backbone(self, path: Path, learnt: Learnt | None = None) -> None:
        """Loads the weights of the backbone and leaves the head: the file's may have other classes.

        `learnt`: the columns of a table by which the file's has learnt, where they may be others
        than this network's: its weights go to the same columns, and new columns start silent.

        Raises ValueError when the file's backbone is another one.
        """
        weights = {k: w for k, w in self._weights().items() if k.startswith("backbone/")}
        if learnt:
            self._load_rows(path, weights, learnt)
        _load(path, weights)

    def _load_rows(self, path: Path, weights: dict[str, keras.Variable], learnt: Learnt) -> None:
        """Loads, and takes out of `weights`, those that have rows for columns."""
        model, joint = self.architecture.model, self.architecture.inputs
        if not isinstance(joint, TableInputs):
            raise ValueError(
                f"expected a network for rows of a table, got one for {joint.modality}"
            )
        names = {column.name: column.name for column in joint.columns}
        own, theirs = (keys_of(joint, joint, names), keys_of(learnt.inputs, joint, learnt.names))
        seen = layers_of(learnt.inputs, None).preprocessing.output
        their_axes = input_axes(model, seen)
        with np.load(path, allow_pickle=False) as stored:
            for name, axis in self.input_axes.items():
                variable = weights.pop(f"backbone/{name}")
                their_axis = their_axes.get(name, axis._replace(tensors=()))
                rows = stored[f"backbone/{name}"] if name in their_axes else None
                sides = (axis, own), (their_axis, theirs)
                variable.assign(carried(rows, *sides, variable.numpy()))

    @property
    def input_axes(self) -> Axes:
        """The axes of the backbone's kernels whose rows belong to columns of a table."""
        return input_axes(self.architecture.model, self.inputs.preprocessing.output)

    def load_head(self, path: Path, head: keras.Model, places: Sequence[int] | None = None) -> None:
        """Loads the weights of the file's head into `head`, a new_head of as many classes.

        `places`: of each class of `head` among those of the file, where their orders differ.

        Raises ValueError when the file's head is another one.
        """
        _load(path, {f"head/{variable.path}": variable for variable in head.variables})
        if places is not None:
            for variable in head.variables:  # (features, classes) and (classes,)
                variable.assign(variable.numpy()[..., list(places)])

    def _weights(self) -> dict[str, keras.Variable]:
        return {
            f"{part}/{variable.path}": variable
            for part, model in (("backbone", self.backbone), ("head", self.head))
            for variable in model.variables
            if not is_random_state(variable) and id(variable) not in self._fixed
        }


@contextmanager
def _computing_in(precision: Precision) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _load(path: Path, weights: dict[str, keras.Variable]) -> None:
    with np.load(path, allow_pickle=False) as stored:
        for name, variable in weights.items():
            got = stored[name].shape if name in stored else "nothing"
            if got != tuple(variable.shape):
                raise ValueError(
                    f"{path.name}: expected {name} of shape {tuple(variable.shape)}, got {got}"
                )
        for name, variable in weights.items():
            variable.assign(stored[name])
