import keras
import numpy as np
import pytest
import tensorflow as tf

from worker.backbones.initialisation import Initialiser
from worker.strategies.discriminator import adversarial, discriminator_of
from worker.strategies.gradient_reversal import strength

RNG = np.random.default_rng(0)
H_S = RNG.normal(size=(5, 4)).astype(np.float32)
H_T = RNG.normal(1, 2, size=(5, 4)).astype(np.float32)


@pytest.fixture
def model() -> keras.Model:
    made = discriminator_of(4, 3)
    Initialiser(made.variables).initialise(7)
    return made


def logits(model: keras.Model, h: np.ndarray) -> np.ndarray:
    """Dense, BatchNorm of the batch, ReLU, twice; Dense."""
    kernels = [v.numpy() for v in model.variables if v.path.endswith("kernel")]
    for kernel in kernels[:2]:
        z = h @ kernel
        h = np.maximum(0, (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-3))
    return (h @ kernels[2])[:, 0]


def test_the_loss_by_an_independent_writing(model: keras.Model) -> None:
    w_s, w_t = np.array([0.5, 1.5, 1, 1, 1]), np.array([2, 0, 1, 0.5, 1.5])
    p_s, p_t = (1 / (1 + np.exp(-logits(model, h))) for h in (H_S, H_T))
    expected = -(w_s * np.log(p_s)).mean() / 2 - (w_t * np.log(1 - p_t)).mean() / 2
    q = tf.constant(0.3)
    got = adversarial(model, H_S, H_T, q, w_s.astype(np.float32), w_t.astype(np.float32))
    assert float(got) == pytest.approx(expected, rel=1e-5)


def test_what_cannot_tell_loses_ln_2(model: keras.Model) -> None:
    model.get_layer("domain").kernel.assign(np.zeros((3, 1)))
    assert float(adversarial(model, H_S, H_T, tf.constant(1.0))) == pytest.approx(np.log(2))


def test_features_go_against_the_discriminator_which_learns_at_full_strength(
    model: keras.Model,
) -> None:
    def gradients(q: float, is_reversed: bool) -> tuple[np.ndarray, np.ndarray]:
        h, kernel = tf.constant(H_S), model.get_layer("domain").kernel.value
        with tf.GradientTape() as tape:
            tape.watch(h)
            if is_reversed:
                value = adversarial(model, h, H_T, tf.constant(q))
            else:
                d = tf.concat([model(each, training=True)[:, 0] for each in (h, H_T)], 0)
                labels = tf.constant([1.0] * 5 + [0.0] * 5)
                value = tf.reduce_mean(
                    tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=d)
                )
        of_features, of_kernel = tape.gradient(value, [h, kernel])
        return of_features.numpy(), of_kernel.numpy()

    plain = gradients(0.1, is_reversed=False)
    for q in (0.0, 0.1):
        against = gradients(q, is_reversed=True)
        scale = -float(strength(tf.constant(q)))
        np.testing.assert_allclose(against[0], scale * plain[0], rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(against[1], plain[1], rtol=1e-4, atol=1e-7)
