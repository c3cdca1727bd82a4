from pathlib import Path

import pytest
from sqlalchemy import select

from app.settings import Settings
from app.tables.workers import WorkerRow
from worker.machine import capacity, declaring
from worker.machine.capacity import memory, slot_bytes, threads_a_slot, training_slots
from worker.machine.context import WorkerContext
from worker.machine.gpus import Gpus
from worker.process import resident_memory
from worker.training import program

GIB = 2**30


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


@pytest.mark.parametrize(
    ("own", "limits", "gib"),
    [
        ("0::/ktl/worker", {"ktl/worker/memory.max": "max", "ktl/memory.max": str(3 * GIB)}, 3),
        ("0::/", {"memory.max": str(2 * GIB)}, 2),  # of a container
        ("0::/docker/outside", {"memory.max": str(2 * GIB)}, 2),
        ("4:memory:/ktl", {"memory/ktl/memory.limit_in_bytes": str(GIB)}, 1),
        ("0::/", {}, None),
    ],
)
def test_a_container_may_have_less_than_the_machine(
    own: str,
    limits: dict[str, str],
    gib: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in limits.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "own").write_text(f"9:pids:/x\n{own}\n")
    machine = memory()
    monkeypatch.setattr(capacity, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(capacity, "MEMORY_GROUPS", tmp_path)
    assert memory() == min(machine, gib * GIB if gib else 2**63)


def test_memory_is_shared_out_among_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "memory", lambda: 8 * GIB)
    one = slot_bytes(Settings(training_slots=1))
    assert slot_bytes(Settings(training_slots=3)) == one // 3
    assert 4 * GIB < one < 5 * GIB
    assert slot_bytes(Settings(training_slots=3, slot_memory_bytes=7)) == 7
    monkeypatch.setattr(capacity, "memory", lambda: GIB // 2)
    assert slot_bytes(Settings(training_slots=1)) == 0


def test_it_is_declared_once_in_a_while(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declaring, "_last", [])
    monkeypatch.setattr(capacity, "memory", lambda: 64 * GIB)
    declaring.declare(context)
    monkeypatch.setattr(capacity, "memory", lambda: GIB)
    declaring.declare(context)
    with context.database.read() as session:
        (row,) = session.scalars(select(WorkerRow))
    assert (row.slots, row.slots * row.slot_bytes > 30 * GIB) == (training_slots(Settings()), True)


def test_what_is_kept_goes_when_it_has_grown_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only then; what is not given back is not asked for again."""
    forgotten: list[int] = []
    in_use = [1000]
    monkeypatch.setattr(resident_memory, "_settled", [])
    monkeypatch.setattr(resident_memory, "resident", lambda: in_use[0])
    monkeypatch.setattr(program, "forget", lambda: forgotten.append(in_use[0]))
    settings = Settings(slot_memory_bytes=1000)
    for now in (1000, 1150, 1300, 1300, 1450, 1600):
        in_use[0] = now
        resident_memory.release_memory(settings)
    assert forgotten == [1300, 1600]


def test_what_this_process_has_in_memory() -> None:
    assert 2**24 < resident_memory.resident() < memory()
