import numpy as np
import pytest

from tests.strategies.losses import cross_entropy, scene


def test_the_loss_by_hand() -> None:
    here = scene("l2_sp", alpha=0.3, beta=0.2)
    backbone, head = here.network.backbone, here.network.head
    for variable in backbone.trainable_variables:
        variable.assign_add(np.full(variable.shape, 0.5, np.float32))
    weights = sum(int(np.prod(v.shape)) for v in backbone.trainable_variables)
    size = sum(float((v.numpy() ** 2).sum()) for v in head.trainable_variables)
    supervised = cross_entropy(here.network.outputs(here.x).numpy(), here.y)
    expected = supervised + 0.3 / 2 * weights * 0.25 + 0.2 / 2 * size
    assert here.loss() == pytest.approx(expected, rel=1e-5)


def test_at_the_start_only_the_head_is_pulled() -> None:
    here = scene("l2_sp", alpha=7.0, beta=0.0)
    supervised = cross_entropy(here.network.outputs(here.x).numpy(), here.y)
    assert here.loss() == pytest.approx(supervised, rel=1e-5)


def test_it_reaches_backbone_and_head_alone() -> None:
    here = scene("l2_sp")
    names = {"hidden_0/kernel", "hidden_0/bias", "logits/kernel", "logits/bias"}
    assert here.reached() == names
    assert here.phase.optimization.weight_decay == 0
