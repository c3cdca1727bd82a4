import numpy as np
import pytest

from tests.strategies.losses import Scene, cross_entropy, scene


def losses(here: Scene) -> tuple[float, float]:
    source_head = here.phase.companions[0]
    target = cross_entropy(here.network.logits(here.x).numpy(), here.y)
    features = here.network.features(here.x_source)
    return target, cross_entropy(source_head(features).numpy(), here.y_source)


def test_equal_weights_are_a_sum() -> None:
    here = scene("multi_task", source_classes=5)
    assert here.loss() == pytest.approx(sum(losses(here)), rel=1e-5)


def test_uncertainty_by_hand() -> None:
    here = scene("multi_task", weighting="uncertainty")
    target, source = losses(here)
    expected = (target + source) / (2 * np.exp(-0.5)) - 0.5
    assert here.loss() == pytest.approx(expected, rel=1e-5)
    here.phase.companions[1].log_variances.assign([0.0, 1.0])
    expected = target / 2 + source / (2 * np.e) + 0.5
    assert here.loss() == pytest.approx(expected, rel=1e-5)
    assert "uncertainty/log_variances" in here.reached()


def test_an_epoch_is_one_of_the_target() -> None:
    assert scene("multi_task").phase.streams == ("domain", "source")
