"""Items of several parts in the graph: each part as its own modality has it, and if it is there.

Backbones see `PART.TENSOR` of each, and `PART.present`, (batch, 1), 1 or 0.
"""

from collections.abc import Collection, Sequence

import keras
import numpy as np
import tensorflow as tf

from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import PRESENT, JoinedPart, PartInputs
from app.inputs.photo_features import PhotoFeaturesInputs
from app.inputs.table import ROW, TableInputs
from app.inputs.text import TEXT, TextInputs
from app.spec.training import Augmentation
from worker.inputs.contract import Apart, InputLayers, X
from worker.inputs.counter_random import uniform
from worker.inputs.features import FeaturesLayers
from worker.inputs.image import ImageLayers
from worker.inputs.table import TableLayers
from worker.inputs.text import TextLayers


class JoinedLayers(InputLayers):
    def __init__(self, inputs: JoinedInputs, image_size: tuple[int, int] | None) -> None:
        """`image_size`: of all pictures; without it they keep their sizes."""
        self._parts = inputs.parts
        self._together = _together([part.inputs.modality for part in inputs.parts])
        self._layers = {part.name: _layers(part.inputs, image_size) for part in inputs.parts}
        raw: dict[str, keras.KerasTensor] = {}
        seen: dict[str, keras.KerasTensor] = {}
        for part in inputs.parts:
            own = {}
            for name, spec in self._layers[part.name].raw.items():
                tensor = keras.Input(spec.shape[1:], name=f"{part.name}.{name}", dtype=spec.dtype)
                raw[f"{part.name}.{name}"] = own[name] = tensor
            if part.has_flag:
                raw[part.flag] = own[PRESENT] = keras.Input((), name=part.flag)
            preprocessing = self._layers[part.name].preprocessing
            preprocessing.name = f"{part.name}_preprocessing"
            of_part = preprocessing({name: own[name] for name in self._layers[part.name].raw})
            seen |= {f"{part.name}.{name}": tensor for name, tensor in of_part.items()}
            seen[part.flag] = keras.ops.expand_dims(_present(part, own), 1)
        self.preprocessing = keras.Model(raw, seen, name="preprocessing")

    def augmented(self, x: X, how: Augmentation, seed: tf.Tensor) -> X:
        changed = dict(x)
        for place, part in enumerate(self._parts):
            layers, own = self._layers[part.name], _own(part, x)
            of_part = layers.augmented(own, how, _apart(seed, place))
            changed |= {f"{part.name}.{name}": each for name, each in of_part.items()}
        return changed

    def weak(self, x: X, seed: tf.Tensor) -> X:
        return self._viewed(x, seed, is_strong=False)

    def strong(self, x: X, seed: tf.Tensor) -> X:
        return self._viewed(x, seed, is_strong=True)

    def _viewed(self, x: X, seed: tf.Tensor, is_strong: bool) -> X:
        changed = dict(x)
        for place, part in enumerate(self._parts):
            layers = self._layers[part.name]
            view = layers.strong if is_strong else layers.weak
            of_part = view(_own(part, x), _apart(seed, place))
            changed |= {f"{part.name}.{name}": each for name, each in of_part.items()}
        return changed

    def apart(self, x: X, parts: Collection[str]) -> Apart:
        """Hides parts by their flags alone, which is what leaves out what they say."""
        flags = {part.flag: part.name in parts for part in self._parts}

        def alone(is_own: bool) -> X:
            hidden = {flag for flag, own in flags.items() if own is not is_own}
            return {name: tf.zeros_like(v) if name in hidden else v for name, v in x.items()}

        def there(is_own: bool) -> tf.Tensor:
            each = [x[flag] for flag, own in flags.items() if own is is_own]
            return tf.reduce_max(tf.concat(each, 1), 1)

        return Apart(alone(True), alone(False), there(True) * there(False))

    def without_parts(self, raw: X, chance: float, seed: tf.Tensor) -> X:
        """Raw items whose parts go missing, each with this chance, and so do all of a modality that
        has several beside others: else it were hardly ever seen without them. One of those that
        were there stays."""
        known = tf.stack(
            [tf.cast(_present(part, _raw(part, raw)), tf.float32) for part in self._parts], 1
        )
        draws = uniform(tf.shape(known), seed)
        stays = tf.cast(draws >= chance, tf.float32) * known
        if self._together:
            shape = (tf.shape(known)[0], len(self._together))
            draws_together = uniform(shape, _apart(seed, len(self._parts)))
            gone = tf.cast(draws_together < chance, tf.float32) @ tf.constant(self._together)
            stays *= 1.0 - gone
        luckiest = tf.one_hot(tf.argmax(draws * known, 1), len(self._parts)) * known
        stays = tf.where(tf.reduce_max(stays, 1, keepdims=True) > 0, stays, luckiest)
        changed = dict(raw)
        for place, part in enumerate(self._parts):
            changed |= _kept(part, raw, stays[:, place] > 0)
        return changed


def _together(modalities: Sequence[str]) -> list[list[float]]:
    """(modalities, parts), 1 where a part is of a modality that has several beside others; [] where
    there is none."""
    several = [each for each in dict.fromkeys(modalities) if modalities.count(each) > 1]
    if len(set(modalities)) == 1:
        return []
    return [[float(each == own) for own in modalities] for each in several]


def _layers(inputs: PartInputs, image_size: tuple[int, int] | None) -> InputLayers:
    match inputs:
        case ImageInputs():
            return ImageLayers(inputs, image_size)
        case TableInputs():
            return TableLayers(inputs)
        case TextInputs():
            return TextLayers(inputs)
        case PhotoFeaturesInputs():
            return FeaturesLayers(inputs.shape)


def _present(part: JoinedPart, own: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
    """(batch,), 1 where the part is there; of its raw tensors."""
    if part.has_flag:
        return keras.ops.cast(keras.ops.not_equal(own[PRESENT], 0), "float32")
    if isinstance(part.inputs, TableInputs):
        is_there = keras.ops.logical_not(keras.ops.isnan(own[ROW]))
    else:
        is_there = keras.ops.not_equal(own[TEXT], 0)
    return keras.ops.max(keras.ops.cast(is_there, "float32"), axis=1)


def _raw(part: JoinedPart, raw: X) -> dict[str, tf.Tensor]:
    own = {each.name: raw[f"{part.name}.{each.name}"] for each in part.inputs.tensors}
    return own | ({PRESENT: raw[part.flag]} if part.has_flag else {})


def _own(part: JoinedPart, x: X) -> dict[str, tf.Tensor]:
    """What is seen of a part, by the names that it has alone."""
    start = f"{part.name}."
    return {
        name.removeprefix(start): tensor
        for name, tensor in x.items()
        if name.startswith(start) and name != part.flag
    }


def _kept(part: JoinedPart, raw: X, stays: tf.Tensor) -> dict[str, tf.Tensor]:
    """Raw tensors of a part that is there where `stays` (batch,) says so. The pixels of a picture
    that is hidden are left: BatchNorm would count a picture of zeros."""
    if part.has_flag:
        flag = raw[part.flag]
        return {part.flag: tf.where(stays, flag, tf.zeros_like(flag))}
    (spec,) = part.inputs.tensors
    name = f"{part.name}.{spec.name}"
    values = raw[name]
    nothing = np.nan if isinstance(part.inputs, TableInputs) else 0
    return {name: tf.where(stays[:, None], values, tf.cast(nothing, values.dtype))}


def _apart(seed: tf.Tensor, place: int) -> tf.Tensor:
    """A seed of each part's own, (2,), int64."""
    return seed + tf.constant([0, 7919 * (place + 1)], tf.int64)
