import keras
import pytest

from app.spec.backbones import CATALOGUE
from app.spec.imported.structure import Structure
from app.spec.pretrained import PRETRAINED
from worker.backbones.registry import build

KNOWN = {weights.backbone for weights in PRETRAINED.values()}  # deep ones


def built(name: str, shape: tuple[int, int, int], **params: object) -> keras.Model:
    model = CATALOGUE[name].choice.model_validate({"backbone": name, "params": params})
    return build(model, {"image": keras.Input(shape, name="image")})


OF_IMAGES = [
    pytest.param(name, marks=[pytest.mark.slow] if name in KNOWN else [])
    for name, entry in CATALOGUE.items()
    if entry.modality in {None, "image"}
]


NEEDED = {
    "imported": {
        "structure": Structure(
            input=(32, 40, 3), layers=[{"kind": "Flatten"}], calls=[(0, (0,))]
        ).written()
    }
}


@pytest.mark.parametrize("name", OF_IMAGES)
def test_every_family_gives_flat_features(name: str) -> None:
    model = built(name, (32, 40, 3), **NEEDED.get(name, {}))
    assert model.input["image"].shape == (None, 32, 40, 3)
    assert len(model.output.shape) == 2


def test_mlp_has_the_widths_that_were_asked_for() -> None:
    model = built("mlp", (4, 4, 1), hidden=(7, 5), dropout=0.5)
    shapes = [tuple(weight.shape) for weight in model.weights]
    assert shapes == [(16, 7), (7,), (7, 5), (5,)]
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers) == 2


def test_convnet_halves_the_image_with_each_block() -> None:
    model = built("convnet", (9, 8, 1), filters=(3, 6), dense=9)
    assert model.get_layer("pooling_1").output.shape == (None, 2, 2, 6)
    assert model.output.shape == (None, 9)
