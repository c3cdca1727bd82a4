"""Large JSON bodies whose items are no arrays of numbers: their long lists are taken out of the
text, and decoded a few items at a time.

Nothing of a body is decoded at once, since that would hold up everyone else: a pass over its bytes
finds where its lists begin and end, what is left is a small document, and each list is decoded in
pieces that end between two of its items.
"""

import re
import secrets
from collections.abc import Generator, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.errors import BadRequest, Finding, invalid
from app.prediction.json_envelope import document_of

SCANNED_BYTES = 2**15  # of text that one step looks through: about 0.2 ms
DECODED_BYTES = 2**13  # of text that one step decodes
SHORTEST = 2**8  # bytes of a list that is taken out
LONGEST_ITEM = 2**18  # bytes: more would hold everyone up
MOST_LISTS = 2**13
MOST_BYTES = 2**18  # of the document that is left

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_QUOTE, _COMMA, _OPENING, _CLOSING, _BACKSLASH = (ord(letter) for letter in '",[]\\')
_CHANGES = np.zeros(256, np.int8)
_CHANGES[[_OPENING, ord("{")]], _CHANGES[[_CLOSING, ord("}")]] = 1, -1
Bytes = npt.NDArray[np.uint8]


class Lists:
    """A document, and what stands in its lists."""

    def __init__(
        self, document: Any, body: bytes | bytearray = b"", spans: Mapping[str, "Span"] = {}
    ) -> None:
        """`spans`: lists of `body` that are not in the document, by the only item of those that
        stand in their place."""
        self.document = document
        self._body, self._spans = body, spans

    def batches(self, listed: list[Any], at: str) -> Iterator[list[Any]]:
        """The items of one of the document's lists, a few at a time, in their order. `at`: a
        pointer to it. Raises BadRequest or Invalid."""
        only = listed[0] if len(listed) == 1 else None
        span = self._spans.get(only) if isinstance(only, str) else None
        if span is None:
            return iter([listed])
        return _decoded(self._body, span, at)


class Span(NamedTuple):
    """The places of a list's brackets in a body."""

    start: int
    end: int


class _Scan:
    """Follows the strings and the brackets of a text that comes in pieces."""

    def __init__(self) -> None:
        self.depth = 0
        self._is_escaped = self._is_quoted = False

    def take(self, text: bytes) -> tuple[Bytes, npt.NDArray[np.int64]]:
        """The letters, 0 for those within strings; the depth after each."""
        if self._is_escaped:
            text = b"_" + text[1:]
        self._is_escaped = False
        if b"\\" in text:
            text = _ESCAPED.sub(b"__", text)
            self._is_escaped = text.endswith(b"\\")
        letters = np.frombuffer(text, np.uint8)
        is_quoted = (np.cumsum(letters == _QUOTE) + self._is_quoted) % 2 == 1
        letters = np.where(is_quoted, 0, letters).astype(np.uint8)
        depths = np.cumsum(_CHANGES[letters], dtype=np.int64) + self.depth
        self._is_quoted, self.depth = bool(is_quoted[-1]), int(depths[-1])
        return letters, depths


def without_lists(body: bytes | bytearray, depths: tuple[int, ...]) -> Generator[None, None, Lists]:
    """Takes out of a large body the lists that begin within so many arrays and objects, but for
    those that stand within one that was taken out. Raises BadRequest or Invalid."""
    spans: list[Span] = []
    start, depth = 0, -1  # of the list that is open, or -1
    scan = _Scan()
    for at in range(0, len(body), SCANNED_BYTES):
        letters, after = scan.take(bytes(body[at : at + SCANNED_BYTES]))
        begins = (letters == _OPENING) & np.isin(after, [each + 1 for each in depths])
        ends = (letters == _CLOSING) & np.isin(after, depths)
        for place in np.flatnonzero(begins | ends).tolist():
            if begins[place] and depth < 0:
                start, depth = at + place, int(after[place]) - 1
            elif ends[place] and after[place] == depth:
                if at + place - start >= SHORTEST:
                    spans.append(Span(start, at + place))
                depth = -1
        if len(spans) > MOST_LISTS:
            detail = f"expected at most {MOST_LISTS} lists, got more: send fewer inputs a request"
            raise invalid("too_large", detail, "#")
        yield
    return _left(body, spans)


def _left(body: bytes | bytearray, spans: list[Span]) -> Lists:
    secret = secrets.token_hex(16)  # which no text of a client's can be
    named = {f"{secret}:{number}": span for number, span in enumerate(spans)}
    if len(body) - sum(span.end - span.start for span in spans) > MOST_BYTES:
        detail = f"expected at most {MOST_BYTES} bytes beside the inputs' values, got more"
        raise invalid("too_large", detail, "#")
    pieces, at = bytearray(), 0
    for name, span in named.items():
        pieces += body[at : span.start] + f'["{name}"'.encode()
        at = span.end
    return Lists(document_of(bytes(pieces + body[at:])), body, named)


def _decoded(body: bytes | bytearray, span: Span, at: str) -> Iterator[list[Any]]:
    """Items of a list; an empty batch where a step has come to the end of none."""
    scan, begun, count = _Scan(), bytearray(), 0
    for place in range(span.start + 1, span.end, DECODED_BYTES):
        text = bytes(body[place : min(place + DECODED_BYTES, span.end)])
        letters, depths = scan.take(text)
        commas = np.flatnonzero((letters == _COMMA) & (depths == 0))
        if not len(commas):
            begun += text
            if len(begun) > LONGEST_ITEM:
                detail = f"expected at most {LONGEST_ITEM} bytes an input, got more"
                raise invalid("too_large", detail, f"{at}/{count}")
            yield []
            continue
        last = int(commas[-1])
        items = _items(bytes(begun) + text[:last], f"{at}/{count}")
        begun, count = bytearray(text[last + 1 :]), count + len(items)
        yield items
    yield _items(bytes(begun), f"{at}/{count}")


def _items(text: bytes, at: str) -> list[Any]:
    """Reads at least one item. Raises BadRequest."""
    try:
        items: list[Any] = document_of(b"[" + text + b"]")
    except BadRequest as error:
        detail = f"{error.detail.partition(': ')[0]} in or after this input"
        raise BadRequest(error.code, detail, Finding(detail, at)) from None
    if not items:
        detail = "expected an input after each comma, got none"
        raise BadRequest("invalid_json", detail, Finding(detail, at))
    return items
