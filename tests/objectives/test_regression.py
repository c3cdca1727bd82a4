import numpy as np
import pytest
import tensorflow as tf

from worker.objectives.regression import QuantityObjective

OBJECTIVE = QuantityObjective(mean=100.0, std=10.0)
Y = tf.constant([90.0, 120.0])  # -1 and 2 standard deviations
OUTPUTS = tf.constant([[-1.0], [1.0]])


def test_by_hand() -> None:
    assert OBJECTIVE.loss(OUTPUTS, Y).numpy().tolist() == [0.0, 1.0]
    assert float(OBJECTIVE.mean_loss(OUTPUTS, Y)) == 0.5
    assert OBJECTIVE.statistic(OUTPUTS, Y).numpy().tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert OBJECTIVE.activate(OUTPUTS).numpy().tolist() == [[90.0], [110.0]]


def test_a_step_down_the_gradient_goes_towards_the_label() -> None:
    outputs = tf.Variable(OUTPUTS)
    with tf.GradientTape() as tape:
        loss = OBJECTIVE.mean_loss(outputs, Y)
    assert np.asarray(tape.gradient(loss, outputs)).tolist() == [[0.0], [-1.0]]


def test_smoothing_is_of_classes() -> None:
    with pytest.raises(ValueError, match="label_smoothing 0"):
        OBJECTIVE.mean_loss(OUTPUTS, Y, 0.1)


def test_equal_objectives_share_a_loop() -> None:
    assert QuantityObjective(100.0, 10.0) == OBJECTIVE
    assert hash(OBJECTIVE) == hash(QuantityObjective(100.0, 10.0))
