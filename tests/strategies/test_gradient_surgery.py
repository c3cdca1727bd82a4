"""Projections against vectors drawn by hand."""

import numpy as np
import tensorflow as tf

from worker.strategies.gradient_surgery import project_conflicts


def test_conflicting_gradients_by_hand() -> None:
    """g1 = (1, 0), g2 = (-1, 1): g1 . g2 = -1, so g1 becomes (1, 0) + (-1, 1) / 2 = (.5, .5) and
    g2 becomes (-1, 1) + (1, 0) = (0, 1)."""
    (combined,) = project_conflicts([[tf.constant([1.0, 0.0])], [tf.constant([-1.0, 1.0])]])
    np.testing.assert_allclose(combined.numpy(), [0.5, 1.5])


def test_gradients_that_agree_are_added() -> None:
    (combined,) = project_conflicts([[tf.constant([1.0, 0.0])], [tf.constant([1.0, 1.0])]])
    np.testing.assert_allclose(combined.numpy(), [2.0, 1.0])


def test_the_angle_is_taken_over_all_shared_variables_at_once() -> None:
    """Against each other in the first, with each other in the second: 0 in all, no conflict."""
    one = [tf.constant([1.0]), tf.constant([1.0])]
    other = [tf.constant([-1.0]), tf.constant([1.0])]
    combined = project_conflicts([one, other])
    assert [float(g[0]) for g in combined] == [0.0, 2.0]


def test_what_one_task_alone_reaches_is_its_own() -> None:
    one = [tf.constant([1.0]), tf.constant([5.0]), None]
    other = [tf.constant([-1.0]), None, None]
    shared, own, nobodys = project_conflicts([one, other])
    assert float(shared[0]) == 0.0
    assert float(own[0]) == 5.0
    assert nobodys is None


def test_a_gradient_of_zero_changes_nothing() -> None:
    (combined,) = project_conflicts([[tf.constant([1.0])], [tf.constant([0.0])]])
    assert combined.numpy().tolist() == [1.0]
