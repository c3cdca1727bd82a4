"""Bodies of pictures' files: one alone (`image/…`), or several as parts of multipart/form-data.

Files are decoded by app.inputs.pictures as the intake decodes them. That takes milliseconds each,
whatever the body's size, so it is done in threads, of which there are few: a small file may become
a picture of many megabytes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import LONGEST_NAME, BadRequest, Invalid, invalid
from app.inputs.image import ImageInputs
from app.inputs.pictures import prepare_all
from app.json_text import decode
from app.prediction.inputs import MOST_VALUES, Raw, cut

FORM, FILE = "multipart/form-data", "file"
AT = f"#/{FILE}"
MOST_PICTURES = 256
LONGEST_OPTION = 2**8  # bytes
HEADER_BYTES = 2**12  # of a part
TAKEN_BYTES = 2**18  # at once: a copy of more would hold up the other threads


def read(body: bytes | bytearray, content_type: bytes) -> tuple[list[bytes], dict[str, Any]]:
    """The files, and the options beside them, by their names: JSON values. Raises BadRequest or
    Invalid."""
    kind, said = parse_options_header(content_type)
    if kind.decode("latin-1").lower() != FORM:
        return [bytes(body)], {}
    parts = _Parts()
    try:
        parts.take(body, said.get(b"boundary", b""))
    except FormParserError as error:
        detail = f"expected a {FORM} body: {error}"
        raise BadRequest("invalid_multipart", detail) from error
    if not parts.files:
        raise invalid("missing_field", f"expected a part `{FILE}`, got none", AT)
    options = {
        name: decode(bytes(text), f"the part `{name}`", f"#/{name}")
        for name, text in parts.options.items()
    }
    return parts.files, options


def prepared(files: list[bytes], inputs: ImageInputs) -> list[Raw]:
    """Raw values of the pictures, in parts. Raises Invalid, and UnsupportedMedia where this server
    reads no files of pictures."""
    most = min(MOST_PICTURES, max(1, MOST_VALUES // inputs.values))
    if len(files) > most:
        detail = f"expected at most {most} pictures a request, got {len(files)}: send fewer"
        raise invalid("too_large", detail, AT)
    return cut(np.asarray(prepare_all(files, inputs, AT)[inputs.tensor]))


class _Parts:
    """Parts named `file` are pictures, all others are options."""

    def __init__(self) -> None:
        self.files: list[bytes] = []
        self.options: dict[str, bytearray] = {}
        self._name, self._data = "", bytearray()
        self._field, self._value = bytearray(), bytearray()
        self._count, self._is_complete = 0, False

    def take(self, body: bytes | bytearray, boundary: bytes) -> None:
        """Raises FormParserError or Invalid."""
        if not boundary:
            raise FormParserError("the Content-Type names no boundary")
        callbacks: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._more,
            "on_part_end": self._end,
            "on_end": self._complete,
        }
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]  # of a TypedDict
        for start in range(0, len(body), TAKEN_BYTES):
            parser.write(bytes(body[start : start + TAKEN_BYTES]))
        if not self._is_complete:
            raise FormParserError("it ends before its last boundary")

    def _begin(self) -> None:
        self._count += 1
        if self._count > 2 * MOST_PICTURES:
            raise _too_many()
        self._name, self._data = "", bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._add(self._field, data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._add(self._value, data[start:end])

    def _add(self, header: bytearray, more: bytes) -> None:
        header += more
        if len(header) > HEADER_BYTES:
            raise FormParserError(f"a part's header has more than {HEADER_BYTES} bytes")

    def _header_end(self) -> None:
        if bytes(self._field).lower() == b"content-disposition":
            _, said = parse_options_header(bytes(self._value))
            self._name = said.get(b"name", b"").decode(errors="replace")
        self._field.clear()
        self._value.clear()

    def _more(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if self._name != FILE and len(self._data) > LONGEST_OPTION:
            raise self._unknown()

    def _end(self) -> None:
        if self._name == FILE:
            self.files.append(bytes(self._data))
        elif not self._name or self._name in self.options:
            raise self._unknown()
        else:
            self.options[self._name] = self._data

    def _complete(self) -> None:
        self._is_complete = True

    def _unknown(self) -> Invalid:
        detail = (
            f"expected parts named `{FILE}`, and options of the JSON body once each beside them, "
            f"got another part `{self._name[:LONGEST_NAME]}`"
        )
        return invalid("unknown_field", detail, "#")


def _too_many() -> Invalid:
    detail = f"expected at most {MOST_PICTURES} pictures a request, got more: send fewer"
    return invalid("too_large", detail, AT)
