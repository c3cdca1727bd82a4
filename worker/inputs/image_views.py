"""Weakly and strongly changed images, which show the same as before.

Images are (batch, height, width, channels), float32 in 0..1, and so is what comes back; `seed` is
(2,), int64, and decides alone. What moves in from outside is 0. Images are mirrored only where that
is asked for: it makes other digits and letters. All of it compiles under XLA.
"""

import math

import tensorflow as tf

from worker.inputs.counter_random import uniform

SHIFT = 0.125  # of the image's side
TURN = math.radians(20)
ZOOM = 0.2  # factors 1 / 1.2 to 1.2
SHEAR = 0.2
BRIGHTNESS, CONTRAST = 0.2, 0.4
CUTOUT = 0.25  # side of the square that is wiped out, of the image's


def weak(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Moved by up to an eighth of each side, by whole pixels."""
    return _moved(images, tf.round(_shifts(images, _draws(images, 2, seed))))


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


def mirrored(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Half of them, whatever else is drawn by this seed."""
    draws = uniform((tf.shape(images)[0], 1, 1, 1), tf.bitwise.invert(seed))
    return tf.where(draws < 0.5, tf.reverse(images, [2]), images)


def _draws(images: tf.Tensor, count: int, seed: tf.Tensor) -> tf.Tensor:
    """U(-1, 1), (batch, count)"""
    return 2 * uniform((tf.shape(images)[0], count), seed) - 1


def _sides(images: tf.Tensor) -> tf.Tensor:
    """Width and height, in the order of x and y."""
    return tf.constant([images.shape[2], images.shape[1]], tf.float32)


def _shifts(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    return SHIFT * _sides(images) * draws


def _moved(images: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """The pixel at (x, y) comes from (x, y) + shift, (batch, 2), whole pixels."""
    height, width = images.shape[1:3]
    columns = tf.range(float(width)) + shift[:, :1]
    rows = tf.range(float(height)) + shift[:, 1:]
    return _picked(images, rows[:, :, None], columns[:, None, :])


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]  # no types
def _transformed(images: tf.Tensor, matrix: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """The pixel at (x, y) from the middle comes from matrix (x, y) + shift: (batch, 2, 2) and
    (batch, 2), in pixels; bilinear. Compiled even where the loop around it is not: one pass over
    the images, two to four times as fast as TensorFlow's own operation."""
    height, width = images.shape[1:3]
    middle = (_sides(images) - 1) / 2
    shift += middle - tf.linalg.matvec(matrix, middle)
    columns, rows = tf.meshgrid(tf.range(float(width)), tf.range(float(height)))
    matrix, shift = matrix[:, :, :, None, None], shift[:, :, None, None]
    x = matrix[:, 0, 0] * columns + matrix[:, 0, 1] * rows + shift[:, 0]
    y = matrix[:, 1, 0] * columns + matrix[:, 1, 1] * rows + shift[:, 1]
    left, top = tf.floor(x), tf.floor(y)
    right_share, bottom_share = (x - left)[..., None], (y - top)[..., None]

    def across(row: tf.Tensor) -> tf.Tensor:
        a, b = _picked(images, row, left), _picked(images, row, left + 1)
        return (1 - right_share) * a + right_share * b

    return (1 - bottom_share) * across(top) + bottom_share * across(top + 1)


def _picked(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """The pixels at whole `rows` and `columns`, float32, that broadcast to (batch, height, width);
    0 outside."""
    height, width, channels = images.shape[1:]
    is_inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rows, columns = tf.clip_by_value(rows, 0, height - 1), tf.clip_by_value(columns, 0, width - 1)
    places = tf.cast(rows, tf.int32) * width + tf.cast(columns, tf.int32)
    pixels = tf.reshape(images, (-1, height * width, channels))
    places = tf.reshape(places, (-1, height * width))
    picked = tf.reshape(tf.gather(pixels, places, axis=1, batch_dims=1), tf.shape(images))
    return picked * tf.cast(is_inside, tf.float32)[..., None]


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
