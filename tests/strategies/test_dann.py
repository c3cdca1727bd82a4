import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import cross_entropy, reached, scene
from worker.strategies.discriminator import adversarial

BACKBONE = {"hidden_0/kernel", "hidden_0/bias"}
HEAD = {"logits/kernel", "logits/bias"}


def test_the_loss_is_the_sources_and_the_discriminators() -> None:
    here = scene("dann", trade_off=0.4, hidden=5)
    (judge,) = here.phase.companions
    f_s, f_t = here.network.features(here.x_source), here.network.features(here.x)
    supervised = cross_entropy(here.network.head(f_s).numpy(), here.y_source)
    domains = float(adversarial(judge, f_s, f_t, tf.constant(0.3)))
    assert here.loss(0.3) == pytest.approx(supervised + 0.4 * domains, rel=1e-5)


def test_progress_changes_no_loss_only_what_the_features_learn() -> None:
    here = scene("dann", hidden=5)
    assert here.loss(0.0) == pytest.approx(here.loss(1.0), rel=1e-6)


def test_the_discriminators_loss_reaches_it_and_the_backbone_and_not_the_head() -> None:
    here = scene("dann", hidden=5)
    (judge,) = here.phase.companions
    features = here.network.features

    def domains(q: float) -> tf.Tensor:
        return adversarial(judge, features(here.x_source), features(here.x), tf.constant(q))

    at_first, later = reached(here, lambda: domains(0.0)), reached(here, lambda: domains(0.5))
    assert {"discriminator_0/kernel", "domain/kernel"} < at_first
    assert not at_first & (BACKBONE | HEAD)
    assert later - at_first == BACKBONE
    assert here.reached(0.5) == later | HEAD


def test_the_discriminator_learns_at_the_rate_of_what_is_new() -> None:
    here = scene("dann", hidden=5, learning_rate=0.02, backbone_rate=0.1)
    backbone, new = here.phase.groups
    assert [v.path for v in backbone.variables] == ["hidden_0/kernel", "hidden_0/bias"]
    assert backbone.learning_rate == pytest.approx(0.002)
    assert new.learning_rate == 0.02
    assert {"logits/kernel", "domain/kernel"} < {v.path for v in new.variables}
    how = here.phase.optimization
    assert (how.optimizer, how.schedule, how.weight_decay) == ("sgd", "dann", 1e-3)


def test_it_starts_from_the_sources_head_and_returns_the_sources_logits() -> None:
    here = scene("dann", hidden=5)
    assert here.phase.source_head is here.network.head
    assert here.phase.streams == ("source", "target")
    _, logits = here.phase.loss(here.batch, tf.constant(0.0))
    np.testing.assert_allclose(logits, here.network.outputs(here.x_source), rtol=1e-5)
