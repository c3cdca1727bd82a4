"""What a job may say of its training, and what the engine does with it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.spec.training import Training
from tests.training.trials import DOMAIN, Recorder, domain, spec, timeless, trial
from worker.backbones.network import Network
from worker.training import program
from worker.training import run as engine
from worker.training.checkpoint import Checkpoint
from worker.training.run import train
from worker.training.setup import Interrupted, Signal

ALONE = ("fine_tune",)  # then scratch has the epochs that the job says
SETTINGS = {
    "early_stopping": {"early_stopping": {"patience": 2}},
    "ema": {"ema_momentum": 0.8},
    "ema and early stopping": {"ema_momentum": 0.8, "early_stopping": {"patience": 2}},
    "cosine": {"schedule": "cosine", "warmup_epochs": 1, "gradient_clip_norm": 0.5},
    "augmentation": {"augmentation": {"strength": "strong", "mirror": True}},
    "smoothing": {"label_smoothing": 0.1, "weight_decay": 0.01, "optimizer": "sgd"},
}


def weights(network: Network) -> list[np.ndarray]:
    return [variable.numpy() for variable in network.variables]


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("backbone", ["mlp", "convnet"])
def test_resume_is_bit_identical(
    settings: str, backbone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec(backbone, epochs=6, learning_rate=0.05, **SETTINGS[settings])
    setup, journal = trial("fine_tune", job), Recorder()
    expected = weights(train(setup, journal))
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    records, checkpoint = [], None
    for pause_at in (2, 5, 4, 3, 10**9):
        recorder = Recorder(lambda poll, at=pause_at: Signal.PAUSE if poll == at else None)
        try:
            network = train(setup, recorder, checkpoint)
        except Interrupted as interrupted:
            interrupted.checkpoint.save(tmp_path / "checkpoint")
            checkpoint = Checkpoint.load(tmp_path / "checkpoint")
            program.forget()
        records += recorder.records
    assert all(np.array_equal(a, b) for a, b in zip(weights(network), expected, strict=True))
    assert timeless(records) == timeless(journal.records)


def test_early_stopping_keeps_the_best_epochs_weights() -> None:
    """Labels that are noise: the validation loss rises once the network learns them by heart."""
    noise = np.random.default_rng(5).integers(0, 3, len(DOMAIN.train)).astype(np.int32)
    data = replace(DOMAIN, train=replace(DOMAIN.train, y=noise))
    stopping = {"early_stopping": {"patience": 3}}
    job = spec(epochs=60, learning_rate=0.02, **stopping)
    journal = Recorder()
    network = train(trial("scratch", job, target=data), journal)
    losses = [r.values["loss"] for r in journal.records if r.split == "validation"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 60
    at_best = journal.snapshots[best].arrays
    for index, weight in enumerate(weights(network)):
        assert np.array_equal(weight, at_best[f"network/{index}"])
    assert journal.progress[-1] == 1.0


def test_early_stopping_without_validation_items_runs_to_the_end() -> None:
    nothing = DOMAIN.validation.select(np.empty(0, np.int64))
    journal = Recorder()
    job = spec(strategies=ALONE, epochs=4, early_stopping={"patience": 1})
    train(trial("scratch", job, target=replace(DOMAIN, validation=nothing)), journal)
    assert journal.records[-1].epoch == 4


def test_early_stopping_with_too_few_validation_items_runs_to_the_end() -> None:
    journal, items = Recorder(), len(DOMAIN.validation)
    stopping = {"patience": 1, "min_items": items + 1}
    job = spec(strategies=ALONE, epochs=4, learning_rate=1e-12, early_stopping=stopping)
    train(trial("scratch", job), journal)
    assert journal.records[-1].epoch == 4
    journal = Recorder()
    stopping["min_items"] = items
    job = spec(strategies=ALONE, epochs=4, learning_rate=1e-12, early_stopping=stopping)
    train(trial("scratch", job), journal)
    assert journal.records[-1].epoch < 4


def test_a_pretraining_on_few_items_gets_its_steps() -> None:
    training = Training(epochs=3, batch_size=10, pretrain_min_steps=50)
    assert training.pretraining_on(95).epochs == 5
    assert training.pretraining_on(1000).epochs == 3
    longer = training.model_copy(update={"pretrain_epochs": 9})
    assert longer.pretraining_on(95).epochs == 9
    assert Training(epochs=3).pretraining_on(1).epochs == 3


def test_the_averages_are_what_is_validated_and_handed_out() -> None:
    """By hand from the raw weights at each step: first step copied, then m a + (1 - m) w."""
    job = spec("mlp", {"hidden": [4]}, epochs=4, batch_size=64, learning_rate=0.05)
    raw = Recorder()
    train(trial("scratch", job), raw)
    if len(raw.snapshots) < 4:  # several epochs ran in one call
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "CHUNK_SECONDS", 0.0)
            raw = Recorder()
            train(trial("scratch", job), raw)
    average = raw.snapshots[0].arrays["network/0"]
    for snapshot in raw.snapshots[1:]:  # one step an epoch
        average = 0.8 * average + 0.2 * snapshot.arrays["network/0"]
    averaged = job.model_copy(
        update={"training": job.training.model_copy(update={"ema_momentum": 0.8})}
    )
    journal = Recorder()
    network = train(trial("scratch", averaged), journal)
    np.testing.assert_allclose(weights(network)[0], average, rtol=1e-5, atol=1e-7)
    raw_loss = [r.values["loss"] for r in raw.records if r.split == "validation"]
    loss = [r.values["loss"] for r in journal.records if r.split == "validation"]
    assert loss[0] == pytest.approx(raw_loss[0])
    assert loss[-1] > raw_loss[-1]  # it lags behind


def test_clipped_gradients_take_steps_of_the_norm() -> None:
    """SGD's first step with Nesterov momentum moves by 1.9 rate times the gradient's norm."""
    sgd = {"optimizer": "sgd", "learning_rate": 1.0}
    job = spec("mlp", {"hidden": [4]}, strategies=ALONE, epochs=1, batch_size=64, **sgd)
    clip = job.training.model_copy(update={"gradient_clip_norm": 1e-3})
    setup = trial("scratch", job.model_copy(update={"training": clip}))
    network = program.program_of(setup).network
    network.initialise(setup.seed)
    before = weights(network)
    after = weights(train(setup, Recorder()))
    moved = np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(after, before, strict=True)))
    assert moved == pytest.approx(1.9e-3, rel=1e-3)


def test_the_schedule_is_followed_and_recorded() -> None:
    journal = Recorder()
    job = spec(strategies=ALONE, epochs=4, batch_size=64, learning_rate=0.4, schedule="cosine")
    train(trial("scratch", job), journal)
    rates = [r.values["learning_rate"] for r in journal.records if r.split == "train"]
    assert rates == pytest.approx([0.4, 0.4 * 0.853553, 0.2, 0.4 * 0.146447], rel=1e-5)


@pytest.mark.parametrize("backbone", ["mlp", "convnet"])
def test_mixed_precision_trains_float32_weights(backbone: str) -> None:
    job = spec(backbone, epochs=20, learning_rate=0.01, precision="mixed_bfloat16")
    journal = Recorder()
    network = train(trial("scratch", job), journal)
    assert network.backbone.layers[-1].compute_dtype == "bfloat16"
    assert {w.dtype for w in weights(network)} == {np.dtype("float32")}
    assert network.outputs(DOMAIN.validation.items.read()).dtype == "float32"
    assert journal.records[-2].values["accuracy"] > 0.9


@pytest.mark.slow
def test_a_mobilenet_trains() -> None:
    data = domain(shape=(32, 32, 1))
    journal = Recorder()
    train(trial("scratch", spec("mobilenet", {}, epochs=1), target=data), journal)
    assert np.isfinite(journal.records[-1].values["loss"])


def test_the_settings_of_the_head_are_its_own() -> None:
    """Early stopping and averages are for the phases that train the whole network."""
    job = spec(epochs=2, early_stopping={"patience": 1}, ema_momentum=0.9)
    network = program.program_of(trial("lp_ft", job)).phases
    assert network[0].optimization.early_stopping is None
    assert network[0].optimization.ema_momentum is None
    assert network[1].optimization.ema_momentum == 0.9
