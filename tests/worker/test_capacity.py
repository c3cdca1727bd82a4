import pytest

from app.settings import Settings
from worker import capacity
from worker.capacity import threads_a_slot, training_slots
from worker.gpus import Gpus


@pytest.mark.parametrize(
    ("cores", "slots", "threads"),
    [(1, 1, 1), (2, 2, 1), (4, 2, 2), (5, 3, 1), (16, 4, 4), (64, 8, 8)],
)
def test_slots_and_threads_by_cores(
    cores: int, slots: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "cores", lambda: cores)
    monkeypatch.setattr(capacity, "gpus", Gpus)
    assert training_slots(Settings()) == slots
    assert threads_a_slot(Settings()) == threads
    monkeypatch.setattr(capacity, "gpus", lambda: Gpus(("0", "MIG-8f")))
    assert (training_slots(Settings()), threads_a_slot(Settings())) == (2, max(1, cores // 2))


def test_what_is_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "cores", lambda: 2)
    assert training_slots(Settings(training_slots=3)) == 3
    assert threads_a_slot(Settings(training_slots=3)) == 1
