"""Words and characters of texts, where they stand, and what is left without each."""

import numpy as np
import pytest

from app.inputs.text import TEXT, TextInputs, texts_of
from app.inputs.text_rule import normalised
from app.prediction.explaining.contract import MOST
from app.prediction.explaining.texts import OccludedText, pieces_of, seen


def occluded(text: str, length: int = 32, most: int = MOST) -> OccludedText:
    inputs = TextInputs(length=length)
    return OccludedText(inputs, inputs.decode([text], "#")[TEXT][0], text, most)


def without(of: OccludedText) -> list[str]:
    return texts_of(np.asarray(of.rows(range(len(of)))))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("not so good, is it?", ["not", "so", "good,", "is", "it?"]),
        (" \t a\u00a0b\n\nc ", ["a", "b", "c"]),
        ("味道很好，谢谢。", ["味", "道", "很", "好，", "谢", "谢。"]),
        ("すしbar", ["す", "し", "bar"]),
        ("か\u3099く", ["か\u3099", "く"]),
        ("a \x00\x01 b", ["a", "b"]),
        ("\U0001f600 ok", ["\U0001f600", "ok"]),
    ],
)
def test_pieces_are_words_and_single_characters(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in pieces_of(text)] == pieces


def test_each_word_is_left_out_in_turn() -> None:
    assert without(occluded("it  was\tgood")) == ["was good", "it good", "it was"]
    assert without(occluded("好吃")) == ["吃", "好"]
    assert without(occluded("alone")) == [""]


def test_long_texts_lose_neighbours_together() -> None:
    text = " ".join(f"w{place}" for place in range(1000))
    told = occluded(text, 8192).told([0.5] * MOST)
    assert len(told.pieces) == MOST
    assert " ".join(piece.text for piece in told.pieces) == text
    assert max(piece.text.count(" ") for piece in told.pieces) == 3


def test_what_is_not_seen_does_not_move_up() -> None:
    """Of a text that is cut, a word less does not make room for the next one behind the cut."""
    text = "aaaa  bbbb " + "c" * 40
    own = occluded(text)
    codes = np.asarray(own.rows(range(len(own))))
    assert [piece.text for piece in own.told([0] * 3).pieces] == ["aaaa", "bbbb", "c" * 21]
    assert without(own) == ["bbbb " + "c" * 21, "aaaa " + "c" * 21, "aaaa bbbb"]
    assert (codes == 1).sum(axis=1).tolist() == [1, 1, 1]  # still marked as going on


@pytest.mark.parametrize("most", [1, 3, 5, 31])
@pytest.mark.parametrize(
    "text", ["ab  cd ef" * 9, "e\u0301" * 40, "a\x00b\ufeff c" * 20, "好" * 50]
)
def test_what_is_seen_is_the_beginning_of_what_the_model_takes(text: str, most: int) -> None:
    shown = normalised(seen(text, most))
    assert normalised(text)[:most].startswith(shown)
    assert most - len(shown) <= 1  # a space at the cut
