"""`training.augmentation`: which images the losses of which phases see."""

import numpy as np
import pytest
import tensorflow as tf

from app.inputs.columns import NumberColumn
from app.inputs.table import TableInputs
from tests.training.trials import DOMAIN, Recorder, images_of, spec, trial
from worker.strategies.recipe import Batches, Group, Phase, trainable
from worker.training import program
from worker.training import run as engine
from worker.training.data import Domain, Split
from worker.training.items import Items
from worker.training.program import program_of
from worker.training.run import train

AUGMENTED = {"augmentation": {"strength": "weak"}}


def images_seen(monkeypatch: pytest.MonkeyPatch, augments: bool = True) -> np.ndarray:
    """(epochs, items of an epoch): the sum of all pixels of each image that a loss has got."""
    setup = trial("scratch", spec(batch_size=len(DOMAIN.train), epochs=3, **AUGMENTED))
    network = program_of(setup).network
    seen: list[np.ndarray] = []

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = batch["target"].x
        pixels = tf.reduce_sum(x["image"], (1, 2, 3))
        tf.py_function(lambda sums: seen.append(np.sort(sums)), [pixels], [])
        logits = network.outputs(x, training=True)
        return tf.reduce_mean(logits), logits

    phase = Phase("adapt", loss, (Group(trainable(network.head), 0.0),), 3, augments=augments)
    made = program.Program(network, (phase,), augmentation=setup.training.augmentation)
    monkeypatch.setattr(engine, "program_of", lambda setup: made)
    train(setup, Recorder())
    return np.array(seen)


def test_each_epoch_has_its_own_images(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = images_seen(monkeypatch)
    assert len(seen) == 3
    assert len({tuple(sums) for sums in seen}) == 3


def test_a_phase_that_does_not_augment_sees_them_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = np.sort(images_of(DOMAIN.train).astype(np.float32).sum((1, 2, 3)) / 255)
    for sums in images_seen(monkeypatch, augments=False):
        np.testing.assert_allclose(sums, expected, rtol=1e-4)


def test_validation_and_test_images_are_not_changed() -> None:
    """The same weights, whatever the augmentation: a network that does not learn."""
    frozen = {"learning_rate": 1e-12, "epochs": 1, "strategies": ("fine_tune",)}

    def validated(**training: object) -> float:
        journal = Recorder()
        train(trial("scratch", spec(**frozen, **training)), journal)
        return next(r.values["loss"] for r in journal.records if r.split == "validation")

    assert validated() == pytest.approx(validated(**AUGMENTED), abs=1e-6)


ROWS, PLACES = 8, 6


def hidden_shares(monkeypatch: pytest.MonkeyPatch, augments: bool = True) -> list[float]:
    """Of each step of a training on rows without a gap, which share of the values is missing."""
    inputs = TableInputs(
        columns=tuple(NumberColumn(name=f"{n}", edges=(0.0, 1.0)) for n in range(PLACES))
    )
    rows = np.random.default_rng(0).random((ROWS, PLACES)).astype(np.float32)
    schema = DOMAIN.schema.model_copy(update={"inputs": inputs})
    split = Split.stored(Items.of({"row": rows}), np.arange(ROWS, dtype=np.int32) % 3)
    job = spec(batch_size=ROWS, epochs=3, hidden_columns=1.0)
    setup = trial("scratch", job, target=Domain(schema, split, split.select(np.arange(0))))
    network = program_of(setup).network
    seen: list[float] = []

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = batch["target"].x
        missing = tf.reduce_mean(x["numbers"][:, :, -1])
        tf.py_function(lambda share: seen.append(float(share)), [missing], [])
        logits = network.outputs(x, training=True)
        return tf.reduce_mean(logits), logits

    phase = Phase("adapt", loss, (Group(trainable(network.head), 0.0),), 3, augments=augments)
    made = program.Program(network, (phase,), hidden_columns=setup.training.hidden_columns)
    monkeypatch.setattr(engine, "program_of", lambda setup: made)
    train(setup, Recorder())
    return seen


def test_values_are_hidden_anew_in_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = hidden_shares(monkeypatch)
    assert all(0.1 < share < 0.9 for share in shares)
    assert len(set(shares)) == 3


def test_nothing_is_hidden_where_a_phase_does_not_augment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hidden_shares(monkeypatch, augments=False) == [0.0] * 3
