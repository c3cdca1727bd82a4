"""What is said of a wrong value."""

import pytest
from pydantic import BaseModel, ValidationError

from app.findings import invalid_from


class Keyed(BaseModel):
    api_key: int
    note: int


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("note", "1e-3", "got '1e-3'"),
        ("note", "x" * 41, "got text of length 41"),
        ("note", "\x1b[2J", "got text of length 4"),
        ("note", "\u202eabc", "got text of length 4"),
        ("api_key", "hush", "got text of length 4"),
    ],
)
def test_what_came_is_repeated_where_it_is_short_and_no_secret(
    name: str, value: str, said: str
) -> None:
    body = {"api_key": 1, "note": 1, name: value}
    with pytest.raises(ValidationError) as wrong:
        Keyed.model_validate(body)
    (finding,) = invalid_from(wrong.value, body).findings
    assert finding.pointer == f"#/{name}"
    assert finding.detail.endswith(said)
