"""Every kind of layer of an imported network is built by Keras' layer of its name."""

from typing import Any, get_args

import keras
import numpy as np
import pytest

from app.spec.imported.kinds import Kind
from app.spec.imported.structure import Structure
from worker.backbones.imported import assembled

PICTURE = (6, 8, 4)
OPTIONS: dict[str, dict[str, Any]] = {
    "Conv2D": {"filters": 6, "kernel_size": [3, 2], "dilation_rate": [2, 1]},
    "DepthwiseConv2D": {"kernel_size": [3, 3], "depth_multiplier": 2, "strides": [2, 2]},
    "SeparableConv2D": {"filters": 5, "kernel_size": [3, 3], "padding": "same", "use_bias": False},
    "MaxPooling2D": {"pool_size": [3, 3], "strides": [2, 1], "padding": "same"},
    "UpSampling2D": {"size": [2, 3], "interpolation": "bilinear"},
    "Dense": {"units": 3},
    "GroupNormalization": {"groups": 2, "scale": False},
    "BatchNormalization": {"center": False},
    "Activation": {"activation": "hard_silu"},
    "ReLU": {"max_value": 6, "negative_slope": 0.1},
    "PReLU": {"shared_axes": [1, 2]},
    "Dropout": {"rate": 0.5, "noise_shape": [None, 1, 1, None]},
    "SpatialDropout2D": {"rate": 0.5},
    "Rescaling": {"scale": [1, 2, 3, 4], "offset": -1},
    "Normalization": {"mean": [1, 2, 3, 4], "variance": [1, 1, 2, 2]},
    "Reshape": {"target_shape": [-1, 8]},
    "Permute": {"dims": [3, 1, 2]},
    "ZeroPadding2D": {"padding": [[1, 0], [2, 3]]},
    "Cropping2D": {"cropping": [[1, 0], [2, 3]]},
}
KINDS = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(get_args(Kind)[0])
}


@pytest.mark.parametrize("kind", KINDS)
def test_shape_and_weights_are_those_that_are_counted(kind: str) -> None:
    layer = {"kind": kind, **OPTIONS.get(kind, {})}
    taken = [0, 0] if KINDS[kind].joins else [0]
    structure = Structure.model_validate(
        {"input": PICTURE, "layers": [layer], "calls": [[0, taken]]}
    )
    model = assembled(structure)
    counted = structure.counted
    assert tuple(model.output.shape[1:]) == counted.features
    weights = [w for w in model.weights if "seed" not in w.path]
    assert counted.parameters == sum(int(np.prod(weight.shape)) for weight in weights)
    assert type(model.layers[-1]) is getattr(keras.layers, kind)
    assert np.isfinite(model({"image": np.ones((2, *PICTURE), np.float32)})).all()
