"""The contract of modalities, what an item is: the half that needs TensorFlow."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.spec.training import Augmentation
from app.tensors import Tensors

X = Mapping[str, tf.Tensor]  # tensors (batch, …) by their names


class Apart(NamedTuple):
    """Items as `seen` gives them with some parts alone and with the others alone; `paired`
    (batch,), float32, is 1 where both are there."""

    own: X
    others: X
    paired: tf.Tensor


class InputLayers(ABC):
    """A modality in the graph: raw tensors become what a backbone takes, and views of it.

    `preprocessing` is made of stock Keras layers, so that training, evaluation and the packaged
    model share it: tensors of the names of `Inputs.tensors` to those that the backbone takes.
    """

    preprocessing: keras.Model
    # Of tensors (batch, places, …) that hold several parts of an item, as a table's columns: which
    # part each place belongs to, (places,)
    blocks: Mapping[str, NDArray[np.int32]] = {}

    @property
    def raw(self) -> dict[str, tf.TensorSpec]:
        """Raw tensors of any number of items, as `preprocessing` takes them."""
        given: Mapping[str, keras.KerasTensor] = self.preprocessing.input
        return {
            name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)
            for name, tensor in given.items()
        }

    def arrays(self, raw: Tensors) -> dict[str, NDArray[Any]]:
        """Casts raw columns to the dtypes of `raw`, for what is compiled for those alone."""
        return {
            name: np.asarray(raw[name], spec.dtype.as_numpy_dtype)
            for name, spec in self.raw.items()
        }

    def seen(self, raw: X) -> X:
        """Raw tensors of any dtypes -> what the backbone takes."""
        cast = {name: tf.cast(raw[name], spec.dtype) for name, spec in self.raw.items()}
        seen: X = self.preprocessing(cast)
        return seen

    def augmented(self, x: X, how: Augmentation, seed: tf.Tensor) -> X:
        """Items as `seen` gives them, changed as a job asks for; `seed` (2,), int64, decides."""
        return (self.weak if how.strength == "weak" else self.strong)(x, seed)

    def hidden(self, raw: X, most: float, seed: tf.Tensor) -> X:
        """Raw items of which some parts go missing; those of most modalities have no such parts."""
        return raw

    def without_parts(self, raw: X, chance: float, seed: tf.Tensor) -> X:
        """Raw items of several parts of which some go missing, each with this chance; others have
        one part alone, which stays."""
        return raw

    def apart(self, x: X, parts: Collection[str]) -> Apart:
        """Items as `seen` gives them, by `parts` and by all others. Raises ValueError where items
        are one part."""
        raise ValueError(f"expected items of several parts, got {type(self).__name__}")

    @abstractmethod
    def weak(self, x: X, seed: tf.Tensor) -> X:
        """Items as `seen` gives them, changed a little; the labels stay true."""

    @abstractmethod
    def strong(self, x: X, seed: tf.Tensor) -> X:
        """Items as `seen` gives them, changed so far that the labels just stay true."""
