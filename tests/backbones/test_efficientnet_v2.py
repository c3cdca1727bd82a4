"""EfficientNetV2-B0 takes the weights of a file as Keras keeps them. The real file is not here: one
of the same layout is made of random weights."""

import warnings
from dataclasses import replace
from hashlib import md5
from pathlib import Path

import keras
import numpy as np
import pytest

from app.errors import WorkFailure
from app.spec.backbones import EfficientnetV2B0
from app.spec.pretrained import PRETRAINED, Pretrained
from tests.training.trials import architecture
from worker.backbones.network import Network
from worker.backbones.pretrained import weights_file

B0 = PRETRAINED["efficientnetv2_b0:imagenet"]
SIDE = 48


def fetched(content: bytes, cache: Path) -> Pretrained:
    """The entry as if its home had this file, which was fetched."""
    folder = cache / "downloads"
    folder.mkdir(exist_ok=True)
    (folder / B0.file).write_bytes(content)
    return replace(B0, md5=md5(content, usedforsecurity=False).hexdigest())


@pytest.mark.slow
def test_a_file_of_keras_gives_the_same_logits(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    theirs = keras.applications.EfficientNetV2B0(
        weights=None, input_shape=(SIDE, SIDE, 3), classifier_activation=None
    )
    for layer in theirs.layers:  # statistics as of trained ones
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(np.random.default_rng(0).normal(0, 0.1, layer.gamma.shape))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the layout is an old one
        theirs.save(tmp_path / "model.h5")
    weights = fetched((tmp_path / "model.h5").read_bytes(), tmp_path)
    model = EfficientnetV2B0(backbone="efficientnetv2_b0")
    network = Network(architecture(model, (SIDE, SIDE, 3), classes=1000))
    network.load_weights(weights_file(weights, tmp_path))
    raw = {"image": np.random.default_rng(1).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)}
    got = network.compiled_outputs(network.inputs.arrays(raw)).numpy()
    wanted = theirs(raw["image"].astype(np.float32), training=False).numpy()
    assert wanted.std() > 1e-4
    np.testing.assert_allclose(got, wanted, atol=1e-5)


@pytest.mark.slow
def test_another_file_of_that_hash(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(
        tmp_path / "other.weights.h5"
    )
    for content in (b"no HDF5 at all", (tmp_path / "other.weights.h5").read_bytes()):
        with pytest.raises(WorkFailure, match="got a file that holds others") as caught:
            weights_file(fetched(content, tmp_path), tmp_path)
        assert "`ktl backbones fetch efficientnetv2_b0` brings them" in caught.value.detail


def test_the_catalogues_digest_is_the_one_that_keras_knows() -> None:
    from keras.src.applications import efficientnet_v2

    assert efficientnet_v2.WEIGHTS_HASHES["b0"][0] == B0.md5
    assert f"{efficientnet_v2.BASE_WEIGHTS_PATH}{B0.file}" == B0.url
