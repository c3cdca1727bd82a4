"""Losses of flawed data, by hand. Two classes whose logits lie log 3 apart: p = 3/4 and 1/4."""

import numpy as np
import pytest
import tensorflow as tf

from app.spec.flaws import Imbalance, LabelNoise
from app.tasks.classification import Classification
from app.tasks.multi_label import MultiLabel
from worker.objectives import objective_of
from worker.objectives.class_weights import ClassWeighted, effective_number
from worker.objectives.classification import CLASSES
from worker.objectives.contract import Objective
from worker.objectives.flawed import training_objective
from worker.objectives.focal import Focal
from worker.objectives.generalized_cross_entropy import GeneralizedCrossEntropy
from worker.objectives.logit_adjustment import LogitAdjusted

LOGITS = tf.constant([[np.log(3.0), 0.0], [np.log(3.0), 0.0]], tf.float32)
Y = tf.constant([0, 1], tf.int32)
RIGHT, WRONG = np.log(4 / 3), np.log(4)  # -log p
TASK = Classification(classes=("common", "rare"))


def losses(objective: Objective, smoothing: float = 0.0) -> list[float]:
    found: list[float] = objective.loss(LOGITS, Y, smoothing).numpy().tolist()
    assert float(objective.mean_loss(LOGITS, Y, smoothing)) == pytest.approx(np.mean(found))
    return found


def test_logit_adjustment_asks_the_rare_class_for_a_margin() -> None:
    """9 to 1 items: the logits become log 3 + log .9 and log .1, which lie log 27 apart."""
    objective = LogitAdjusted.of(CLASSES, (9, 1))
    assert losses(objective) == pytest.approx([np.log(28 / 27), np.log(28)], rel=1e-5)


def test_logit_adjustment_of_equal_classes_is_cross_entropy() -> None:
    assert losses(LogitAdjusted.of(CLASSES, (5, 5))) == pytest.approx([RIGHT, WRONG])


def test_a_class_without_items_counts_as_one() -> None:
    assert LogitAdjusted.of(CLASSES, (3, 0)).offsets == pytest.approx((np.log(0.75), np.log(0.25)))
    assert ClassWeighted.of(CLASSES, (1, 0)).weights == pytest.approx((1.0, 1.0))


def test_the_effective_number_lies_between_one_and_all() -> None:
    assert effective_number(1) == pytest.approx(1.0)
    assert effective_number(2) == pytest.approx(1.9999)  # 1 + b
    assert effective_number(10**9) == pytest.approx(10_000)


def test_class_weights_go_with_the_inverse_effective_number_and_have_mean_1() -> None:
    """E is 1.9999 and 1: the weights 2 / 2.9999 and 2 1.9999 / 2.9999."""
    weights = ClassWeighted.of(CLASSES, (2, 1)).weights
    assert weights == pytest.approx((2 / 2.9999, 3.9998 / 2.9999))
    found = losses(ClassWeighted.of(CLASSES, (2, 1)))
    assert found == pytest.approx([weights[0] * RIGHT, weights[1] * WRONG], rel=1e-5)


def test_a_class_without_items_takes_no_weight_from_the_others() -> None:
    """Two classes of 1,000 items each weigh 1, whatever a third one would."""
    weights = ClassWeighted.of(CLASSES, (1000, 1000, 0)).weights
    assert weights == pytest.approx((1.0, 1.0, effective_number(1000)))


def test_focal_weighs_down_what_is_told_well() -> None:
    """(1 - p)²: 1/16 for p = 3/4 and 9/16 for p = 1/4."""
    assert losses(Focal(CLASSES)) == pytest.approx([RIGHT / 16, WRONG * 9 / 16], rel=1e-5)


def test_no_single_label_pulls_gce_far() -> None:
    """(1 - p^.7) / .7; a label that is certainly wrong costs 1 / .7, where cross-entropy has no
    end, and its gradient is 0."""
    found = losses(GeneralizedCrossEntropy(CLASSES))
    assert found == pytest.approx([(1 - 0.75**0.7) / 0.7, (1 - 0.25**0.7) / 0.7], rel=1e-5)
    far = tf.Variable([[100.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = GeneralizedCrossEntropy(CLASSES).mean_loss(far, tf.constant([1]))
    assert float(loss) == pytest.approx(1 / 0.7)
    assert np.abs(tape.gradient(loss, far).numpy()).max() < 1e-20


def test_the_gradient_of_focal_is_finite_where_an_item_is_certain() -> None:
    certain = tf.Variable([[1000.0, 0.0], [0.0, 1000.0]])
    with tf.GradientTape() as tape:
        loss = Focal(CLASSES).mean_loss(certain, tf.constant([0, 0]))
    assert np.isfinite(tape.gradient(loss, certain).numpy()).all()


def test_adjustment_and_weights_keep_smoothing_and_the_others_refuse_it() -> None:
    """Smoothed by .5 the loss is the mean of both classes' parts: .5 CE + .5 (RIGHT + WRONG) / 2"""
    both = (RIGHT + WRONG) / 2
    smoothed = [0.5 * RIGHT + 0.5 * both, 0.5 * WRONG + 0.5 * both]
    assert losses(LogitAdjusted.of(CLASSES, (5, 5)), 0.5) == pytest.approx(smoothed, rel=1e-5)
    assert losses(ClassWeighted.of(CLASSES, (5, 5)), 0.5) == pytest.approx(smoothed, rel=1e-5)
    for objective in (Focal(CLASSES), GeneralizedCrossEntropy(CLASSES)):
        with pytest.raises(ValueError, match="expected label_smoothing 0"):
            objective.mean_loss(LOGITS, Y, 0.1)


def test_a_robust_loss_is_adjusted_and_weighted_too() -> None:
    adjusted = training_objective(TASK, "logit_adjustment", "gce", (9, 1))
    assert losses(adjusted)[1] == pytest.approx((1 - (1 / 28) ** 0.7) / 0.7, rel=1e-5)
    weighted = training_objective(TASK, "class_weights", "gce", (2, 1))
    plain = losses(GeneralizedCrossEntropy(CLASSES))
    assert losses(weighted)[0] == pytest.approx(plain[0] * 2 / 2.9999, rel=1e-5)


@pytest.mark.parametrize("noise", ["none", "drop_suspects"])
def test_nothing_chosen_is_the_tasks_own_objective(noise: LabelNoise) -> None:
    assert training_objective(TASK, "none", noise, (9, 1)) == objective_of(TASK)
    labels = MultiLabel(labels=("a", "b"))
    assert training_objective(labels, "none", noise, ()) == objective_of(labels)


@pytest.mark.parametrize("imbalance", ["logit_adjustment", "class_weights", "focal"])
def test_what_is_served_stays_the_plain_softmax(imbalance: Imbalance) -> None:
    objective = training_objective(TASK, imbalance, "none", (9, 1))
    assert objective.activate(LOGITS).numpy()[0] == pytest.approx([0.75, 0.25])
    assert objective.statistic(LOGITS, Y).numpy().tolist() == [[0], [0]]
    assert objective.statistic_spec == CLASSES.statistic_spec
    assert objective.label_type == CLASSES.label_type
    assert objective.label_shape == ()


def test_equal_counts_make_equal_objectives_which_share_a_compiled_loop() -> None:
    one, other = (training_objective(TASK, "class_weights", "none", [9, 1]) for _ in range(2))
    assert (one, hash(one)) == (other, hash(other))
    assert one != training_objective(TASK, "class_weights", "none", [8, 1])
