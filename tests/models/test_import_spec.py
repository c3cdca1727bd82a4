"""What the sender of a network says it expects, before any worker reads the file."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.models.importing import ImportSpec


def spec(expects: Any) -> ImportSpec:
    return ImportSpec.model_validate(
        {"name": "n", "inputs": {"expects": expects}, "classes": ["a", "b"]}
    )


@pytest.mark.parametrize(
    "expects", [[0, 1], [-1, 1], [0, 1e12], {"mean": [0.485, 0.4, 0], "std": [0.229]}]
)
def test_what_a_network_may_expect(expects: Any) -> None:
    spec(expects)


@pytest.mark.parametrize(
    ("expects", "said"),
    [
        ({"mean": [123.68], "std": [58.4]}, "the mean of values 0..1"),
        ({"mean": [-0.1], "std": [1]}, "the mean of values 0..1"),
        ({"mean": [0.5], "std": [1e-300]}, "greater than or equal to 0.000001"),
        ({"mean": [0.5], "std": [0]}, "greater than or equal to 0.000001"),
        ([-1e12, 1e12], "at most 1e\\+12 from the low"),
        ([1, 0], "a low and a higher value"),
    ],
)
def test_what_no_layer_can_do_is_refused_before_a_worker_reads_the_file(
    expects: Any, said: str
) -> None:
    """A worker failed at it with an internal error."""
    with pytest.raises(ValidationError, match=said):
        spec(expects)
