import json
from collections.abc import Iterator

import pytest
import structlog

from app.logs import configure_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_traceback_is_logged_without_the_values_of_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(password: str) -> None:
        raise ValueError(f"expected a longer one, got {len(password)} characters")

    configure_logs()
    try:
        fail("hunt" + "er2")  # in two: the source line stands in the trace
    except ValueError:
        structlog.get_logger().exception("request_failed", instance="/v1/jobs")
    seen = capsys.readouterr()
    event = json.loads(seen.err)
    assert seen.out == ""
    assert (event["event"], event["level"], event["instance"]) == (
        "request_failed",
        "error",
        "/v1/jobs",
    )
    assert "ValueError: expected a longer one, got 7 characters" in event["exception"]
    assert "hunter2" not in seen.err
