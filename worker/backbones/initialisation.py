"""First weights as a pure function of a seed."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

Draw = Callable[[tuple[int, ...], int, int], NDArray[np.float32]]  # of a shape, seed and place

EMBEDDINGS = 0.05
SIGNS, SCALES = "signs", "scales"  # layers whose kernels are factors begin with these names
GIVEN = "given_"  # layers whose weights come from elsewhere begin with it, and start from these
LEVELS = 2  # values of a variable that is built with constants: a recurrent bias has 0 and 1


class Initialiser:
    """Knows a model's variables as they were built (zeros, ones, moving means).

    `initialise(seed)` draws each kernel from Glorot's uniform distribution,
    U(-a, a), a = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, AISTATS 2010), each table of
    embeddings from U(-0.05, 0.05), Keras' own, and the factors of layers that are called `signs`
    from -1 and 1, by numpy: the same seed gives the same bits however often it is called and
    whatever ran before.
    """

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        """Raises ValueError where a variable was drawn and it is not known how."""
        self._variables = tuple(variables)
        self._draws = [_draw_of(variable) for variable in variables]
        self._constants = [
            None if draw or is_random_state(variable) else variable.numpy()
            for variable, draw in zip(variables, self._draws, strict=True)
        ]
        for variable, constant in zip(variables, self._constants, strict=True):
            is_open = variable.trainable and not _layer_of(variable).startswith(GIVEN)
            if constant is not None and is_open and len(np.unique(constant)) > LEVELS:
                detail = f"{variable.path}: expected a kernel, embeddings, or constants to start"
                raise ValueError(f"{detail} from, got values that were drawn without the seed")

    def initialise(self, seed: int) -> None:
        for index, variable in enumerate(self._variables):
            if is_random_state(variable):
                variable.assign(np.array([seed, index], variable.dtype))
            elif draw := self._draws[index]:
                variable.assign(draw(tuple(variable.shape), seed, index))
            else:
                variable.assign(self._constants[index])


def _draw_of(variable: keras.Variable) -> Draw | None:
    """How its first values are drawn; None: it is built with them."""
    layer, name = _layer_of(variable), str(variable.path).rpartition("/")[2]
    if layer.startswith((SCALES, GIVEN)):
        return None
    if layer.startswith(SIGNS):
        return _signs
    if name.endswith("kernel"):
        return _glorot_uniform
    return _small_uniform if name == "embeddings" else None


def _layer_of(variable: keras.Variable) -> str:
    return str(variable.path).rpartition("/")[0].rpartition("/")[2]


def never_changes(variable: keras.Variable) -> bool:
    """Tells whether it is a number that came from elsewhere, of a layer that is built frozen."""
    return _layer_of(variable).startswith(GIVEN) and not variable.trainable


def is_random_state(variable: keras.Variable) -> bool:
    """Tells whether it holds the state of a Dropout layer's random numbers: no weight."""
    return str(variable.path).endswith("seed_generator_state")


def _signs(shape: tuple[int, ...], seed: int, index: int) -> NDArray[np.float32]:
    """(members, columns, …): one sign for all parts of a column."""
    apart = (*shape[:2], *[1] * len(shape[2:]))
    draws = np.random.default_rng([seed, index]).integers(0, 2, apart)
    signs: NDArray[np.float32] = np.broadcast_to(2 * draws - 1, shape).astype(np.float32)
    return signs


def _small_uniform(shape: tuple[int, ...], seed: int, index: int) -> NDArray[np.float32]:
    draws = np.random.default_rng([seed, index]).random(shape, np.float32)
    table: NDArray[np.float32] = np.float32(EMBEDDINGS) * (2 * draws - 1)
    return table


def _glorot_uniform(shape: tuple[int, ...], seed: int, index: int) -> NDArray[np.float32]:
    receptive = int(np.prod(shape[:-2]))  # 1 for a dense kernel (inputs, outputs)
    limit = np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))
    draws = np.random.default_rng([seed, index]).random(shape, np.float32)
    kernel: NDArray[np.float32] = np.float32(limit) * (2 * draws - 1)
    return kernel
