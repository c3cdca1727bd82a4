"""The engine by its front door."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from app.errors import FailureCode, WorkFailure
from tests.training.trials import DOMAIN, SMALL, Recorder, domain, images_of, pictures, spec, trial
from worker.backbones.network import Network
from worker.machine.device import Device, standing_in
from worker.strategies import scratch
from worker.strategies.recipe import Setting
from worker.training import feed, predict, program
from worker.training import run as engine
from worker.training.data import Domain
from worker.training.feed import epoch_order
from worker.training.run import train
from worker.training.setup import Interrupted, Signal

ALONE = ("fine_tune",)  # then scratch has the epochs that the job says


def weights(network: Network) -> list[np.ndarray]:
    return [variable.numpy() for variable in network.variables]


def test_an_epoch_is_a_permutation_that_goes_round() -> None:
    order = epoch_order(10, 12, [1, 0, 0, 0])
    assert sorted(order[:10]) == list(range(10))
    assert order[10:].tolist() == order[:2].tolist()
    assert epoch_order(10, 12, [1, 0, 1, 0]).tolist() != order.tolist()


def test_training_learns_and_tells() -> None:
    journal = Recorder()
    network = train(
        trial("scratch", spec(strategies=ALONE, epochs=30, learning_rate=0.01)), journal
    )
    assert len(journal.records) == 60
    first, last = journal.records[0], journal.records[-2]
    assert (first.phase, first.phase_index, first.epoch, first.split) == ("finetune", 0, 1, "train")
    assert set(first.values) == {"loss", "accuracy", "f1_macro", "learning_rate", "seconds"}
    assert first.values["learning_rate"] == 0.01
    assert last.values["loss"] < 0.2 < 0.9 < first.values["loss"]
    assert last.values["accuracy"] > 0.95
    assert journal.progress == sorted(journal.progress)
    assert journal.progress[-1] == 1.0
    logits = predict.outputs_of(network, DOMAIN.validation.items)
    accuracy = (logits.argmax(1) == DOMAIN.validation.y).mean()
    assert journal.records[-1].split == "validation"
    assert journal.records[-1].values["accuracy"] == pytest.approx(accuracy)


def test_the_first_epoch_by_hand() -> None:
    """Two steps of SGD with Nesterov momentum, the second filled up with an item of the first."""
    sgd = {"optimizer": "sgd", "learning_rate": 0.1}
    job = spec("mlp", {"hidden": [5]}, strategies=ALONE, epochs=1, batch_size=20, **sgd)
    setup = trial("scratch", job, seed=3)
    network = program.program_of(setup).network
    network.initialise(3)
    w1, b1, w2, b2 = weights(network)
    velocity = [np.zeros_like(w) for w in (w1, b1, w2, b2)]
    x = images_of(DOMAIN.train).astype(float).reshape(40 - 1, -1) / 255
    y, losses = DOMAIN.train.y, []
    order = epoch_order(len(x), 40, [3, 0, 0, 0])
    for batch in (order[:20], order[20:]):
        hidden = np.maximum(x[batch] @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        losses.append(-np.log(p[np.arange(20), y[batch]]).mean())
        d_logits = (p - np.eye(3)[y[batch]]) / 20
        d_hidden = (d_logits @ w2.T) * (hidden > 0)
        gradients = [x[batch].T @ d_hidden, d_hidden.sum(0), hidden.T @ d_logits, d_logits.sum(0)]
        velocity = [0.9 * v - 0.1 * g for v, g in zip(velocity, gradients, strict=True)]
        steps = [0.9 * v - 0.1 * g for v, g in zip(velocity, gradients, strict=True)]
        w1, b1, w2, b2 = (w + s for w, s in zip((w1, b1, w2, b2), steps, strict=True))
    journal = Recorder()
    trained = weights(train(setup, journal))
    for got, expected in zip(trained, (w1, b1, w2, b2), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)
    assert journal.records[0].values["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_equal_setups_give_equal_bits_and_seeds_differ() -> None:
    one = weights(train(trial("scratch", spec(), seed=1), Recorder()))
    two = weights(train(trial("scratch", spec(), seed=2), Recorder()))
    again = weights(train(trial("scratch", spec(), seed=1), Recorder()))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], two[0])


def test_a_second_trial_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    train(trial("lp_ft", spec(), seed=1), Recorder())
    monkeypatch.setattr(tf, "function", lambda *_, **__: pytest.fail("compiled again"))
    train(trial("lp_ft", spec(), seed=2), Recorder())


def test_items_fewer_than_a_batch() -> None:
    journal = Recorder()
    train(trial("scratch", spec(batch_size=1000, epochs=1)), journal)
    assert np.sum(journal.snapshots[0].arrays["sums/counts"]) == 0  # of the next epoch
    assert journal.records[0].values["accuracy"] * 39 == pytest.approx(
        round(journal.records[0].values["accuracy"] * 39)
    )


def test_without_validation_items_only_training_is_recorded() -> None:
    nothing = DOMAIN.validation.select(np.empty(0, np.int64))
    journal = Recorder()
    train(trial("lp_ft", spec(), target=replace(DOMAIN, validation=nothing)), journal)
    assert {record.split for record in journal.records} == {"train"}


@pytest.mark.parametrize("xla_from_steps", [0, 10**9])
def test_float_images_and_other_sizes(xla_from_steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        program, "XLA_FROM_STEPS", dict.fromkeys(program.XLA_FROM_STEPS, xla_from_steps)
    )
    data = domain(shape=(6, 10, 3))
    x = images_of(data.train).astype(np.float32)
    data = Domain(data.schema, pictures(x, data.train.y), data.validation)
    network = train(trial("scratch", spec(image_size=(8, 8)), target=data), Recorder())
    assert network.backbone.input["image"].shape[1:] == (8, 8, 3)
    assert predict.outputs_of(network, data.validation.items).shape == (len(data.validation), 3)


def test_a_transfer_starts_from_the_sources_backbone(tmp_path: Path) -> None:
    source = domain(classes=5, items=60, seed=7)
    network = train(trial("pretrain", spec(), target=source), Recorder())
    network.save_weights(tmp_path / "source.npz")
    pretrained = weights(network)[0]
    setup = trial("linear_probe", spec(), source_weights=tmp_path / "source.npz")
    assert np.array_equal(weights(train(setup, Recorder()))[0], pretrained)


def test_pretraining_has_epochs_of_its_own() -> None:
    journal = Recorder()
    train(trial("pretrain", spec(epochs=2, pretrain_epochs=3)), journal)
    assert [record.epoch for record in journal.records if record.split == "train"] == [1, 2, 3]
    assert journal.records[0].phase == "pretrain"


def test_stop_and_pause() -> None:
    with pytest.raises(Interrupted) as stopped:
        train(trial("scratch", spec()), Recorder(lambda poll: Signal.STOP))
    assert stopped.value.checkpoint is None
    with pytest.raises(Interrupted) as paused:
        train(trial("scratch", spec()), Recorder(lambda poll: Signal.PAUSE))
    assert paused.value.checkpoint is not None
    assert (paused.value.checkpoint.position.epochs, paused.value.checkpoint.position.step) == (
        0,
        0,
    )


def test_a_loss_that_is_not_finite_ends_the_trial() -> None:
    x = images_of(DOMAIN.train).astype(np.float32) * np.float32(1e36)
    data = Domain(DOMAIN.schema, pictures(x, DOMAIN.train.y), DOMAIN.validation)
    with pytest.raises(WorkFailure, match=r"at epoch 1 of phase finetune") as failure:
        train(trial("scratch", spec(), target=data), Recorder())
    assert failure.value.code is FailureCode.DIVERGED
    assert failure.value.stage == "finetune"
    assert np.isfinite(weights(train(trial("scratch", spec()), Recorder()))[0]).all()


def test_out_of_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(engine, "BatchFeed", full)
    with pytest.raises(WorkFailure) as failure:
        train(trial("scratch", spec()), Recorder())
    assert failure.value.code is FailureCode.OUT_OF_MEMORY


def test_chunks_grow_to_what_time_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that knows the loop's speed runs epochs of milliseconds in one call."""
    train(trial("scratch", spec(strategies=ALONE)), Recorder())
    journal = Recorder()
    train(trial("scratch", spec(strategies=ALONE)), journal)
    assert journal.polls == len(journal.progress) == 1
    assert [record.epoch for record in journal.records] == [1, 1, 2, 2]
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    journal = Recorder()
    train(trial("scratch", spec(strategies=ALONE)), journal)
    assert journal.polls == 6  # 3 steps an epoch


