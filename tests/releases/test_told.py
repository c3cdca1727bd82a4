"""What counts as told otherwise than before."""

from typing import Any

import pytest

from tests.releases.told import differences

BEFORE: dict[str, Any] = {"a": [1, {"b": "x"}], "c": None}


def test_more_may_be_told() -> None:
    assert [*differences(BEFORE, {"a": [1, {"b": "x", "new": 2}], "c": None, "d": 3})] == []


@pytest.mark.parametrize(
    ("after", "path"),
    [
        ({"a": [1, {"b": "y"}], "c": None}, "/a/1/b"),
        ({"a": [1, {}], "c": None}, "/a/1/b"),
        ({"a": [1], "c": None}, "/a"),
        ({"a": [1, {"b": "x"}, 2], "c": None}, "/a"),
        ({"a": [1, {"b": "x"}]}, "/c"),
        ({"a": {"0": 1}, "c": None}, "/a"),
        ([], ""),
    ],
)
def test_less_or_other_is_a_difference(after: Any, path: str) -> None:
    [said] = differences(BEFORE, after)
    assert said.startswith(f"{path}: expected ")
