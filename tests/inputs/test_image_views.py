from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from app.inputs.image import ImageInputs
from app.spec.training import Augmentation
from worker.inputs import layers_of
from worker.inputs.image_views import SHIFT, strong, weak
from worker.strategies.seeds import Seeds

Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
SEED = tf.constant([3, 4], tf.int64)


def images(shape: tuple[int, int, int, int] = (20, 16, 16, 1)) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).random(shape, np.float32))


@pytest.mark.parametrize("change", [weak, strong])
@pytest.mark.parametrize("shape", [(20, 16, 16, 1), (5, 8, 13, 3), (1, 1, 1, 1)])
def test_shape_and_range_stay(change: Change, shape: tuple[int, int, int, int]) -> None:
    changed = change(images(shape), SEED)
    assert changed.shape == shape
    assert changed.dtype == tf.float32
    assert 0 <= float(tf.reduce_min(changed)) <= float(tf.reduce_max(changed)) <= 1


@pytest.mark.parametrize("change", [weak, strong])
def test_it_is_a_function_of_the_seed(change: Change) -> None:
    x = images()
    once, again = change(x, SEED), change(x, SEED)
    other = change(x, SEED + 1)
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    compiled = tf.function(change, autograph=False)
    np.testing.assert_allclose(compiled(x, SEED), once, atol=1e-6)


@pytest.mark.parametrize("change", [weak, strong])
def test_each_image_is_changed_in_its_own_way(change: Change) -> None:
    same = tf.repeat(images()[:1], 20, 0)
    changed = change(same, SEED).numpy().reshape(20, -1)
    assert len(np.unique(changed, axis=0)) > 10


def test_weak_moves_by_whole_pixels_and_brings_in_zeros() -> None:
    x = images((64, 16, 16, 1)).numpy() + 0.01
    changed, seen = weak(tf.constant(x), SEED).numpy(), set()
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    for image, frame in zip(changed, padded, strict=True):
        fitting = [
            (dy, dx)
            for dy in range(5)
            for dx in range(5)
            if np.allclose(image, frame[dy : dy + 16, dx : dx + 16], atol=1e-5)
        ]
        assert len(fitting) == 1
        seen |= set(fitting)
    assert 16 * SHIFT == 2
    assert {dy for dy, _ in seen} == {dx for _, dx in seen} == set(range(5))


def test_strong_keeps_the_middle_of_a_shape_near_where_it_was() -> None:
    """A disc in the middle stays one, moved and zoomed: its area within the zoom's bounds, its
    middle within the shift's, but for the light and the square that is wiped out."""
    y, x = np.mgrid[-15.5:16, -15.5:16]
    disc = np.float32(x**2 + y**2 < 36)[None, :, :, None]
    changed = strong(tf.repeat(tf.constant(disc), 100, 0), SEED).numpy()[..., 0]
    bright = changed > changed.mean((1, 2), keepdims=True) + 0.2
    areas = bright.sum((1, 2))
    whole = areas > 0.6 * disc.sum()
    assert whole.mean() > 0.5
    assert areas.max() < 1.6 * disc.sum()
    for mask in bright[whole]:
        assert abs((x * mask).sum() / mask.sum()) < 4 + 2
        assert abs((y * mask).sum() / mask.sum()) < 4 + 2


def test_seeds_follow_from_the_first_and_go_on_from_a_state() -> None:
    seeds, again = Seeds(), Seeds()
    (state,) = seeds.variables
    state.assign([7, 0])
    assert [seeds.draw().numpy().tolist() for _ in range(3)] == [[7, 0], [7, 1], [7, 2]]
    again.variables[0].assign(state.numpy())
    assert np.array_equal(again.draw(), seeds.draw())
    assert seeds.trainable_variables == []


def augmented(x: tf.Tensor, how: Augmentation) -> np.ndarray:
    layers = layers_of(ImageInputs(shape=tuple(x.shape[1:]), dtype="float32"), None)
    return layers.augmented({"image": x}, how, SEED)["image"].numpy()


def test_mirrored_images_are_the_others_left_to_right() -> None:
    """About half of them, and each still moves as without the mirror."""
    x = images((200, 8, 8, 3))
    mirrored = augmented(x, Augmentation(mirror=True))
    plain = augmented(x, Augmentation())
    turned = augmented(tf.reverse(x, [2]), Augmentation())
    is_plain = [np.array_equal(a, b) for a, b in zip(mirrored, plain, strict=True)]
    is_turned = [np.array_equal(a, b) for a, b in zip(mirrored, turned, strict=True)]
    assert np.not_equal(is_plain, is_turned).all()
    assert 0.4 < np.mean(is_turned) < 0.6
