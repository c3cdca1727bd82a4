from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import Scene, scene
from tests.training.trials import DOMAIN, SOURCE, Recorder, spec, trial
from worker.backbones.network import Network
from worker.training.run import train

CONVNET = ("convnet", {"filters": [4, 3], "dense": 8})
STATISTICS = {f"norm_{index}/moving_{name}" for index in range(2) for name in ("mean", "variance")}


def first_norm_takes(network: Network, images: np.ndarray) -> np.ndarray:
    """What the first convolution gives, one row a place."""
    x = network.backbone.get_layer("convolution_0")(images).numpy()
    return x.reshape(-1, x.shape[-1])


def values(network: Network) -> dict[str, np.ndarray]:
    return {variable.path: variable.numpy() for variable in network.variables}


def adapt(here: Scene, batches: list[np.ndarray]) -> None:
    step = tf.function(here.phase.loss, autograph=False)
    for images in batches:
        loss, logits = step({"domain": (images, here.y)}, tf.constant(0.0))
        assert float(loss) == 0
        assert logits.shape == (len(images), 3)


def test_the_statistics_are_the_mean_over_all_batches() -> None:
    here = scene("adabn", backbone=CONVNET)
    images = np.float32(np.asarray(DOMAIN.train.x)) / 255
    batches = [images[start : start + 8] for start in range(0, 40, 8)]
    adapt(here, batches)
    taken = [first_norm_takes(here.network, batch) for batch in batches]
    norm = here.network.backbone.get_layer("norm_0")
    expected = np.mean([rows.mean(0) for rows in taken], 0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), expected, rtol=1e-4, atol=1e-6)
    expected = np.mean([rows.var(0) for rows in taken], 0)
    np.testing.assert_allclose(norm.moving_variance.numpy(), expected, rtol=1e-4)


def test_nothing_of_what_was_there_is_left() -> None:
    ends = []
    for start in (0.0, 7.0):
        here = scene("adabn", backbone=CONVNET)
        here.network.backbone.get_layer("norm_1").moving_mean.assign(np.full(3, start))
        adapt(here, [here.x, here.x_source])
        ends.append(values(here.network))
    for name, value in ends[0].items():
        assert np.array_equal(value, ends[1][name]), name


def test_the_layers_have_their_momentum_back() -> None:
    here = scene("adabn", backbone=CONVNET)
    norm = here.network.backbone.get_layer("norm_0")
    before = norm.momentum
    adapt(here, [here.x])
    assert norm.momentum == before


@pytest.mark.parametrize("batch_size", [40, 16])
def test_a_trial_moves_the_statistics_alone(batch_size: int, tmp_path: Path) -> None:
    """In the engine, where TensorFlow's fused kernel normalises."""
    job = spec(*CONVNET, strategies=("adabn",), batch_size=batch_size)
    path = tmp_path / "source.npz"
    source = train(trial("pretrain", job, domain=SOURCE), Recorder())
    source.save_weights(path)
    before = values(source)
    journal = Recorder()
    network = train(trial("adabn", job, domain=DOMAIN, source_weights=path), journal)
    after = values(network)
    assert {name for name in after if not np.array_equal(after[name], before[name])} == STATISTICS
    assert {record.epoch for record in journal.records} == {1}
    if batch_size == 40:  # one batch: its statistics
        rows = first_norm_takes(network, np.float32(np.asarray(DOMAIN.train.x)) / 255)
        norm = network.backbone.get_layer("norm_0")
        np.testing.assert_allclose(norm.moving_mean.numpy(), rows.mean(0), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(norm.moving_variance.numpy(), rows.var(0), rtol=1e-4)
