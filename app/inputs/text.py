"""Texts of any language, as code points."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.errors import invalid
from app.inputs.contract import InputsContract, Sketch, sketched
from app.inputs.text_rule import normalised
from app.tensors import Tensors, TensorSpec

TEXT = "text"  # the name of the one tensor
STEP = 32  # lengths are multiples of it
USUAL, MOST_CHARACTERS = 1024, 8192  # lengths at most: by itself, and where a spec says so
HELD = 0.99  # of the training texts, whole
CUT = 1  # in the last place of a text that goes on: no text holds this control character
GOES_ON = "…"
LAST_CODE = 0x10FFFF
BINS = 32  # of a sketch: for single characters, and for pairs

Codes = NDArray[np.int32]  # (n, length), 0 after a text's end


class TextInputs(InputsContract):
    """One tensor `text` (length,), int32: the code points of a text by app.inputs.text_rule, then
    0. A longer text is cut: its first `length` - 1 code points, then CUT. Zeros alone: no text."""

    tensor: ClassVar[str] = TEXT
    has_references: ClassVar[bool] = True
    has_quantities: ClassVar[bool] = False

    modality: Literal["text"] = "text"
    length: int = Field(ge=1, description="code points of a text that are kept, at most")

    @classmethod
    def fit(cls, lengths: NDArray[np.integer], said: int | None = None) -> Self:
        """
        Args:
            lengths: (n,), code points of each training text, n >= 1.
            said: that are to be kept, at most; None: as many as hold 99 % of the texts whole, 1,024
                at most.
        """
        if said is None:
            place = ceil(HELD * len(lengths)) - 1
            wanted = min(USUAL, int(np.partition(lengths, place)[place]))
        else:
            wanted = min(said, int(lengths.max()))
        return cls(length=STEP * max(1, -(-wanted // STEP)))

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        return (TensorSpec(TEXT, "int32", (self.length,)),)

    @property
    def asked(self) -> tuple[TensorSpec, ...]:
        """One text."""
        return (TensorSpec(TEXT, "string", ()),)

    @property
    def summary(self) -> str:
        return f"up to {self.length} characters"

    @property
    def layout(self) -> tuple[int, int, int]:
        return (1, self.length, 1)

    @property
    def tokens(self) -> int:
        return self.length

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        """Returns none: networks for texts take texts of any length."""
        return []

    def decode(self, items: Sequence[Any], at: str, first: int = 0) -> Tensors:
        """Text, `{"text": …}`, or bytes of UTF-8 -> int32 (n, length)."""
        texts = list[str]()
        for place, item in enumerate(items, first):
            text, pointer = _text(item, f"{at}/{place}")
            if not text:
                detail = "expected text of a character or more, got none beside spaces and controls"
                raise invalid("no_text", detail, pointer)
            texts.append(text)
        return {TEXT: coded(texts, self.length)}

    def decode_any(self, items: Sequence[Any], at: str) -> Tensors:
        """Decodes as `decode` does, and takes texts of nothing, which are rows of zeros."""
        texts = [_text(item, f"{at}/{place}")[0] for place, item in enumerate(items)]
        return {TEXT: coded(texts, self.length)}

    def preview(self, items: Tensors) -> list[dict[str, Any]]:
        """Texts; what was cut ends in `…`."""
        return [{TEXT: f"{text}{GOES_ON * is_cut}"} for text, is_cut in _parts(items[TEXT])]

    def raw(self, items: Tensors) -> list[Any]:
        """Texts that are decoded to these items."""
        return [f"{text}{2 * GOES_ON * is_cut}" for text, is_cut in _parts(items[TEXT])]

    def extremes(self, sample: Tensors) -> Tensors:
        """One letter, the last code point in all places, a text that is cut, and no text."""
        rows = np.zeros((4, self.length), np.int32)
        rows[0, 0] = ord("a")
        rows[1] = LAST_CODE
        rows[2] = np.resize(np.asarray(sample[TEXT])[0].astype(np.int32), self.length)
        rows[2][rows[2] == 0] = ord("字")
        rows[2, -1] = CUT
        return {TEXT: rows}

    def sketch(self, items: Tensors) -> Sketch:
        """Shares of the characters that some texts are made of, and of their pairs: roots of the
        shares of each of 2 x 32 bins that these are hashed to, (min(n, 512), 64)."""
        rows = sketched(len(items[TEXT]))
        codes = np.asarray(items[TEXT])[rows].astype(np.int64)
        is_there, pairs = codes > CUT, (codes[:, 1:] > CUT) & (codes[:, :-1] > CUT)
        joined = codes[:, :-1] * 31 + codes[:, 1:]
        shares = [_shares(codes, is_there), _shares(joined, pairs)]
        return np.sqrt(np.concatenate(shares, axis=1)).astype(np.float32)


def joint_text(target: InputsContract, sources: Sequence[InputsContract]) -> TextInputs | None:
    """Returns what the one network of a job sees: texts as long as the longest of its datasets';
    None where its items are no texts."""
    if not isinstance(target, TextInputs):
        return None
    texts = (each for each in (target, *sources) if isinstance(each, TextInputs))
    return max(texts, key=lambda each: each.length)


@dataclass(frozen=True)
class Lengthened:
    """Rule by which texts of one dataset become as long as the longest of a job's: `joint`."""

    joint: TextInputs

    def is_plain(self, own: TextInputs) -> bool:
        """Tells whether texts stay as they are."""
        return own == self.joint

    @property
    def key(self) -> str:
        """Key of what texts become."""
        return f"{self.joint.length}"

    def rows(self, codes: NDArray[Any], out: NDArray[Any]) -> None:
        """Writes (n, own length) into `out` (n, joint length), cut where it is shorter."""
        own, length = codes.shape[1], out.shape[1]
        out[:, :own] = codes[:, :length]
        out[:, own:] = 0
        if own > length:
            out[codes[:, length] != 0, -1] = CUT