def test_streamed_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = weights(train(trial("fine_tune", spec()), Recorder()))
    monkeypatch.setattr(feed, "RESIDENT_BYTES", 0)
    monkeypatch.setattr(feed, "CHUNK_BYTES", 2 * 16 * 64)  # two batches of 8x8 images
    got = weights(train(trial("fine_tune", spec()), Recorder()))
    assert all(np.array_equal(a, b) for a, b in zip(expected, got, strict=True))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_weight_decay_shrinks(optimizer: str) -> None:
    def norm(decay: float) -> float:
        job = spec(optimizer=optimizer, weight_decay=decay, epochs=5, learning_rate=0.01)
        return float(sum((w**2).sum() for w in weights(train(trial("scratch", job), Recorder()))))

    assert norm(1.0) < norm(0.0)


def test_the_backend_is_chosen_by_network_and_length() -> None:
    def backend(backbone: str, steps: int, **params: object) -> str:
        job = spec(backbone, {**SMALL[backbone], **params}, epochs=10)
        network = program.program_of(trial("scratch", job)).network
        phase = scratch.phases(network, None, Setting(job.training))[0]
        return program.choose_backend(phase, network, steps, trials=5)

    with standing_in(Device("cpu", "CPU")):
        assert backend("mlp", 20) == "xla"
        assert backend("mlp", 19) == "plain"
        assert backend("mlp", 20, dropout=0.5) == "plain"
        assert backend("convnet", 10_000) == "plain"


