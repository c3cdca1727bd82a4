"""The strategies that learn from pairs of parts, in the engine."""

from pathlib import Path

import numpy as np
import pytest

from tests.training import pairs
from tests.training.trials import OF_PAIRS, Recorder
from worker.training import program
from worker.training import run as engine
from worker.training.run import train
from worker.training.setup import Interrupted, Signal


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    job = pairs.spec("modality_distill", epochs=10, learning_rate=0.02)
    setup = pairs.trial("pretrain", job.model_copy(update={"seed": 0}))
    network = train(setup.__class__(**{**vars(setup), "target": pairs.SOURCE}), Recorder())
    path = tmp_path_factory.mktemp("weights") / "source.npz"
    network.save_weights(path)
    return path


@pytest.mark.parametrize("name", OF_PAIRS)
def test_a_resumed_trial_has_the_same_bits(
    name: str, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    job = pairs.spec(name, epochs=4, learning_rate=0.02)
    setup = pairs.trial(name, job, weights=weights)
    expected = [v.numpy() for v in train(setup, Recorder()).variables]
    with pytest.raises(Interrupted) as interrupted:
        train(setup, Recorder(lambda poll: Signal.PAUSE if poll == 5 else None))
    program.forget()
    resumed = train(setup, Recorder(), interrupted.value.checkpoint)
    for got, wanted in zip(resumed.variables, expected, strict=True):
        assert np.array_equal(got.numpy(), wanted)


def test_few_labels_stand_beside_a_whole_batch_of_pairs() -> None:
    """Of 22 training items of the target a step has 16, and of the source's 54 likewise; where the
    target has 4, the source's are still 16."""
    job = pairs.spec("contrastive")
    setup = pairs.trial("contrastive", job)
    few = setup.target.train.select(np.arange(4))
    small = type(setup.target)(setup.target.schema, few, setup.target.validation)
    for phase in program.program_of(setup).phases[:1]:
        streams = {"target": small.train, "source": pairs.SOURCE.train}
        rows = engine.rows_of_step(phase, streams, 4, 16)
        assert rows == {"target": 4, "source": 16}


def test_the_teacher_of_other_classes_has_a_head_beside(weights: Path) -> None:
    other = pairs.domain(60, 1, classes=3)
    job = pairs.spec("modality_distill", epochs=2)
    setup = pairs.trial("modality_distill", job, source=other)
    (phase,) = program.program_of(setup).phases
    assert [model.output.shape[1] for model in phase.companions[1:]] == [3, 3]
    network = train(setup, Recorder())
    assert np.isfinite(network.head.weights[0].numpy()).all()
