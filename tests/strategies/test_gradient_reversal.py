import numpy as np
import pytest
import tensorflow as tf

from worker.strategies.gradient_reversal import reverse, strength


@pytest.mark.parametrize(("q", "expected"), [(0.0, 0.0), (0.5, 0.986614), (1.0, 0.999909)])
def test_the_strength_rises_from_nothing_to_one(q: float, expected: float) -> None:
    """2 / (1 + e^-5) - 1 = 2 / 1.0067379 - 1"""
    assert float(strength(tf.constant(q))) == pytest.approx(expected, abs=1e-6)


def test_forward_it_changes_nothing_and_backward_the_sign() -> None:
    x = tf.constant([[1.0, -2.0], [0.5, 3.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = reverse(x, tf.constant(0.25))
        total = tf.reduce_sum(y * [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(y, x, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(total, x), [[-0.25, -0.5], [-0.75, -1.0]])
