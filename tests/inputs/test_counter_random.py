import numpy as np
import pytest
import tensorflow as tf

from worker.inputs.counter_random import uniform

SEED = tf.constant([3, 4], tf.int64)


def draws(seed: list[int], *shape: int) -> np.ndarray:
    return uniform(shape, tf.constant(seed, tf.int64)).numpy()


def permuted(x: int) -> int:
    """The permutation of 32 bits, written again on Python's integers."""
    x &= 0xFFFFFFFF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> shift
        x = x * factor & 0xFFFFFFFF
    return x ^ x >> 16


def test_draws_by_an_independent_writing() -> None:
    first, second = 2**40 + 3, 7
    k_0 = permuted(permuted(first) + 0x9E3779B9 * second)
    k_1 = k_0 + permuted(first >> 32) + 0x9E3779B9 * permuted(second >> 32)
    k_1 = permuted(k_1)
    expected = [(permuted(permuted(i ^ k_0) + k_1) >> 8) * 2.0**-24 for i in range(6)]
    assert draws([first, second], 2, 3).ravel().tolist() == expected


def test_compiled_or_not_the_bits_are_the_same() -> None:
    plain, compiled = (
        tf.function(lambda seed: uniform((50, 3), seed), jit_compile=jit)(SEED)
        for jit in (False, True)
    )
    assert np.array_equal(plain, compiled)
    assert np.array_equal(plain, uniform((50, 3), SEED))


def test_they_are_uniform_and_below_one() -> None:
    u = draws([0, 0], 100_000)
    assert u.dtype == np.float32
    assert 0 <= u.min() < u.max() < 1
    counts = np.histogram(u, 100, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 150  # chi squared, 99 degrees: p = .001


@pytest.mark.parametrize("other", [[0, 1], [1, 0], [-1, -1], [0, 2**32], [2**32, 0], [-1, 0]])
def test_seeds_near_each_other_have_nothing_in_common(other: list[int]) -> None:
    u, v = draws([0, 0], 10_000), draws(other, 10_000)
    for lag in (0, 1, 3):
        assert abs(np.corrcoef(u[lag:], v[: len(v) - lag])[0, 1]) < 0.04  # four standard errors


def test_steps_of_one_item_are_independent() -> None:
    """One place under the seeds of 1,000 steps that follow each other."""
    drawn = tf.function(lambda step: uniform((9,), tf.stack([5, step]))[4])
    u = np.array([drawn(tf.constant(step, tf.int64)) for step in range(1000)])
    assert abs(u.mean() - 0.5) < 0.04
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.13
