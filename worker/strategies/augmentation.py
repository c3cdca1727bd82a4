"""Weakly and strongly changed images, which show the same as before.

Images are (batch, height, width, channels), float32 in 0..1, and so is what comes back; `seed` is
(2,), int32 or int64, and decides alone. What moves in from outside is 0. Images are mirrored only
where that is asked for: it makes other digits and letters. TensorFlow's projective transform is one
operation for all images and has no XLA version.
"""

import math

import tensorflow as tf

from app.jobs.training import Augmentation

SHIFT = 0.125  # of the image's side
TURN = math.radians(20)
ZOOM = 0.2  # factors 1 / 1.2 to 1.2
SHEAR = 0.2
BRIGHTNESS, CONTRAST = 0.2, 0.4
CUTOUT = 0.25  # side of the square that is wiped out, of the image's


def augmented(images: tf.Tensor, how: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    if how.mirror:
        images = _mirrored(images, seed)
    return (weak if how.strength == "weak" else strong)(images, seed)


def weak(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Moved by up to an eighth of each side, by whole pixels."""
    shift = tf.round(_shifts(images, _draws(images, 2, seed)))
    return _transformed(images, tf.eye(2, batch_shape=(tf.shape(images)[0],)), shift)


def strong(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Moved, turned, zoomed, sheared, in another light, and with a square wiped out."""
    shift, turn, zoom, shear, brightness, contrast, corner = tf.split(
        _draws(images, 9, seed), (2, 1, 1, 1, 1, 1, 2), axis=1
    )
    cos, sin = tf.cos(TURN * turn), tf.sin(TURN * turn)
    k = SHEAR * shear
    rows = tf.concat([cos, k * cos - sin, sin, k * sin + cos], 1)  # turned after it was sheared
    matrix = tf.reshape(rows * (1 + ZOOM) ** zoom, (-1, 2, 2))
    images = _transformed(images, matrix, _shifts(images, shift))
    images = _lit(images, BRIGHTNESS * brightness, 1 + CONTRAST * contrast)
    return images * _outside_square(images, corner)


def _mirrored(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Half of them, whatever else is drawn by this seed."""
    draws = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), tf.bitwise.invert(seed))
    return tf.where(draws < 0.5, tf.reverse(images, [2]), images)


def _draws(images: tf.Tensor, count: int, seed: tf.Tensor) -> tf.Tensor:
    """U(-1, 1), (batch, count)"""
    return tf.random.stateless_uniform((tf.shape(images)[0], count), seed, -1.0, 1.0)


def _sides(images: tf.Tensor) -> tf.Tensor:
    """Width and height, in the order of x and y."""
    return tf.constant([images.shape[2], images.shape[1]], tf.float32)


def _shifts(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    return SHIFT * _sides(images) * draws


def _transformed(images: tf.Tensor, matrix: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """The pixel at (x, y) from the middle comes from matrix (x, y) + shift: (batch, 2, 2) and
    (batch, 2), in pixels; bilinear."""
    middle = (_sides(images) - 1) / 2
    shift += middle - tf.linalg.matvec(matrix, middle)
    affine = tf.reshape(tf.concat([matrix, shift[:, :, None]], 2), (-1, 6))
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.pad(affine, [[0, 0], [0, 2]]),
        output_shape=images.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _lit(images: tf.Tensor, brightness: tf.Tensor, contrast: tf.Tensor) -> tf.Tensor:
    """brightness is added, contrast multiplies the distance from the image's mean, (batch, 1)."""
    mean = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    brightness, contrast = brightness[:, None, None, :], contrast[:, None, None, :]
    return tf.clip_by_value(mean + contrast * (images - mean) + brightness, 0.0, 1.0)


def _outside_square(images: tf.Tensor, middle: tf.Tensor) -> tf.Tensor:
    """1 outside of a square around `middle`, (batch, 2) in -1..1, and 0 in it: (batch, height,
    width, 1)."""
    height, width = images.shape[1:3]
    x, y = tf.linspace(-1.0, 1.0, width), tf.linspace(-1.0, 1.0, height)
    in_columns = tf.abs(x - middle[:, :1]) < CUTOUT  # (batch, width)
    in_rows = tf.abs(y - middle[:, 1:]) < CUTOUT  # (batch, height)
    inside = in_rows[:, :, None, None] & in_columns[:, None, :, None]
    return tf.cast(~inside, tf.float32)
