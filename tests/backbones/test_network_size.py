"""Sizes counted without building a network are those of the network that is built."""

from math import prod
from typing import Any

import pytest

from app.spec.backbones import (
    Backbone,
    Convnet,
    EfficientnetLite0,
    EfficientnetLite2,
    EfficientnetV2B0,
    Mlp,
    Mobilenet,
)
from app.spec.memory import network_size
from tests.training.trials import architecture
from worker.backbones.network import Network

NETWORKS: dict[str, tuple[Backbone, tuple[int, int, int]]] = {
    "mlp": (Mlp(backbone="mlp"), (7, 5, 3)),
    "mlp, deep, with dropout": (
        Mlp(backbone="mlp", params={"hidden": [33, 17, 9], "dropout": 0.2}),
        (8, 8, 1),
    ),
    "mlp, resized, with a bottleneck": (
        Mlp(backbone="mlp", image_size=(12, 9), bottleneck=11),
        (8, 8, 1),
    ),
    "convnet, odd sides": (
        Convnet(backbone="convnet", params={"filters": [4, 6, 5], "dense": 7, "dropout": 0.1}),
        (29, 15, 3),
    ),
    "convnet, resized, with a bottleneck": (
        Convnet(backbone="convnet", image_size=(16, 20), bottleneck=8),
        (9, 9, 1),
    ),
    "mobilenet": (Mobilenet(backbone="mobilenet"), (33, 40, 1)),
    "mobilenet, wide, with a bottleneck": (
        Mobilenet(backbone="mobilenet", params={"width": 1.3}, bottleneck=16),
        (32, 32, 3),
    ),
    "efficientnet_lite0": (EfficientnetLite0(backbone="efficientnet_lite0"), (64, 64, 3)),
    "efficientnet_lite2, odd sides, with a bottleneck": (
        EfficientnetLite2(backbone="efficientnet_lite2", bottleneck=16),
        (33, 40, 1),
    ),
    "efficientnetv2_b0": (EfficientnetV2B0(backbone="efficientnetv2_b0"), (64, 64, 3)),
}


SLOW = {"efficientnet_lite2, odd sides, with a bottleneck", "efficientnetv2_b0"}


def _by_name(*names: str) -> list[Any]:
    slow = [pytest.mark.slow]
    return [pytest.param(*NETWORKS[n], id=n, marks=slow if n in SLOW else []) for n in names]


@pytest.mark.parametrize(("model", "shape"), _by_name(*NETWORKS))
def test_parameters_are_those_that_keras_counts(
    model: Backbone, shape: tuple[int, int, int]
) -> None:
    network = Network(architecture(model, shape, classes=5))
    size = network_size(model, shape)
    assert size.parameters == network.backbone.count_params()
    assert size.features == network.feature_count
    kernels: list[Any] = [v for v in network.backbone.variables if len(v.shape) == 4]
    assert size.convolutions == sum(int(v.value.shape.num_elements()) for v in kernels)


@pytest.mark.parametrize(
    ("model", "shape"),
    _by_name("mlp", "convnet, odd sides", "efficientnet_lite0", "efficientnetv2_b0"),
)
def test_activations_are_about_what_the_layers_put_out(
    model: Backbone, shape: tuple[int, int, int]
) -> None:
    network = Network(architecture(model, shape, classes=5))
    outputs = sum(prod(layer.output.shape[1:]) for layer in network.backbone.layers[1:])
    assert 0.95 * outputs <= network_size(model, shape).kept <= 2 * outputs
