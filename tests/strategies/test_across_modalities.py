"""The losses of the strategies that learn from pairs, against independent writings in numpy."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import cross_entropy, log_softmax
from tests.training import pairs
from worker.backbones.network import Architecture, Network
from worker.objectives.classification import CLASSES
from worker.objectives.multi_label import LabelsObjective
from worker.objectives.regression import QuantityObjective
from worker.strategies.contrastive import Alikeness, info_nce
from worker.strategies.recipe import Batch, Phase, Setting
from worker.strategies.registry import RECIPES
from worker.training.data import Domain
from worker.training.program import Program

ITEMS = 10


def batch_of(network: Network, domain: Domain) -> Batch:
    split = domain.train.select(np.arange(ITEMS))
    return Batch(network.inputs.seen(split.items.read()), split.y, split.known)


def made(name: str, shares: bool = True, **params: Any) -> tuple[Network, tuple[Phase, ...], Any]:
    job = pairs.spec(name, params)
    network = Network(Architecture.of(job.model, pairs.TARGET.schema))
    setting = Setting(
        job.training, source_classes=pairs.CLASSES, shares_classes=shares, parts=("picture",)
    )
    phases = RECIPES[name](network, job.arms[name].strategy.params, setting)
    Program(network, phases).initialise(3)
    return (
        network,
        phases,
        {
            "target": batch_of(network, pairs.TARGET),
            "source": batch_of(network, pairs.SOURCE),
        },
    )


@pytest.mark.parametrize("teacher", ["fused", "others"])
def test_distillation_by_hand(teacher: str) -> None:
    network, (phase,), batch = made(
        "modality_distill", teacher=teacher, weight=0.5, temperature=2.0
    )
    body, head = phase.companions
    x = dict(batch["source"].x)
    nothing = tf.zeros((ITEMS, 1))
    hidden = {**x, "picture.present": nothing}
    said = head(body(x if teacher == "fused" else hidden)).numpy() / 2
    own = {**x, "row.present": nothing}
    answers = network.outputs(own, training=True).numpy() / 2
    t, s = log_softmax(said), log_softmax(answers)
    there = (x["picture.present"].numpy() * x["row.present"].numpy())[:, 0]
    assert 0 < there.sum() < ITEMS
    of_pairs = 4 * (np.exp(t) * (t - s)).sum(1) @ there / there.sum()
    of_labels = cross_entropy(network.outputs(batch["target"].x, training=True), batch["target"].y)
    loss, _ = phase.loss(batch, tf.constant(0.0))
    assert float(loss) == pytest.approx(of_labels + 0.5 * of_pairs, rel=1e-4)


def test_the_teacher_stays_as_it_is() -> None:
    _, (phase,), _ = made("modality_distill", shares=False)
    body, head, student = phase.companions
    trained = {id(variable) for group in phase.groups for variable in group.variables}
    assert not trained & {id(each) for model in (body, head) for each in model.variables}
    assert {id(each) for each in student.trainable_variables} <= trained


def test_info_nce_by_hand() -> None:
    scores = np.random.default_rng(0).normal(0, 2, (4, 4))
    there = np.array([1, 1, 0, 1])
    kept = scores[np.ix_(there == 1, there == 1)]
    by_hand = -(np.diag(log_softmax(kept)) + np.diag(log_softmax(kept.T))).mean() / 2
    found = info_nce(tf.constant(scores, tf.float32), tf.constant(there, tf.float32))
    assert float(found) == pytest.approx(by_hand, rel=1e-5)
    assert float(info_nce(tf.constant(scores, tf.float32), tf.zeros(4))) == 0


def test_similarities_are_cosines_over_the_temperature() -> None:
    alike = Alikeness(features=3, width=3, temperature=0.5)
    alike.own.assign(np.eye(3))
    alike.others.assign(np.eye(3))
    own = tf.constant([[3.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    others = tf.constant([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    wanted = [[2.0, 0.0], [0.0, 2 / np.sqrt(2)]]
    np.testing.assert_allclose(alike.scores(own, others), wanted, rtol=1e-5, atol=1e-6)
    alike.log_scale.assign(50.0)
    assert float(tf.reduce_max(alike.scores(own, others))) == pytest.approx(100)


def test_the_pretraining_reaches_the_backbone_and_not_the_head() -> None:
    network, (first, second), batch = made("contrastive")
    with tf.GradientTape() as tape:
        loss, outputs = first.loss(batch, tf.constant(0.0))
    (group,) = first.groups
    gradients = tape.gradient(loss, [variable.value for variable in group.variables])
    assert all(gradient is not None for gradient in gradients)
    assert outputs.shape == (ITEMS, pairs.CLASSES)
    heads = {id(each) for each in network.head.variables}
    assert not heads & {id(each) for each in group.variables}
    assert heads & {id(each) for each in second.groups[1].variables}


@pytest.mark.parametrize(
    ("objective", "teacher", "outputs", "wanted"),
    [
        (QuantityObjective(5.0, 2.0), [[1.0], [2.0]], [[0.0], [2.5]], [1.0, 0.25]),
        (CLASSES, [[1.0, -1.0]], [[1.0, -1.0]], [0.0]),
        # 4 (ln 2 - H(σ(2)))
        (LabelsObjective(1), [[4.0]], [[0.0]], [4 * (np.log(2) - 0.3653341)]),
    ],
)
def test_how_far_outputs_are_from_a_teachers(
    objective: Any, teacher: list[list[float]], outputs: list[list[float]], wanted: list[float]
) -> None:
    found = objective.apart(tf.constant(teacher), tf.constant(outputs), 2.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
