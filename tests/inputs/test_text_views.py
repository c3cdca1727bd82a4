"""Changed texts: by equal seeds alike, compiled or not, and never without a word."""

import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from app.inputs.text import coded, texts_of
from worker.inputs import text_views

TEXTS = [
    "the food was good and the staff were friendly and quick",
    "味道很好，送餐也快，下次还会再来的",
    "a",
    "fine",
]
CODES = tf.constant(coded(TEXTS, 64))


def seed(number: int) -> tf.Tensor:
    return tf.constant([7, number], tf.int64)


@pytest.mark.parametrize("view", [text_views.weak, text_views.strong])
def test_views_depend_on_the_seed_alone(view: object) -> None:
    assert callable(view)
    compiled = tf.function(view, jit_compile=True, autograph=False)
    found = [view(CODES, seed(number)).numpy() for number in range(8)]
    assert np.array_equal(found[3], compiled(CODES, seed(3)).numpy())
    assert np.array_equal(found[3], view(CODES, seed(3)).numpy())
    assert len({codes.tobytes() for codes in found}) > 2
    for codes in found:
        assert codes.dtype == np.int32
        assert [text for text in texts_of(codes) if not text.strip()] == []
        assert texts_of(codes)[2:] == ["a", "fine"]  # their only word stays
        for changed, whole in zip(texts_of(codes), TEXTS, strict=True):
            rest = iter(whole)
            assert all(letter in rest for letter in changed), "letters are left out, in their order"


def test_a_strong_view_leaves_out_more() -> None:
    def left(view: object) -> float:
        assert callable(view)
        counts = [(view(CODES, seed(number)).numpy()[:2] != 0).sum() for number in range(40)]
        return float(np.mean(counts)) / sum(len(text) for text in TEXTS[:2])

    assert 0.9 < left(text_views.weak) < 0.99
    assert 0.6 < left(text_views.strong) < 0.85


def test_words_stand_between_spaces_and_each_letter_of_a_script_without() -> None:
    codes = coded(["ab cd好吃e"], 12)
    found = text_views._words(tf.constant(codes)).numpy()[0, :8]
    #                       a  b  _  c  d  好 吃 e
    assert found.tolist() == [0, 0, 1, 1, 1, 2, 3, 4]


def test_a_character_keeps_its_marks() -> None:
    """Thai for `eat rice`, and a voiced kana in its decomposed form."""
    codes = coded(["กินข้าวか\u3099x"], 12)
    found = text_views._words(tf.constant(codes)).numpy()[0, :10]
    #                       ก  ิ  น  ข  ้  า  ว  か ゙  x
    assert found.tolist() == [0, 0, 1, 2, 2, 3, 4, 5, 5, 6]


def test_all_marks_of_such_scripts_are_known() -> None:
    def within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
        return any(first <= code <= last for first, last in ranges)

    for code in range(0x20000):
        if within(code, text_views.UNSPACED) and unicodedata.category(chr(code))[0] == "M":
            assert within(code, text_views.MARKS), hex(code)
