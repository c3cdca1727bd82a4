import numpy as np
import pytest
import tensorflow as tf

from worker.objectives.classification import cross_entropy


def test_by_hand() -> None:
    """-log softmax: log(1 + e^-1) for the right class ahead by 1, log 3 for three equal logits."""
    logits = tf.constant([[1.0, 0.0, -1e9], [5.0, 5.0, 5.0]])
    loss = cross_entropy(logits, tf.constant([0, 2]))
    assert float(loss) == pytest.approx((np.log(1 + np.exp(-1)) + np.log(3)) / 2)


def test_it_is_zero_for_certainty_and_stays_finite_against_it() -> None:
    logits = tf.constant([[1e4, 0.0]])
    assert float(cross_entropy(logits, tf.constant([0]))) == 0.0
    assert float(cross_entropy(logits, tf.constant([1]))) == pytest.approx(1e4)
