"""Values of the environment that nothing could work with are refused at the start."""

import pytest
from pydantic import ValidationError

from app.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lease_seconds", "0"),
        ("lease_seconds", "nan"),
        ("recovery_interval_seconds", "-1"),
        ("max_attempts", "0"),
        ("training_slots", "-1"),
        ("port", "65536"),
        ("port", "-1"),
        ("upload_limit_bytes", "0"),
        ("quota_bytes", "-1"),
        ("gc_grace_seconds", "-1"),
        ("request_timeout_seconds", "0"),
        ("connection_limit", "0"),
    ],
)
def test_a_value_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"KTL_{name.upper()}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [each["loc"] for each in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize(
    "name", ["quota_bytes", "training_slots", "port", "gc_interval_seconds", "stream_limit"]
)
def test_nought_has_a_meaning(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"KTL_{name.upper()}", "0")
    assert getattr(Settings(), name) == 0
