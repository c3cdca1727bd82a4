"""The loss of a network whose members are trained one by one."""

import numpy as np
import pytest
import tensorflow as tf

from app.spec.backbones import Tabm
from app.spec.training import Training
from app.tasks.regression import Regression
from tests.strategies.losses import cross_entropy
from tests.training.tables import SMALL, architecture, domain, rows
from worker.backbones.network import Network
from worker.objectives import objective_of
from worker.strategies.recipe import Batch, Setting
from worker.strategies.supervised import learn_items


def network() -> Network:
    params = {**SMALL["tabm"], "dropout": 0.0}
    built = Network(architecture(Tabm.model_validate({"backbone": "tabm", "params": params})))
    built.initialise(0)
    return built


def test_each_member_has_a_loss_of_its_own() -> None:
    """The mean of the members' cross-entropies, which is more than that of their mean."""
    here = network()
    x, y = here.inputs.seen({"row": tf.constant(rows(7, 0))}), np.array([0, 1, 1, 0, 1, 0, 0])
    batch = {"target": Batch(x, tf.constant(y, tf.int32), tf.ones(7, tf.bool))}
    loss, outputs = learn_items(here, Setting(Training()))(batch, tf.constant(0.0))
    members = here.members_features(x).numpy()  # (7, 4, 8)
    each = [cross_entropy(here.head(members[:, j]).numpy(), y) for j in range(4)]
    assert float(loss) == pytest.approx(np.mean(each), rel=1e-5)
    np.testing.assert_allclose(outputs, here.outputs(x), atol=1e-5)
    assert float(loss) > cross_entropy(outputs.numpy(), y)


def test_a_quantitys_members_too() -> None:
    here = network()
    x, y = here.inputs.seen({"row": tf.constant(rows(5, 0))}), np.arange(5, dtype=np.float32)
    setting = Setting(Training(), objective=objective_of(Regression(mean=1.0, std=2.0)))
    batch = {"target": Batch(x, tf.constant(y), tf.ones(5, tf.bool))}
    loss, _ = learn_items(here, setting)(batch, tf.constant(0.0))
    members = here.members_features(x).numpy()
    errors = [here.head(members[:, j]).numpy()[:, 0] - (y - 1) / 2 for j in range(4)]
    assert float(loss) == pytest.approx(np.mean(np.square(errors)), rel=1e-5)


def test_it_reaches_all_weights() -> None:
    here, data = network(), domain()
    raw = {"row": tf.constant(data.train.items.head(20).read()["row"])}
    y = tf.constant(data.train.y[:20])
    with tf.GradientTape() as tape:
        batch = {"target": Batch(here.inputs.seen(raw), y, tf.ones(20, tf.bool))}
        loss, _ = learn_items(here, Setting(Training()))(batch, tf.constant(0.0))
    gradients = tape.gradient(loss, here.backbone.trainable_variables)
    assert all(float(tf.reduce_max(tf.abs(each))) > 0 for each in gradients)
