"""What a device cannot do: the training goes on otherwise, and says so."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled

from app.errors import FailureCode, WorkFailure
from tests.training.trials import Recorder, spec, trial
from worker.machine.device import Device, standing_in
from worker.objectives.classification import cross_entropy
from worker.strategies.recipe import Batches, Group, Phase, trainable
from worker.training import program
from worker.training import run as engine
from worker.training.checkpoint import Checkpoint
from worker.training.run import train
from worker.training.setup import Interrupted, Signal

GPU = Device("gpu", "NVIDIA Stand-in", (9, 0))
EPOCHS = 10  # of two steps each
LATE = 15  # a step that is not in the loop's first call
Hook = Callable[[], None]


@pytest.fixture(autouse=True)
def _on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(program, "XLA_FROM_STEPS", dict.fromkeys(program.XLA_FROM_STEPS, 0))
    with standing_in(GPU):
        yield


def trained_with(hook: Hook, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> list[Recorder]:
    """Trains with a loss that calls `hook`, which XLA cannot compile, `times` times in one
    process."""
    setup = trial("scratch", spec("mlp", {"hidden": [5]}, batch_size=20, epochs=EPOCHS))
    network = program.program_of(setup).network

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y, _ = batch["target"]
        with tf.control_dependencies([tf.py_function(hook, [], [])]):
            logits = network.outputs(x, training=True)
        return cross_entropy(logits, y), logits

    phase = Phase("finetune", loss, (Group(trainable(network.head), 0.01),), EPOCHS)
    made = program.Program(network, (phase,))
    monkeypatch.setattr(engine, "program_of", lambda setup: made)
    journals = [Recorder() for _ in range(times)]
    for journal in journals:
        train(setup, journal)
    return journals


def last_weights(journal: Recorder) -> list[np.ndarray]:
    arrays = journal.snapshots[-1].arrays
    return [arrays[name] for name in sorted(arrays) if name.startswith("network/")]


def test_what_does_not_compile_is_trained_by_the_plain_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the bits of one that began there; the next trial does not try XLA again."""
    first, second = trained_with(lambda: None, monkeypatch, times=2)
    assert [found.loops for found in first.conditions] == [["xla"], ["plain"]]
    assert [found.loops for found in second.conditions] == [["plain"]]
    for journal in (first, second):
        (note,) = journal.conditions[-1].notes
        assert note.startswith("phase finetune was trained without XLA, more slowly")
        assert journal.conditions[-1].device == "NVIDIA Stand-in"
        assert len([each for each in journal.records if each.split == "train"]) == EPOCHS
    for one, other in zip(last_weights(first), last_weights(second), strict=True):
        assert np.array_equal(one, other)


def test_the_plain_loop_asks_for_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    trained_with(lambda: seen.append(is_op_determinism_enabled()), monkeypatch)
    assert set(seen) == {True}
    assert not is_op_determinism_enabled()


def test_an_operation_without_a_deterministic_form_is_run_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hook() -> None:
        if is_op_determinism_enabled():
            raise NotImplementedError("no deterministic gradient")

    (journal,) = trained_with(hook, monkeypatch)
    notes = journal.conditions[-1].notes
    assert "in all but the last bits" in notes[-1]
    assert "no deterministic gradient" in notes[-1]
    assert journal.conditions[-1].loops == ["plain"]
    assert journal.progress[-1] == 1.0


def failing_at(call: int, error: Exception) -> Hook:
    calls: list[int] = []

    def hook() -> None:
        calls.append(1)
        if len(calls) == call:
            raise error

    return hook


def test_a_device_that_fails_later_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = RuntimeError("CUDA_ERROR_ECC_UNCORRECTABLE")  # TensorFlow makes UnknownError of it
    with pytest.raises(WorkFailure, match="NVIDIA Stand-in failed in phase finetune") as caught:
        trained_with(failing_at(LATE, broken), monkeypatch)
    assert caught.value.code == FailureCode.DEVICE_FAILED
    assert "CUDA_ERROR_ECC_UNCORRECTABLE" in caught.value.detail
    assert ".py" not in caught.value.detail


def test_a_full_device_is_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    full = MemoryError("OOM when allocating")
    with pytest.raises(WorkFailure, match="batch_size") as caught:
        trained_with(failing_at(1, full), monkeypatch)
    assert caught.value.code == FailureCode.OUT_OF_MEMORY
    assert caught.value.detail.startswith("NVIDIA Stand-in has too little memory")


def test_a_fault_of_a_program_is_none_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = ValueError("shapes differ")
    with pytest.raises(tf.errors.InvalidArgumentError):
        trained_with(failing_at(LATE, wrong), monkeypatch)


def test_notes_and_loops_outlive_a_pause(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    setup = trial("scratch", spec("mlp", {"hidden": [5]}, batch_size=20, epochs=2))
    journal = Recorder(lambda poll: Signal.PAUSE if poll == 2 else None)
    with pytest.raises(Interrupted) as paused:
        train(setup, journal)
    checkpoint = paused.value.checkpoint
    assert checkpoint is not None
    noted = Checkpoint(
        checkpoint.arrays,
        checkpoint.position,
        checkpoint.seed,
        checkpoint.backends,
        checkpoint.threads,
        ("phase finetune was slow",),
    )
    noted.save(tmp_path / "checkpoint.npz")
    journal = Recorder()
    train(setup, journal, Checkpoint.load(tmp_path / "checkpoint.npz"))
    assert journal.conditions[-1].notes == ["phase finetune was slow"]
