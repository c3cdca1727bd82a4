"""First weights as a pure function of a seed."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]


class Initialiser:
    """Knows a model's variables as they were built (zeros, ones, moving means).

    `initialise(seed)` draws each kernel from Glorot's uniform distribution,
    U(-a, a), a = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, AISTATS 2010), by numpy: the same
    seed gives the same bits however often it is called and whatever ran before.
    """

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        self._variables = tuple(variables)
        self._constants: list[Array | None] = [
            None if is_kernel(variable) or is_random_state(variable) else variable.numpy()
            for variable in variables
        ]

    def initialise(self, seed: int) -> None:
        for index, variable in enumerate(self._variables):
            if is_random_state(variable):
                variable.assign(np.array([seed, index], variable.dtype))
            elif (constant := self._constants[index]) is not None:
                variable.assign(constant)
            else:
                variable.assign(_glorot_uniform(tuple(variable.shape), seed, index))


def is_kernel(variable: keras.Variable) -> bool:
    return str(variable.path).endswith("/kernel")


def is_random_state(variable: keras.Variable) -> bool:
    """Whether it holds the state of a Dropout layer's random numbers: no weight."""
    return str(variable.path).endswith("seed_generator_state")


def _glorot_uniform(shape: tuple[int, ...], seed: int, index: int) -> NDArray[np.float32]:
    receptive = int(np.prod(shape[:-2]))  # 1 for a dense kernel (inputs, outputs)
    limit = np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))
    draws = np.random.default_rng([seed, index]).random(shape, np.float32)
    kernel: NDArray[np.float32] = np.float32(limit) * (2 * draws - 1)
    return kernel
