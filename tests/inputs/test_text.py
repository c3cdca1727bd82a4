"""Texts as code points, and back; the rule by which they are read."""

import time
import unicodedata
from typing import Any

import numpy as np
import pytest

from app.errors import Invalid
from app.inputs.text import (
    CUT,
    TEXT,
    Lengthened,
    TextInputs,
    coded,
    is_cut,
    joint_text,
    texts_of,
)
from app.inputs.text_rule import normalised

SHORT = TextInputs(length=32)
TEXTS = ["hello", "谢谢😀👍🏽 شكرا", "x" * 40]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b\x07", "ab"),
        (" a \t\r\n\u3000b\u00a0", "a b"),
        ("e\u0301", "é"),
        ("\ufeffhi", "hi"),
        ("\ud800x", "\ufffdx"),
        ("ÀB", "ÀB"),
        ("👍🏽", "👍🏽"),
        ("", ""),
        (" \x00\x85 ", ""),
    ],
)
def test_the_rule(sent: str, kept: str) -> None:
    assert normalised(sent) == kept
    assert normalised(kept) == kept


def test_many_marks_in_a_row_cost_no_more_than_their_number() -> None:
    """Normalising a row of 65,536 marks takes eight seconds."""
    started = time.perf_counter()
    found = normalised("a" + "\u0316\u0301" * 100_000)
    assert time.perf_counter() - started < 2
    assert len(found) == 30  # a with the first acute is one character
    assert unicodedata.is_normalized("NFC", found)


def test_texts_come_back_as_far_as_they_are_kept() -> None:
    decoded = SHORT.decode(TEXTS, "#/inputs")
    codes = decoded[TEXT]
    assert (codes.shape, codes.dtype) == ((3, 32), np.int32)
    assert codes[0, :6].tolist() == [104, 101, 108, 108, 111, 0]
    assert codes[2, -1] == CUT
    assert is_cut(codes).tolist() == [False, False, True]
    assert texts_of(codes) == [*TEXTS[:2], "x" * 31]
    assert SHORT.preview(decoded)[2] == {"text": "x" * 31 + "…"}
    again = SHORT.decode(SHORT.raw(decoded), "#")
    assert np.array_equal(again[TEXT], codes)


def test_objects_and_bytes_are_taken_too() -> None:
    found = SHORT.decode([{"text": "猫"}, "猫".encode()], "#")[TEXT]
    assert texts_of(found) == ["猫", "猫"]


@pytest.mark.parametrize(
    ("item", "code", "pointer"),
    [
        (None, "not_text", "#/inputs/8"),
        (5, "not_text", "#/inputs/8"),
        (["a"], "not_text", "#/inputs/8"),
        ({"text": None}, "not_text", "#/inputs/8/text"),
        ({"words": "a"}, "not_text", "#/inputs/8"),
        (b"\xff", "not_text", "#/inputs/8"),
        ("", "no_text", "#/inputs/8"),
        ("\x00 \n", "no_text", "#/inputs/8"),
    ],
)
def test_what_is_no_text_is_said_where_it_stands(item: Any, code: str, pointer: str) -> None:
    with pytest.raises(Invalid) as raised:
        SHORT.decode(["fine", item], "#/inputs", first=7)
    (finding,) = raised.value.findings
    assert (raised.value.code, finding.pointer) == (code, pointer)


@pytest.mark.parametrize(
    ("lengths", "said", "length"),
    [
        ([1, 2, 3], None, 32),
        ([10] * 99 + [5000], None, 32),
        ([10] * 49 + [5000], None, 1024),
        ([33], None, 64),
        ([5000], 100, 128),
        ([20], 8192, 32),
    ],
)
def test_as_many_characters_are_kept_as_hold_99_of_100_texts(
    lengths: list[int], said: int | None, length: int
) -> None:
    assert TextInputs.fit(np.array(lengths), said).length == length


def test_datasets_are_brought_to_the_longest() -> None:
    target, source = SHORT, TextInputs(length=64)
    assert joint_text(target, [source]) == source
    codes, out = coded(["ab"], 32), np.full((1, 64), 7, np.int32)
    Lengthened(source).rows(codes, out)
    assert out.tolist() == coded(["ab"], 64).tolist()
    long, short = coded(["y" * 50, "y" * 32], 64), np.full((2, 32), 7, np.int32)
    Lengthened(target).rows(long, short)
    assert short.tolist() == coded(["y" * 50, "y" * 32], 32).tolist()


def test_it_travels_as_json() -> None:
    again = TextInputs.model_validate_json(SHORT.model_dump_json())
    assert again == SHORT
    assert hash(again) == hash(SHORT)


def test_sketches_of_two_languages_are_apart() -> None:
    from app.datasets.divergence import proxy_a_distance

    rng = np.random.default_rng(0)
    words = {"en": ["good", "food", "the", "staff"], "zh": ["好吃", "味道", "服务", "很快"]}

    def sketch(language: str) -> np.ndarray:
        texts = [" ".join(rng.choice(words[language], 4)) for _ in range(60)]
        found: np.ndarray = SHORT.sketch({TEXT: coded(texts, 32)})
        return found

    english = sketch("en")
    assert english.shape == (60, 64)
    assert (english**2).sum(axis=1) == pytest.approx(2, abs=1e-5)
    assert proxy_a_distance(english, sketch("zh")) == pytest.approx(2, abs=0.05)
    assert proxy_a_distance(english, sketch("en")) < 0.8


def test_extremes_are_texts_or_nothing() -> None:
    found = SHORT.extremes({TEXT: coded(["ab"], 32)})[TEXT]
    assert found.dtype == np.int32
    assert (found[-1] == 0).all()
    assert is_cut(found).tolist() == [False, False, True, False]
