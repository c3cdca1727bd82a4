"""Resumed training gives the bits of training that was never interrupted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.trials import (
    DROPOUT,
    OF_TRIALS,
    SMALL,
    STEPLESS,
    Recorder,
    domain,
    spec,
    timeless,
    trial,
)
from worker.backbones.network import Network
from worker.training import features, program
from worker.training import run as engine
from worker.training.checkpoint import Checkpoint
from worker.training.run import train
from worker.training.setup import Interrupted, Signal, TrialSetup

ARMS = OF_TRIALS
NETWORKS = {
    "mlp, xla": ("mlp", SMALL["mlp"]),
    "mlp with dropout, plain": ("mlp", DROPOUT["mlp"]),
    "convnet with dropout, plain": ("convnet", DROPOUT["convnet"]),
}


def bits(network: Network) -> list[bytes]:
    return [variable.numpy().tobytes() for variable in network.variables]


def same(one: Checkpoint, other: Checkpoint) -> bool:
    return one.arrays.keys() == other.arrays.keys() and all(
        array.tobytes() == other.arrays[name].tobytes() for name, array in one.arrays.items()
    )


def interrupted_at_each_step(
    setup: TrialSetup, other: TrialSetup, path: Path
) -> tuple[Network, Recorder]:
    """Pauses before every step but each resume's first, loses the process's state at times, and
    lets another trial use the same network in between."""
    whole, checkpoint, resumes = Recorder(), None, 0
    while True:
        journal = Recorder(lambda poll: Signal.PAUSE if poll == 2 else None)
        try:
            network = train(setup, journal, checkpoint)
        except Interrupted as interrupted:
            network = None
            interrupted.checkpoint.save(path)
        whole.records += journal.records
        whole.snapshots += journal.snapshots
        if network:
            return network, whole
        checkpoint, resumes = Checkpoint.load(path), resumes + 1
        if resumes == 4:
            program.forget()
        if resumes in {4, 10}:
            train(other, Recorder())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.slow
def test_resume_is_bit_identical(
    arm: str, network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    least = 0 if "xla" in network else 10**9
    monkeypatch.setattr(program, "XLA_FROM_STEPS", dict.fromkeys(program.XLA_FROM_STEPS, least))
    backbone, params = NETWORKS[network]
    job = spec(backbone, params)
    setup, other = trial(arm, job, seed=1), trial(arm, job, seed=2)
    program.forget()
    expected = bits(train(setup, Recorder()))
    at_once, journal = Recorder(), Recorder()
    assert bits(train(setup, at_once)) == expected  # several epochs in one call
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    program.forget()
    assert bits(train(setup, journal)) == expected
    assert timeless(at_once.records) == timeless(journal.records)
    backend = "xla" if "xla" in network else "plain"
    if arm not in STEPLESS:
        assert backend in journal.snapshots[-1].backends

    program.forget()
    resumed, pieces = interrupted_at_each_step(setup, other, tmp_path / "checkpoint")
    assert bits(resumed) == expected
    assert timeless(pieces.records) == timeless(journal.records)
    assert all(same(one, two) for one, two in zip(pieces.snapshots, journal.snapshots, strict=True))

    for snapshot in journal.snapshots:  # the epochs' ends, the last one too
        assert bits(train(setup, Recorder(), snapshot)) == expected


def test_a_few_steps_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    setup = trial("fine_tune", spec(epochs=2))
    expected = bits(train(setup, Recorder()))
    with pytest.raises(Interrupted) as interrupted:
        train(setup, Recorder(lambda poll: Signal.PAUSE if poll == 5 else None))
    checkpoint = interrupted.value.checkpoint
    assert checkpoint is not None
    assert (checkpoint.position.epochs, checkpoint.position.step) == (1, 1)
    checkpoint.save(tmp_path / "checkpoint")
    program.forget()
    resumed = train(setup, Recorder(), Checkpoint.load(tmp_path / "checkpoint"))
    assert bits(resumed) == expected


def test_the_backend_of_the_checkpoint_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    setup = trial("scratch", spec())
    journal = Recorder()
    train(setup, journal)
    assert journal.snapshots[0].backends == ("plain",)
    monkeypatch.setattr(program, "XLA_FROM_STEPS", dict.fromkeys(program.XLA_FROM_STEPS, 0))
    again = Recorder()
    train(setup, again, journal.snapshots[0])
    assert again.snapshots[-1].backends == ("plain",)
    assert same(again.snapshots[-1], journal.snapshots[-1])


def test_a_checkpoint_of_another_seed_is_refused() -> None:
    journal = Recorder()
    train(trial("scratch", spec(), seed=1), journal)
    with pytest.raises(ValueError, match="expected a checkpoint of seed 2, got one of 1"):
        train(trial("scratch", spec(), seed=2), Recorder(), journal.snapshots[0])


@pytest.mark.parametrize("poll", [1, 2, 4, 5, 7])
def test_paused_while_features_or_validation_are_computed(
    poll: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "INFERENCE_ROWS", 2)
    monkeypatch.setattr(features, "BLOCK_ROWS", 2)
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    job = spec("convnet", DROPOUT["convnet"], batch_size=8)
    data = domain(items=24)  # 21 for training, 3 for validation
    setup = trial("lp_ft", job, target=data)
    journal = Recorder()
    expected = bits(train(setup, journal))
    pauses = Recorder(lambda n: Signal.PAUSE if n == poll * journal.polls // 8 else None)
    with pytest.raises(Interrupted) as interrupted:
        train(setup, pauses)
    resumed = Recorder()
    assert bits(train(setup, resumed, interrupted.value.checkpoint)) == expected
    assert timeless([*pauses.records, *resumed.records]) == timeless(journal.records)


PROCESS = """
import sys
from pathlib import Path
from tests.training.trials import Recorder, spec, trial, DROPOUT
from worker.training import run as engine
from worker.training.checkpoint import Checkpoint
from worker.training.run import train
from worker.training.setup import Interrupted, Signal

checkpoint, pause_at, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
engine.CHUNK_SECONDS = 0.0
try:
    network = train(
        trial("lp_ft", spec("convnet", DROPOUT["convnet"])),
        Recorder(lambda poll: Signal.PAUSE if poll == pause_at else None),
        Checkpoint.load(checkpoint) if checkpoint.exists() else None,
    )
    network.save_weights(out)
except Interrupted as interrupted:
    interrupted.checkpoint.save(checkpoint)
"""


@pytest.mark.slow
def test_resumed_in_another_process(tmp_path: Path) -> None:
    def run(checkpoint: str, pause_at: int, out: str) -> None:
        arguments = [str(tmp_path / checkpoint), str(pause_at), str(tmp_path / out)]
        command = [sys.executable, "-W", "ignore", "-c", PROCESS, *arguments]
        root = Path(__file__).parents[2]
        subprocess.run(command, cwd=root, check=True)

    run("never", 0, "whole.npz")
    run("checkpoint", 14, "resumed.npz")  # in the second phase, in the middle of an epoch
    assert Checkpoint.load(tmp_path / "checkpoint").position.step == 1
    run("checkpoint", 0, "resumed.npz")
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "resumed.npz") as resumed:
        assert whole.files == resumed.files
        assert all(whole[name].tobytes() == resumed[name].tobytes() for name in whole.files)
