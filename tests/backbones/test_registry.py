import keras
import pytest

from app.spec.backbones import CATALOGUE, ConvnetParams, MlpParams
from worker.backbones.registry import BUILDERS


def test_the_worker_builds_what_the_catalogue_offers() -> None:
    assert set(BUILDERS) == set(CATALOGUE)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_family_gives_flat_features(name: str) -> None:
    model = BUILDERS[name](CATALOGUE[name].params(), (12, 10, 3))
    assert model.input.shape == (None, 12, 10, 3)
    assert len(model.output.shape) == 2


def test_mlp_has_the_widths_that_were_asked_for() -> None:
    model = BUILDERS["mlp"](MlpParams(hidden=(7, 5), dropout=0.5), (4, 4, 1))
    shapes = [tuple(weight.shape) for weight in model.weights]
    assert shapes == [(16, 7), (7,), (7, 5), (5,)]
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers) == 2


def test_convnet_halves_the_image_with_each_block() -> None:
    model = BUILDERS["convnet"](ConvnetParams(filters=(3, 6), dense=9), (9, 8, 1))
    assert model.get_layer("pooling_1").output.shape == (None, 2, 2, 6)
    assert model.output.shape == (None, 9)
