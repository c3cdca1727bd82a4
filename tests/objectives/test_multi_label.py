from math import log

import numpy as np
import pytest
import tensorflow as tf

from app.tasks.multi_label import MultiLabel
from worker.objectives import objective_of
from worker.objectives.multi_label import LabelsObjective

OBJECTIVE = LabelsObjective(2)
Y = tf.constant([[1, 0], [0, 0]])
OUTPUTS = tf.constant([[0.0, log(3)], [-log(3), 0.0]])  # probabilities 1/2, 3/4; 1/4, 1/2


def test_by_hand() -> None:
    losses = [(log(2) + log(4)) / 2, (log(4 / 3) + log(2)) / 2]
    assert OBJECTIVE.loss(OUTPUTS, Y).numpy() == pytest.approx(losses)
    assert float(OBJECTIVE.mean_loss(OUTPUTS, Y)) == pytest.approx(sum(losses) / 2)
    probabilities = OBJECTIVE.activate(OUTPUTS).numpy()
    assert probabilities == pytest.approx(np.array([[0.5, 0.75], [0.25, 0.5]]))
    assert OBJECTIVE.statistic(OUTPUTS, Y).numpy().tolist() == [[1, 1], [0, 1]]


def test_the_gradient_is_probability_minus_label() -> None:
    outputs = tf.Variable(OUTPUTS)
    with tf.GradientTape() as tape:
        loss = OBJECTIVE.mean_loss(outputs, Y)
    gradient = np.asarray(tape.gradient(loss, outputs))
    assert gradient == pytest.approx(np.array([[-0.5, 0.75], [0.25, 0.5]]) / 4)


def test_a_large_logit_has_a_finite_loss() -> None:
    assert float(OBJECTIVE.mean_loss(tf.constant([[1000.0, -1000.0]]), Y[:1])) == 0
    assert float(OBJECTIVE.mean_loss(tf.constant([[-1000.0, 1000.0]]), Y[:1])) == 1000


def test_smoothing_is_of_classes() -> None:
    with pytest.raises(ValueError, match="label_smoothing 0"):
        OBJECTIVE.mean_loss(OUTPUTS, Y, 0.1)


def test_it_is_the_tasks() -> None:
    assert objective_of(MultiLabel(labels=("a", "b"))) == OBJECTIVE
    assert (OBJECTIVE.statistic_spec, OBJECTIVE.label_shape) == ((tf.int32, 2), (2,))