def test_a_network_that_the_last_step_broke_is_not_handed_out() -> None:
    x = images_of(DOMAIN.train).astype(np.float32) * np.float32(1e28)
    data = Domain(DOMAIN.schema, pictures(x, DOMAIN.train.y), DOMAIN.validation)
    job = spec(epochs=1, batch_size=64, optimizer="sgd", learning_rate=10.0)  # a single step
    with (
        np.errstate(invalid="ignore"),  # the metrics of infinite logits
        pytest.raises(WorkFailure, match="expected a finite loss, got nan at epoch 1"),
    ):
        train(trial("scratch", job, target=data), Recorder())


def test_one_loop_serves_other_items_epochs_and_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an `auto` arm tries of one strategy is compiled once, and trains as if alone."""
    program.forget()
    traced: list[object] = []
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits

    def counted(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        traced.append(logits)
        return cross_entropy(labels=labels, logits=logits)

    monkeypatch.setattr(tf.nn, "sparse_softmax_cross_entropy_with_logits", counted)
    tried = [
        ({"epochs": 3, "learning_rate": 0.001}, DOMAIN),
        ({"epochs": 5, "learning_rate": 0.01}, domain(items=27)),
        ({"epochs": 2, "learning_rate": 0.02}, domain(items=90)),
        (
            {"epochs": 2},
            Domain(DOMAIN.schema, DOMAIN.train, DOMAIN.validation.select(np.empty(0, int))),
        ),
    ]

    def trained(training: dict[str, Any], data: Domain) -> list[np.ndarray]:
        return weights(train(trial("fine_tune", spec(**training), target=data), Recorder()))

    together = [trained(*each) for each in tried]
    assert len(traced) == 1
    for each, expected in zip(tried, together, strict=True):
        program.forget()
        for got, wanted in zip(trained(*each), expected, strict=True):
            assert np.array_equal(got, wanted)
    assert len(traced) == 1 + len(tried)
