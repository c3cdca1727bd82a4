import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import Scene, cross_entropy, log_softmax, scene
from worker.backbones.initialisation import Initialiser
from worker.strategies import cdan
from worker.strategies.cdan import Product, RandomProduct, certainty
from worker.strategies.discriminator import adversarial

BACKBONE = {"hidden_0/kernel", "hidden_0/bias"}
HEAD = {"logits/kernel", "logits/bias"}


def test_certainty_by_hand() -> None:
    """H = 0 and ln 2: 1 + 1 = 2 and 1 + 1/2 = 1.5; over their mean 1.75."""
    got = certainty(tf.constant([[1.0, 0.0], [0.5, 0.5]]))
    np.testing.assert_allclose(got, [2 / 1.75, 1.5 / 1.75], rtol=1e-6)


def test_the_product_by_hand() -> None:
    f, g = tf.constant([[1.0, 2.0, 3.0]]), tf.constant([[0.25, 0.75]])
    assert Product(3, 2)(f, g).numpy().tolist() == [[0.25, 0.75, 0.5, 1.5, 0.75, 2.25]]


def test_the_random_product_by_an_independent_writing() -> None:
    """sqrt(3) times what the seed gives for U(-1, 1) has variance 1."""
    joint = RandomProduct(5, 3, 7)
    Initialiser(joint.variables).initialise(4)
    rng = np.random.default_rng(1)
    f, g = rng.normal(size=(2, 5)), rng.random((2, 3))
    r_f, r_g = (
        np.sqrt(3) * (2 * np.random.default_rng([4, index]).random(shape, np.float32) - 1)
        for index, shape in enumerate([(5, 7), (3, 7)])
    )
    expected = (f @ r_f) * (g @ r_g) / np.sqrt(7)
    np.testing.assert_allclose(joint(np.float32(f), np.float32(g)), expected, rtol=1e-4, atol=1e-6)


def test_the_random_product_keeps_inner_products() -> None:
    """E<h, h'> = <f, f'> <g, g'>, which is what the wide product has."""
    joint = RandomProduct(6, 4, 60_000)
    Initialiser(joint.variables).initialise(0)
    rng = np.random.default_rng(2)
    f, g = rng.normal(1, 1, (3, 6)).astype(np.float32), rng.random((3, 4), np.float32)
    h, wide = joint(f, g).numpy(), Product(6, 4)(f, g).numpy()
    np.testing.assert_allclose(h @ h.T, wide @ wide.T, rtol=0.1)
    assert joint.trainable_variables == []


def parts(here: Scene) -> tuple[tf.Tensor, tf.Tensor, np.ndarray, np.ndarray]:
    """Features and probabilities of both domains."""
    f_s, f_t = here.network.features(here.x_source), here.network.features(here.x)
    g_s, g_t = (np.exp(log_softmax(here.network.head(f).numpy())) for f in (f_s, f_t))
    return f_s, f_t, g_s.astype(np.float32), g_t.astype(np.float32)


def outer(f: tf.Tensor, g: np.ndarray) -> np.ndarray:
    return np.stack(
        [np.outer(one, of_classes).ravel() for one, of_classes in zip(f, g, strict=True)]
    )


@pytest.mark.parametrize("entropy", [True, False])
def test_the_loss_by_an_independent_writing(entropy: bool) -> None:
    here = scene("cdan", trade_off=0.4, hidden=5, entropy=entropy)
    judge, _ = here.phase.companions
    f_s, f_t, g_s, g_t = parts(here)
    weights = [1 + np.exp((g * np.log(g)).sum(1)) for g in (g_s, g_t)]
    weights = [w / w.sum() * len(w) if entropy else np.ones_like(w) for w in weights]
    domains = adversarial(judge, outer(f_s, g_s), outer(f_t, g_t), tf.constant(0.3), *weights)
    supervised = cross_entropy(here.network.head(f_s).numpy(), here.y_source)
    assert here.loss(0.3) == pytest.approx(supervised + 0.4 * float(domains), rel=1e-4)


@pytest.mark.parametrize("widest", [4096, 4])
def test_the_discriminators_loss_reaches_the_backbone_and_not_the_head(
    widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cdan, "WIDEST_PRODUCT", widest)
    here = scene("cdan", hidden=5, random_width=9)
    _, joint = here.phase.companions
    assert joint.width == (9 if widest == 4 else 18)

    with tf.GradientTape(persistent=True) as tape:
        loss, z_s = here.phase.loss(here.batch, tf.constant(0.5))
        supervised = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(here.y_source, z_s)
        )
    kernel = here.network.head.trainable_variables[0].value
    of_head = tape.gradient(loss, kernel), tape.gradient(supervised, kernel)
    np.testing.assert_allclose(*of_head, rtol=1e-5, atol=1e-7)
    kernel = here.network.backbone.trainable_variables[0].value
    assert np.abs(tape.gradient(loss, kernel) - tape.gradient(supervised, kernel)).max() > 1e-4
    found = here.reached(0.5)
    assert found > BACKBONE | HEAD | {"discriminator_0/kernel", "domain/kernel"}
    assert not found & {"of_features/kernel", "of_classes/kernel"}
