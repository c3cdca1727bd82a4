import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import Scene, cross_entropy, log_softmax, scene
from worker.inputs.counter_random import uniform
from worker.inputs.image_views import strong, weak
from worker.strategies.adamatch import ExpectedClasses, Seeds, pseudo_labels, warm_up

CONVNET = ("convnet", {"filters": [4], "dense": 8})


def seed_of(here: Scene, draws: int = 0) -> np.ndarray:
    """What will be drawn after `draws` others."""
    seeds = here.phase.companions[0]
    assert isinstance(seeds, Seeds)
    return np.array(seeds.variables[0].numpy() + np.array([0, draws]))


def changed(here: Scene, ratio: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The next step's images, weakly and strongly changed, the source's `count` first."""
    count = len(here.y_source) // ratio
    x = np.concatenate([here.x_source["image"][:count], here.x["image"]])
    return weak(x, seed_of(here)).numpy(), strong(x, seed_of(here, 1)).numpy(), count


def test_the_warm_up_by_hand() -> None:
    weights = [float(warm_up(tf.constant(q))) for q in (0.0, 0.25, 0.5, 0.9)]
    np.testing.assert_allclose(weights, [0, 0.5, 1, 1], atol=1e-6)


def test_pseudo_labels_by_hand() -> None:
    """Source: sure by 0.8 on average, so 0.4 is enough at half of it. Class 1 is expected three
    times as often in the source: (0.6, 0.4) becomes (6, 12) / 18, (0.9, 0.1) becomes (9, 3) / 12.
    """
    p_s = tf.constant([[0.9, 0.1], [0.3, 0.7]])
    p_t = tf.constant([[0.6, 0.4], [0.9, 0.1]])
    labels, mask = pseudo_labels(p_s, p_t, tf.constant([0.5, 1.5]), 0.5)
    assert labels.numpy().tolist() == [1, 0]
    assert mask.numpy().tolist() == [1, 1]
    _, mask = pseudo_labels(p_s, p_t, tf.constant([0.5, 1.5]), 0.9)  # 0.72 is enough
    assert mask.numpy().tolist() == [0, 1]


def test_expected_classes_start_equal_and_move_by_a_hundredth() -> None:
    expected = ExpectedClasses(2)
    p_s, p_t = tf.constant([[1.0, 0.0], [0.5, 0.5]]), tf.constant([[0.0, 1.0]])
    source, target = 0.5 + 0.0025, 0.5 - 0.005
    ratio = expected.ratio(p_s, p_t).numpy()
    np.testing.assert_allclose(ratio, [source / target, (1 - source) / (1 - target)], rtol=1e-5)
    for _ in range(2000):
        ratio = expected.ratio(p_s, p_t).numpy()
    assert expected.variables[0].numpy() == pytest.approx([0.75, 0.25], rel=1e-4)
    assert np.isfinite(ratio).all()


def test_the_loss_by_an_independent_writing() -> None:
    """An MLP has no BatchNorm: both of the source's logits are the same."""
    here = scene("adamatch", ratio=2, threshold=0.99)
    weakly, strongly, count = changed(here, 2)
    z_weak, z_strong = (here.network.outputs({"image": x}).numpy() for x in (weakly, strongly))
    y = here.y_source[:count]
    supervised = (cross_entropy(z_weak[:count], y) + cross_entropy(z_strong[:count], y)) / 2
    p = np.exp(log_softmax(z_weak))
    expected = [1 / 3 + (part.mean(0) - 1 / 3) / 100 for part in (p[:count], p[count:])]
    q = p[count:] * expected[0] / expected[1]
    q /= q.sum(1, keepdims=True)
    mask = q.max(1) >= 0.99 * p[:count].max(1).mean()
    assert 0 < mask.sum() < len(mask)
    of_items = -log_softmax(z_strong[count:])[np.arange(len(q)), q.argmax(1)]
    assert here.loss(0.25) == pytest.approx(supervised + 0.5 * (mask * of_items).mean(), rel=1e-4)


def test_each_step_draws_other_numbers() -> None:
    here = scene("adamatch")
    seed, first = seed_of(here), here.loss()
    assert here.loss() != first
    here.phase.companions[0].variables[0].assign(seed)
    assert here.loss() == pytest.approx(first, rel=1e-6)


def test_a_batch_smaller_than_the_ratio_has_one_item_of_the_source() -> None:
    here = scene("adamatch", ratio=16)
    weakly, strongly, _ = changed(here, 8)
    z = here.network.outputs({"image": np.stack([weakly[0], strongly[0]])}).numpy()
    assert here.loss() == pytest.approx(cross_entropy(z, here.y_source[[0, 0]]), rel=1e-4)


def test_batch_norms_statistics_move_with_all_images_together() -> None:
    here = scene("adamatch", backbone=CONVNET, ratio=2)
    weakly, strongly, count = changed(here, 2)
    together = [weakly[:count], strongly[:count], weakly[count:], strongly[count:]]
    statistics = [v for v in here.network.backbone.variables if "moving" in v.path]
    before = [v.numpy() for v in statistics]
    here.network.outputs({"image": np.concatenate(together)}, training=True)
    expected = [v.numpy() for v in statistics]
    for variable, value in zip(statistics, before, strict=True):
        variable.assign(value)
    here.loss()
    for variable, value, old in zip(statistics, expected, before, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5)
        assert not np.array_equal(value, old)


def test_the_sources_logits_lie_between_those_alone_and_those_together() -> None:
    here = scene("adamatch", backbone=CONVNET, ratio=2)
    weakly, strongly, count = changed(here, 2)
    share = uniform((2 * count, 3), seed_of(here, 2)).numpy()
    of_source = np.concatenate([weakly[:count], strongly[:count]])
    everything = np.concatenate([of_source, weakly[count:], strongly[count:]])
    alone = here.network.outputs({"image": of_source}, training=True).numpy()
    together = here.network.outputs({"image": everything}, training=True).numpy()
    assert np.abs(alone - together[: 2 * count]).max() > 0.01
    z = share * alone + (1 - share) * together[: 2 * count]
    y = np.tile(here.y_source[:count], 2)
    assert here.loss() == pytest.approx(cross_entropy(z, y), rel=1e-4)


def test_pseudo_labels_are_not_learnt_from_the_weak_images() -> None:
    """The gradient of the target's part is that of a cross-entropy with given labels."""
    here = scene("adamatch", ratio=8, threshold=0.01)
    weakly, strongly, count = changed(here, 8)
    p = np.exp(log_softmax(here.network.outputs({"image": weakly}).numpy()))
    ratio = ExpectedClasses(3).ratio(
        tf.constant(p[:count], tf.float32), tf.constant(p[count:], tf.float32)
    )
    labels = (p[count:] * ratio.numpy()).argmax(1)
    kernel = here.network.backbone.trainable_variables[0].value
    seed = seed_of(here)
    gradients = []
    for progress in (0.0, 1.0):
        here.phase.companions[0].variables[0].assign(seed)
        with tf.GradientTape() as tape:
            loss = here.phase.loss(here.batch, tf.constant(progress))[0]
        gradients.append(tape.gradient(loss, kernel).numpy())
    with tf.GradientTape() as tape:
        z = here.network.outputs({"image": strongly[count:]})
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z))
    expected = tape.gradient(loss, kernel).numpy()
    np.testing.assert_allclose(gradients[1] - gradients[0], expected, atol=1e-5)


def test_it_trains_all_and_returns_the_weak_targets_logits() -> None:
    here = scene("adamatch")
    weakly, _, count = changed(here, 3)
    _, logits = here.phase.loss(here.batch, tf.constant(0.0))
    expected = here.network.outputs({"image": weakly[count:]})
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    names = {"hidden_0/kernel", "hidden_0/bias", "logits/kernel", "logits/bias"}
    assert here.reached(1.0) == names
    (everything,) = here.phase.groups
    assert {v.path for v in everything.variables} == names
    how = here.phase.optimization
    assert (how.optimizer, how.schedule, how.ema_momentum) == ("adam", "cosine", 0.999)
    assert here.phase.streams == ("target", "source")
    assert here.phase.source_head is here.network.head
