"""Texts that are asked about: what is doubted of them, and how they are spoken of."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from app.inputs.text import TextInputs, is_cut
from app.prediction.feeds import Part
from app.prediction.inputs import Places, Raw
from app.prediction.schemas import PredictionWarning

RULE = """An item of a model for texts is text, of a character or more. `null`, and text that is
empty or of nothing but white space and control characters, is 422 `no_text` or `not_text` with a
pointer. Control characters (NUL among them) are left out, white space of any kind and length is one
space, and composed and decomposed forms are one (NFC), as in the training texts. Of a text that is
longer than the model's `length`, so many characters count, and the answer carries the warning
`text_cut`. Half of a surrogate pair is no text, and the body is refused.
A text that the tokenizer of an uploaded encoder fails at is 422 `cannot_be_cut`.
"""


class TextCheck:
    """Finds texts that are longer than what the model looks at."""

    def __init__(self, inputs: TextInputs) -> None:
        self._length = inputs.length

    def __call__(self, parts: Sequence[Part], places: Places) -> tuple[PredictionWarning, ...]:
        """`parts`: code points (n, length)."""
        cut = np.concatenate([is_cut(part) for part in cast("Sequence[Raw]", parts)])
        if not (count := int(cut.sum())):
            return ()
        detail = (
            f"expected texts of at most {self._length} characters, as in the model's signature, "
            f"got {count} longer: the model does not see how they go on"
        )
        first = places.of(int(cut.argmax()))
        return (PredictionWarning(code="text_cut", detail=detail, pointer=first, count=count),)
