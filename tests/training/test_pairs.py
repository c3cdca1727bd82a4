"""The strategies that learn from pairs of parts, in the engine."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import cross_entropy, log_softmax
from tests.training import pairs
from tests.training.trials import OF_PAIRS, Recorder
from worker.backbones.network import Architecture, Network
from worker.strategies.recipe import Batch, Setting
from worker.strategies.supervised import learn_items
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


def test_each_part_alone_has_a_loss_of_its_own() -> None:
    """L + w / 2 (mean of l(picture alone) + mean of l(row alone)), each over those that have it."""
    job = pairs.spec("fine_tune", parts_alone=0.5)
    network = Network(Architecture.of(job.model, pairs.SOURCE.schema))
    network.initialise(3)
    split = pairs.SOURCE.train.select(np.arange(10))
    x = dict(network.inputs.seen(split.items.read()))
    loss = learn_items(network, Setting(job.training))
    found, outputs = loss({"target": Batch(x, split.y, split.known)}, tf.constant(0.0))
    whole = network.outputs(x, training=True)
    np.testing.assert_allclose(outputs, whole, rtol=1e-4, atol=1e-6)
    alone = []
    for part, other in (("picture", "row"), ("row", "picture")):
        there = x[f"{part}.present"].numpy()[:, 0]
        shown = {**x, f"{other}.present": tf.zeros((10, 1))}
        said = log_softmax(network.outputs(shown, training=True).numpy())
        alone.append(-(said[np.arange(10), split.y] @ there) / there.sum())
    wanted = cross_entropy(whole, split.y) + 0.5 * np.mean(alone)
    assert float(found) == pytest.approx(wanted, rel=1e-4)


def test_a_network_of_one_part_has_nothing_beside() -> None:
    job = pairs.spec("fine_tune", parts_alone=0.5)
    params = job.model.params.model_copy(update={"parts": ("row",)})
    model = job.model.model_copy(update={"params": params})
    assert Network(Architecture.of(model, pairs.SOURCE.schema)).part_views is None
