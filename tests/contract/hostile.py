"""Values that broke something once, and their kin: as JSON texts, and as texts of parameters."""

import json
from typing import Any

from hypothesis import strategies as st

HALVES = ['"\\ud800"', '"a\\udfffb"', '{"\\udc00": 1}', '[["\\ud800"]]', '"\\udc00\\ud800"']
NULS = ['"\\u0000"', '"a\\u0000b"', '{"\\u0000": {}}']
NUMBERS = [
    *("9223372036854775808", "-9223372036854775809", "2147483648", "18446744073709551616"),
    *("9" * 400, "9" * 5000, "-" + "9" * 5000, "0." + "9" * 5000, "1e-5000"),
    *("1e308", "-1e308", "1e309", "-1e999", "5e-324", "-0.0", "NaN", "Infinity", "-Infinity"),
    *("true", "false", "null", "0", "-1", "1.0", "1.5", '"1"', '"NaN"'),
]
TIMES = [
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-23:59",
    "9999-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "1e300",
    "-99999999999999",
]
DEEP = ["[" * deep + "]" * deep for deep in (65, 900, 100_000)]
DEEP += ['{"a":' * deep + "1" + "}" * deep for deep in (65, 900, 100_000)]
LONG = ['"' + "x" * 300_000 + '"', '"' + "é\\u202e" * 20_000 + '"', "[" + "0," * 100_000 + "0]"]
WRONG = ["{}", "[]", '""', "[[]]", '{"": null}', '"\\u001b[2J"', "", "{", "'"]

_text = st.text(st.characters(codec=None, categories=["L", "N", "P", "Z", "C"]), max_size=20)
_json: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


def texts_of_json() -> st.SearchStrategy[str]:
    """JSON, most of it, that Python can read and others cannot, or the other way about."""
    known = [*HALVES, *NULS, *NUMBERS, *map(json.dumps, TIMES), *DEEP, *LONG, *WRONG]
    return st.sampled_from(known) | _json.map(json.dumps)


def texts_of_parameters() -> st.SearchStrategy[bytes]:
    """Bytes as they would be percent-encoded."""
    known = [*NUMBERS, *TIMES, "true", "x" * 10_000, "\0", "a\0b", "../../etc/passwd", "ds_\u202e"]
    known_bytes = [text.encode() for text in known]
    known_bytes += [b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\x80", b"%00", b"\r\n", b"*"]
    return st.sampled_from(known_bytes) | st.binary(min_size=1, max_size=30)


def of_kind(schema: dict[str, Any]) -> list[str]:
    """What a parameter of this schema would be read as; none where it is text."""
    said = json.dumps(schema)
    return TIMES if "date-time" in said else NUMBERS if "integer" in said else []
