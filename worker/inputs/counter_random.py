"""Random numbers as a pure function of a seed and a place: a counter-based generator.

u_i = h(h(i xor k_0) + k_1) / 2^32,   (k_0, k_1) from the seed,   h a permutation of 32 bits

after Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, with a
cheaper permutation: x ^= x >> 16, x *= 7feb352d, x ^= x >> 15, x *= 846ca68b, x ^= x >> 16 (found
by a search for little bias, C. Wellons, "Prospecting for hash functions", 2018).

TensorFlow's stateless numbers are others under XLA than without; these are the same bits on every
device, compiled or not.
"""

import tensorflow as tf

LOW_32 = 0xFFFFFFFF
GOLDEN = 0x9E3779B9  # 2^32 over the golden ratio: neighbouring seeds begin far apart


def uniform(shape: tuple[int | tf.Tensor, ...], seed: tf.Tensor) -> tf.Tensor:
    """Draws from U(0, 1), 24 bits each.

    Args:
        shape: of the result; its sizes may be scalars, int32.
        seed: (2,), int64.

    Returns:
        (*shape), float32, in [0, 1).
    """
    first, second = tf.unstack(tf.cast(seed, tf.int64))
    k_0 = _mixed(_mixed(first) + GOLDEN * second)
    k_1 = _mixed(k_0 + _mixed(_upper(first)) + GOLDEN * _mixed(_upper(second)))
    places = tf.range(tf.reduce_prod(tf.cast(tf.stack(shape), tf.int64)))
    bits = _mixed(_mixed(tf.bitwise.bitwise_xor(places, k_0)) + k_1)
    return tf.reshape(tf.cast(_shifted(bits, 8), tf.float32) * 2.0**-24, shape)


def _mixed(x: tf.Tensor) -> tf.Tensor:
    """A permutation of the lower 32 bits, int64; products that overflow keep theirs."""
    x = tf.bitwise.bitwise_and(x, LOW_32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = tf.bitwise.bitwise_xor(x, _shifted(x, shift))
        x = tf.bitwise.bitwise_and(x * factor, LOW_32)
    return tf.bitwise.bitwise_xor(x, _shifted(x, 16))


def _upper(x: tf.Tensor) -> tf.Tensor:
    return _shifted(x, 32)


def _shifted(x: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(x, tf.constant(bits, tf.int64))