def coded(texts: Sequence[str], length: int) -> Codes:
    """Normalised texts -> (n, length): see TextInputs."""
    rows = np.zeros((len(texts), length), np.int32)
    for row, text in zip(rows, texts, strict=True):
        codes = np.frombuffer(text[:length].encode("utf-32-le"), np.int32)
        row[: len(codes)] = codes
        if len(text) > length:
            row[-1] = CUT
    return rows


def texts_of(items: NDArray[Any]) -> list[str]:
    """(n, length) -> texts as far as they were kept, without a sign that they were cut."""
    return [text for text, _ in _parts(items)]


def is_cut(items: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,), whether a text was longer than what was kept."""
    found: NDArray[np.bool_] = (np.asarray(items) == CUT).any(axis=1)
    return found


def _parts(items: NDArray[Any]) -> list[tuple[str, bool]]:
    """Texts, and whether each was cut."""
    found = []
    for row in np.asarray(items, np.int32):
        text = row[row != 0].astype("<u4").tobytes().decode("utf-32-le")
        found.append((text.removesuffix(chr(CUT)), text.endswith(chr(CUT))))
    return found


def _text(item: Any, at: str) -> tuple[str, str]:
    """The text by the rule, which may be empty, and a pointer to it. Raises Invalid."""
    if isinstance(item, dict) and list(item) == [TEXT]:
        item, at = item[TEXT], f"{at}/{TEXT}"
    if isinstance(item, bytes):
        try:
            item = item.decode()
        except UnicodeDecodeError:
            raise invalid("not_text", "expected text in UTF-8, got other bytes", at) from None
    if not isinstance(item, str):
        raise invalid("not_text", f"expected text, got {_kind(item)}", at)
    return normalised(item), at


def _kind(value: Any) -> str:
    if value is None:
        return "null: nothing is known of a text that is not there"
    names = {dict: "an object", list: "an array", bool: "true or false"}
    return names.get(type(value), "a number")


def _shares(values: NDArray[np.int64], counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, BINS), of each row; rows sum to 1, or are 0."""
    bins = (values * 0x9E3779B1 % 2**32 * BINS) >> 32
    rows = np.arange(len(values))[:, None]
    counts = np.bincount((rows * BINS + bins)[counted], minlength=len(values) * BINS)
    of_rows = counts.reshape(len(values), BINS)
    shares: NDArray[np.float64] = of_rows / np.maximum(of_rows.sum(1, keepdims=True), 1)
    return shares
