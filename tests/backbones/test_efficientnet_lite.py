"""EfficientNet-Lite, with ImageNet's weights and without."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from app.spec.backbones import EfficientnetLite, EfficientnetLite0
from app.spec.efficientnet_layers import blocks, multiplications
from app.spec.photo_params import (
    EfficientnetLite0Params,
    EfficientnetLite1Params,
    EfficientnetLite2Params,
    EfficientnetLiteParams,
)
from app.spec.pretrained import IMAGENET_CLASSES, PRETRAINED
from tests.backbones.weights import file_of
from tests.training.trials import architecture
from worker.backbones.efficientnet_lite import build
from worker.backbones.network import Network
from worker.backbones.pretrained import weights_file

SIZES: tuple[EfficientnetLiteParams, ...] = (
    EfficientnetLite0Params(),
    EfficientnetLite1Params(),
    EfficientnetLite2Params(),
)
PALACE = IMAGENET_CLASSES.index("imagenet:698")


def test_blocks_are_those_of_the_paper() -> None:
    lite0, lite2 = [*blocks(1.0, 1.0)], [*blocks(1.1, 1.2)]
    assert [block.channels for block in lite0] == [
        *[16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320]
    ]
    assert [block.stride for block in lite0] == [1, 2, 1, 2, 1, 2, *[1] * 5, 2, *[1] * 4]
    assert len(lite2) == 21
    assert lite2[-1].channels == 352
    assert not lite0[0].adds
    assert [block.adds for block in lite0[1:5]] == [False, True, False, True]


def test_multiplications() -> None:
    """The first convolution and the last alone are counted by hand."""
    stem, top = 112 * 112 * 9 * 3 * 32, 7 * 7 * 320 * 1280
    assert multiplications((224, 224, 3), 1.0, 1.0) > stem + top
    assert multiplications((224, 224, 3), 1.0, 1.0) == pytest.approx(3.84e8, rel=0.01)
    assert EfficientnetLite2Params().multiplications((260, 260, 1)) == pytest.approx(
        8.58e8, rel=0.01
    )


@pytest.mark.parametrize(("side", "shown"), [(28, 128), (63, 128), (64, 224), (500, 224)])
def test_small_pictures_are_shown_small(side: int, shown: int) -> None:
    assert EfficientnetLite0Params.shown_at((side, side - 4, 3)) == (shown, shown)
    assert EfficientnetLite2Params.shown_at((side, side, 3))[0] in {128, 260}


def test_pixels_are_scaled_within_the_network() -> None:
    model = build(EfficientnetLite0Params(), (32, 32, 3))
    scaled = keras.Model(model.input, model.get_layer("as_trained").output)
    pixels = np.array([0, 127, 255], np.float32).repeat(1024).reshape(3, 32, 32, 1)
    got = scaled({"image": np.repeat(pixels, 3, 3) / 255}).numpy()[:, 0, 0, 0]
    np.testing.assert_allclose(got, [-127 / 128, 0, 1], atol=1e-6)


@pytest.mark.slow
def test_grey_pictures_are_pictures_of_three_equal_colours() -> None:
    grey, colour = (build(EfficientnetLite0Params(), (32, 32, channels)) for channels in (1, 3))
    for one, other in zip(grey.variables, colour.variables, strict=True):
        one.assign(other)
    x = np.random.default_rng(0).random((2, 32, 32, 1)).astype(np.float32)
    found = grey({"image": x}).numpy()
    np.testing.assert_allclose(found, colour({"image": np.repeat(x, 3, 3)}).numpy(), atol=1e-6)


def _china(side: int) -> np.ndarray:
    """The middle square of scikit-learn's photo of a palace, (1, side, side, 3), uint8."""
    from sklearn.datasets import load_sample_image

    picture = Image.fromarray(load_sample_image("china.jpg"))
    width, height = picture.size
    left, top = (width - height) // 2, 0
    square = picture.crop((left, top, left + height, top + height))
    return np.asarray(square.resize((side, side), Image.Resampling.BICUBIC))[None]


@pytest.mark.parametrize(
    "params",
    [SIZES[0], *(pytest.param(larger, marks=pytest.mark.slow) for larger in SIZES[1:])],
    ids=lambda params: params.name,
)
def test_imagenet_weights_know_a_palace(params: EfficientnetLiteParams, tmp_path: Path) -> None:
    file_of(params.name)
    weights = PRETRAINED[f"{params.name}:imagenet"]
    model = weights.network((params.side, params.side))
    assert isinstance(model, EfficientnetLite)
    network = Network(architecture(model, (params.side, params.side, 3), classes=1000))
    network.load_weights(weights_file(weights, tmp_path))
    raw = {"image": _china(params.side)}
    logits = network.compiled_outputs(network.inputs.arrays(raw)).numpy()[0]
    assert logits.argmax() == PALACE
    assert len(IMAGENET_CLASSES) == len(logits)


def test_weights_are_for_pictures_of_any_size(tmp_path: Path) -> None:
    file_of("efficientnet_lite0")
    weights = weights_file(PRETRAINED["efficientnet_lite0:imagenet"], tmp_path)
    model = EfficientnetLite0(backbone="efficientnet_lite0", image_size=(96, 72))
    network = Network(architecture(model, (33, 40, 1)))
    network.load_backbone(weights)
    raw = {"image": np.zeros((2, 33, 40, 1), np.uint8)}
    assert network.compiled_features(network.inputs.arrays(raw)).shape == (2, 1280)
