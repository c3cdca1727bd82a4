"""schemathesis reads the OpenAPI document and asks: each answer must be one that stands there."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema

from app.broker import ensure
from app.child_process import kill_session
from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from tests.contract.operations import ALIVE
from tests.serving import serve

pytestmark = pytest.mark.slow

KEY = "ktl_the_first_key_of_this_test"
HEADERS = {"Authorization": f"Bearer {KEY}"}
bounded = settings(
    max_examples=6,
    stateful_step_count=6,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    folder = tmp_path_factory.mktemp("schemathesis")
    (folder / "key").write_text(KEY)
    # An address that is not loopback, so that it asks for keys; the server listens there all the
    # same.
    chosen = Settings(data_dir=folder, host="0.0.0.0", first_key_file=folder / "key")
    upgrade(chosen.database)
    broker = ensure(chosen)
    assert broker
    with serve(create_app(chosen)) as client:
        found = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
        # No JSON schema says that a catalogue has a name, or that exactly one of two must be there.
        found.config.checks.update(excluded_check_names=["positive_data_acceptance"])
        # What is wrong may be too large to be looked at.
        found.config.checks.negative_data_rejection.expected_statuses.append("413")
        # A stream of a job that nobody trains ends with the client's patience, in mid-event; it has
        # tests of its own (tests/jobs/test_stream.py).
        yield found.exclude(path_regex="/events$")
    kill_session(broker)
    broker.wait()


@pytest.mark.parametrize("mode", GenerationMode)
def test_each_operation(document: BaseSchema, mode: GenerationMode) -> None:
    for found in document.get_all_operations():
        operation = found.ok()
        if operation.label in ALIVE and mode is GenerationMode.NEGATIVE:
            continue  # nothing of it can be wrong

        @bounded
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            case.call_and_validate(headers=HEADERS)

        ask()


def test_one_after_another(document: BaseSchema) -> None:
    class Machine(document.as_state_machine()):  # type: ignore[misc]  # made by a function
        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": HEADERS}

    Machine.run(settings=bounded)
