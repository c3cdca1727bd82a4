"""`training.augmentation`: which images the losses of which phases see."""

import numpy as np
import pytest
import tensorflow as tf

from tests.training.trials import DOMAIN, Recorder, images_of, spec, trial
from worker.strategies.recipe import Batches, Group, Phase, trainable
from worker.training import program
from worker.training import run as engine
from worker.training.program import program_of
from worker.training.run import train

AUGMENTED = {"augmentation": {"strength": "weak"}}


def images_seen(monkeypatch: pytest.MonkeyPatch, augments: bool = True) -> np.ndarray:
    """(epochs, items of an epoch): the sum of all pixels of each image that a loss has got."""
    setup = trial("scratch", spec(batch_size=len(DOMAIN.train), epochs=3, **AUGMENTED))
    network = program_of(setup).network
    seen: list[np.ndarray] = []

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = batch["domain"].x
        pixels = tf.reduce_sum(x["image"], (1, 2, 3))
        tf.py_function(lambda sums: seen.append(np.sort(sums)), [pixels], [])
        logits = network.logits(x, training=True)
        return tf.reduce_mean(logits), logits

    phase = Phase("adapt", loss, (Group(trainable(network.head), 0.0),), 3, augments=augments)
    made = program.Program(network, (phase,), augmentation=setup.spec.training.augmentation)
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
