"""Weakly and strongly changed texts: words that are left out, and a span of them.

Wei & Zou, "EDA: easy data augmentation techniques for boosting performance on text classification
tasks", EMNLP 2019, arXiv:1901.11196, random deletion: each word goes with the chance p; DeVries &
Taylor's cutout for the span. What is left closes up.
Departures: a word is what stands between spaces, and each character of a script that writes none,
with its marks; replacing by synonyms and swapping words need a language, and are not done.

Texts are (batch, length), int32, code points and then 0, and so is what comes back; `seed` is (2,),
int64, and decides alone. No text loses all of its words. All of it compiles under XLA.
"""

from collections.abc import Sequence

import tensorflow as tf

from worker.inputs.counter_random import uniform

WEAK, STRONG = 0.05, 0.15  # chances of each word to be left out
SPAN = 0.25  # of a text's words, at most
SPACE = 0x20
UNSPACED = ((0x0E00, 0x0EFF), (0x2E80, 0xA4CF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
# Of these what belongs to the character before: vowels and tones of Thai and Lao, marks of kana
MARKS = (
    *((0x0E31, 0x0E31), (0x0E34, 0x0E3A), (0x0E47, 0x0E4E)),
    *((0x0EB1, 0x0EB1), (0x0EB4, 0x0EBC), (0x0EC8, 0x0ECE)),
    *((0x302A, 0x302F), (0x3099, 0x309A)),
)


def weak(texts: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A twentieth of the words of each text, by chance, are left out."""
    return _without(texts, WEAK, 0.0, seed)


def strong(texts: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A seventh of the words of each text, by chance, and up to a quarter in a row are left out."""
    return _without(texts, STRONG, SPAN, seed)


def _without(texts: tf.Tensor, chance: float, span: float, seed: tf.Tensor) -> tf.Tensor:
    rows, length = tf.shape(texts)[0], texts.shape[1]
    draws = uniform((rows, length + 2), seed)
    word = _words(texts)  # (batch, length)
    count = tf.cast(tf.reduce_max(word, 1, keepdims=True) + 1, tf.float32)
    of_word = tf.gather(draws[:, 2:], word, axis=1, batch_dims=1)
    long = draws[:, :1] * span * count
    start = draws[:, 1:2] * (count - long)
    place = tf.cast(word, tf.float32)
    in_span = (place >= start) & (place < tf.floor(start + long))
    is_there = texts != 0
    kept = is_there & (of_word >= chance) & ~in_span
    is_any = tf.reduce_any(kept & (texts != SPACE), 1, keepdims=True)
    return _closed_up(texts, tf.where(is_any, kept, is_there))


def _words(texts: tf.Tensor) -> tf.Tensor:
    """The number of the word that each place belongs to, from 0; a space is its follower's."""
    alone = _within(texts, UNSPACED)
    after_alone = tf.pad(alone[:, :-1], [[0, 0], [1, 0]])
    begins = ((texts == SPACE) | alone | after_alone) & ~_within(texts, MARKS) & (texts != 0)
    number = tf.cumsum(tf.cast(begins, tf.int32), 1)
    return number - number[:, :1]


def _within(texts: tf.Tensor, ranges: Sequence[tuple[int, int]]) -> tf.Tensor:
    found = tf.zeros_like(texts, tf.bool)
    for first, last in ranges:
        found |= (texts >= first) & (texts <= last)
    return found


def _closed_up(texts: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    rows, length = tf.shape(texts)[0], texts.shape[1]
    target = tf.where(kept, tf.cumsum(tf.cast(kept, tf.int32), 1) - 1, length)
    row = tf.broadcast_to(tf.range(rows)[:, None], tf.shape(texts))
    places = tf.stack([row, target], axis=2)
    return tf.scatter_nd(places, texts, tf.stack([rows, length + 1]))[:, :length]
