"""Members of a JSON body around the rows of its inputs: each protocol has an envelope of its
own."""

from typing import Any, NamedTuple, Protocol, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, invalid
from app.findings import invalid_from
from app.prediction.inputs import Place, Raw
from app.prediction.protocols.contract import AnswerEncoder, Read
from app.prediction.stated import Stated

FIELDS = 16  # more are not looked at one by one
M = TypeVar("M", bound=BaseModel)


class Frame(NamedTuple):
    """A body without its rows. `stated`: the shape and the datatype that it says they have."""

    encoder: AnswerEncoder
    place: Place = Place()
    stated: Stated | None = None

    def checked(self, part: Raw, flat: tuple[int, ...] = (), first_row: int = 0) -> Raw:
        """Some rows (n, *shape), the first of which is the input `first_row`. Raises Invalid where
        a number is none of the stated datatype. `flat`: the shape, where all stand in one list."""
        if self.stated is not None:
            self.stated.check_values(part, self.place._replace(flat=flat), first_row)
        return part

    def read(self, parts: list[Raw], flat: tuple[int, ...] = ()) -> Read:
        """The body with its rows. Raises Invalid where there are not as many as stated."""
        if self.stated is None:
            return Read(parts, self.encoder, self.place)
        place = self.place._replace(flat=flat)
        self.stated.check_rows(sum(map(len, parts)), place)
        return Read(parts, self.encoder, place)


class Envelope(Protocol):
    """Way in which one protocol's JSON bodies are taken apart and read."""

    frame_bytes: int
    """The most that may stand around the rows of a large body."""

    rows_in: str
    """Where the rows stand, in words: `inputs`."""

    advice: str
    """What to do about a large body that is not of the shape."""

    def cut(self, body: bytes | bytearray) -> tuple[int, int]:
        """The places of the rows' first and last bracket; equal where there are none."""

    def glance(self, text: bytes) -> Frame | None:
        """Reads a body whose rows were taken out, `[]` in their place; None: look closer."""

    def look(self, document: Any, is_hollow: bool) -> tuple[list[Any], Frame]:
        """The rows of a whole document, and what stands around them. `is_hollow`: rows were taken
        out, so that there may be none. Raises Invalid."""


def outer_brackets(body: bytes | bytearray) -> tuple[int, int]:
    """The places of the first and the last bracket; equal where there are not two."""
    start, end = body.find(b"["), body.rfind(b"]")
    return (start, end) if 0 <= start < end else (0, 0)


def advice(lighter: str) -> str:
    """`lighter`: what is a fraction of JSON's size, in words."""
    other = f"{lighter}, or " if lighter else ""
    return f"Send {other}one input in a body below 64 KiB to be told what is wrong with it"


def document_of(text: bytes) -> Any:
    """Raises BadRequest."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        detail = f"expected a JSON document (NaN and Infinity are not JSON), got: {error}"
        raise BadRequest("invalid_json", detail) from None


def validated(document: Any, model: type[M]) -> M:
    """Raises Invalid."""
    if isinstance(document, dict) and len(document) > FIELDS:
        known = ", ".join(model.model_fields)
        detail = f"expected no fields but {known}, got {len(document)} fields"
        raise invalid("unknown_field", detail, "#")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise invalid_from(error, document) from None
