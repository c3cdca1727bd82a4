"""A strategy with two streams and a network beside the trained one, as adversarial ones have."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.trials import DOMAIN, Recorder, domain, spec, trial
from worker.backbones.network import Network
from worker.objectives.classification import cross_entropy
from worker.strategies.recipe import Batches, Group, Phase, trainable
from worker.training import program
from worker.training import run as engine
from worker.training.run import train
from worker.training.setup import Interrupted, Signal


def tell_domains_apart(network: Network) -> Phase:
    discriminator = keras.Sequential(
        [keras.Input((network.feature_count,)), keras.layers.Dense(2, name="domains")]
    )

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        (x_s, y_s, _), x_t = batch["source"], batch["target"].x
        f_s, f_t = network.features(x_s, training=True), network.features(x_t, training=True)
        d = discriminator(tf.concat([f_s, f_t], 0))
        domains = tf.repeat([0, 1], [tf.shape(f_s)[0], tf.shape(f_t)[0]])
        return cross_entropy(network.head(f_s), y_s) + cross_entropy(d, domains), network.head(f_t)

    groups = (
        Group(trainable(network.backbone, network.head), 1e-3),
        Group(trainable(discriminator), 1e-2),
    )
    return Phase(
        "adapt", loss, groups, 2, streams=("target", "source"), companions=(discriminator,)
    )


def test_two_streams_and_a_companion_train_and_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = replace(trial("scratch", spec()), source=domain(items=24, seed=5))

    def install() -> program.Program:
        program.forget()
        network = program.program_of(setup).network
        made = program.Program(network, (tell_domains_apart(network),))
        monkeypatch.setattr(engine, "program_of", lambda setup: made)
        return made

    made, journal = install(), Recorder()
    train(setup, journal)
    end = [variable.numpy() for variable in made.variables]
    assert len(end) == len(made.network.variables) + 2
    made.initialise(setup.seed)
    assert not np.array_equal(end[-2], made.variables[-2].numpy())  # the discriminator learnt
    confusion_items = -(-len(DOMAIN.train) // 16) * 16
    accuracy = journal.records[0].values["accuracy"] * confusion_items
    assert accuracy == pytest.approx(round(accuracy))  # of the first stream, once round

    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    with pytest.raises(Interrupted) as interrupted:
        train(setup, Recorder(lambda poll: Signal.PAUSE if poll == 5 else None))
    made = install()
    train(setup, Recorder(), interrupted.value.checkpoint)
    for variable, expected in zip(made.variables, end, strict=True):
        assert np.array_equal(variable.numpy(), expected)


def test_a_stream_without_data_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = replace(trial("scratch", spec()), source=None)
    network = program.program_of(setup).network
    made = program.Program(network, (tell_domains_apart(network),))
    monkeypatch.setattr(engine, "program_of", lambda setup: made)
    with pytest.raises(ValueError, match="expected the source's data, got none"):
        train(setup, Recorder())
