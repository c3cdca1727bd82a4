"""What becomes of a JSON text, and what is said of one that nothing can hold."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadRequest, Invalid
from app.json_text import DEEPEST, decode


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, -2.5, true, null, "\\ud83d\\ude00 é"]}', {"a": [1, -2.5, True, None, "😀 é"]}),
        ("[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        ("[1e308, 5e-324, 1e-5000]", [1e308, 5e-324, 0]),
        ("[" * DEEPEST + "]" * DEEPEST, json.loads("[" * DEEPEST + "]" * DEEPEST)),
    ],
)
def test_what_can_be_held_is_read(text: str, value: Any) -> None:
    assert decode(text.encode()) == value


def test_five_point_nought_is_an_integer() -> None:
    read = decode(b"[5.0, 5e0, -0.0, 0.5, 1e300]")
    assert [type(number) for number in read] == [int, int, int, float, float]


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ('"\\ud800"', ["#"]),
        ('{"a/b": {"~": ["x", "\\udc00\\ud800"]}}', ["#/a~1b/~0/1"]),
        ('{"x": {"\\ud800": 1, "y": "\\u0000"}}', ["#/x", "#/x/y"]),
        ("[9223372036854775808, NaN, 1e999, -Infinity]", ["#/0", "#/1", "#/2", "#/3"]),
        ("[" + "9" * 5000 + "]", ["#/0"]),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), ["#" + "/0" * DEEPEST]),
    ],
)
def test_what_nothing_can_hold_is_refused_where_it_stands(text: str, pointers: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        decode(text.encode(), at="#")
    assert [finding.pointer for finding in refused.value.findings] == pointers
    with pytest.raises(Invalid) as refused:
        decode(text.encode(), "the part `spec`", "#/spec")
    assert str(refused.value.findings[0].pointer).startswith("#/spec")


@pytest.mark.parametrize(
    "text", [b"", b"{", b"'", b"[1] 2", b'"\xed\xa0\x80"', b'\xff\xfe"\x00', b"[" * 100_000]
)
def test_what_is_no_json(text: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(text)


def test_findings_are_counted() -> None:
    with pytest.raises(Invalid) as refused:
        decode(b"[" + b"NaN," * 1000 + b"1]")
    assert len(refused.value.findings) == 20


@settings(derandomize=True, database=None, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_all_else_comes_back_as_it_was(value: Any) -> None:
    text = json.dumps(value)
    if "\\u0000" not in text:
        assert decode(text.encode()) == value
