import numpy as np
import pytest
import tensorflow as tf

from app.spec.strategy_params import MultiTaskParams
from tests.strategies.losses import Scene, cross_entropy, scene
from tests.training.trials import Recorder, spec, trial
from worker.strategies.task_weighting import Famo
from worker.training import program
from worker.training import run as engine
from worker.training.run import train
from worker.training.setup import Interrupted, Signal


def losses(here: Scene) -> tuple[float, float]:
    source_head = here.phase.companions[0]
    target = cross_entropy(here.network.outputs(here.x).numpy(), here.y)
    features = here.network.features(here.x_source)
    return target, cross_entropy(source_head(features).numpy(), here.y_source)


def test_equal_weights_are_a_sum() -> None:
    here = scene("multi_task", source_classes=5)
    assert here.loss() == pytest.approx(sum(losses(here)), rel=1e-5)


def test_uncertainty_by_hand() -> None:
    here = scene("multi_task", weighting="uncertainty")
    target, source = losses(here)
    expected = (target + source) / (2 * np.exp(-0.5)) - 0.5
    assert here.loss() == pytest.approx(expected, rel=1e-5)
    here.phase.companions[1].log_variances.assign([0.0, 1.0])
    expected = target / 2 + source / (2 * np.e) + 0.5
    assert here.loss() == pytest.approx(expected, rel=1e-5)
    assert "uncertainty/log_variances" in here.reached()


def test_an_epoch_is_one_of_the_target() -> None:
    assert scene("multi_task").phase.streams == ("target", "source")


def test_famo_weighs_the_logarithms_by_hand() -> None:
    """At w = 0: L = (log a + log b) / 2 / c, c = (1/a + 1/b) / 2."""
    here = scene("multi_task", weighting="famo")
    target, source = losses(here)
    expected = (np.log(target) + np.log(source)) / (1 / target + 1 / source)
    assert here.loss() == pytest.approx(expected, rel=1e-5)


def test_famo_learns_to_weigh_what_falls_slower() -> None:
    """delta = (ln 2, 0): J^T delta = (ln 2 / 4, -ln 2 / 4), and Adam's first step is the rate."""
    famo = Famo(2)
    famo.total(tf.constant([2.0, 1.0]))
    famo.learn(tf.constant([1.0, 1.0]))
    np.testing.assert_allclose(famo.w.numpy(), [-0.025, 0.025], rtol=1e-5)


def test_famo_after_steps_by_an_independent_writing() -> None:
    famo, w, m, v = Famo(2), np.zeros(2), np.zeros(2), np.zeros(2)
    falling = [([2.0, 1.0], [1.5, 0.9]), ([1.5, 0.9], [1.4, 0.5]), ([1.4, 0.5], [1.3, 0.6])]
    for t, (before, after) in enumerate(falling, 1):
        famo.total(tf.constant(before))
        famo.learn(tf.constant(after))
        delta = np.log(np.add(before, 1e-8)) - np.log(np.add(after, 1e-8))
        z = np.exp(w) / np.exp(w).sum()
        jacobian = np.diag(z) - np.outer(z, z)
        g = jacobian.T @ delta + 0.01 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.025 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(famo.w.numpy(), w, rtol=1e-4)


def test_pcgrad_returns_the_losses_apart() -> None:
    here = scene("multi_task", weighting="pcgrad")
    of_tasks, _ = here.phase.loss(here.batch, tf.constant(0.0))
    np.testing.assert_allclose(of_tasks.numpy(), losses(here), rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("weighting", ["equal", "uncertainty", "famo", "pcgrad"])
@pytest.mark.parametrize("xla_from_steps", [0, 10**9])
def test_each_weighting_learns_and_resumes(
    weighting: str, xla_from_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        program, "XLA_FROM_STEPS", dict.fromkeys(program.XLA_FROM_STEPS, xla_from_steps)
    )
    monkeypatch.setattr(engine, "CHUNK_SECONDS", 0.0)
    job = spec(strategies=("multi_task",), epochs=8, learning_rate=0.02)
    (strategy,) = job.strategies
    chosen = strategy.model_copy(update={"params": MultiTaskParams(weighting=weighting)})
    setup = trial("multi_task", job.model_copy(update={"strategies": (chosen,)}))
    journal = Recorder()
    expected = [v.numpy() for v in train(setup, journal).variables]
    accuracies = [r.values["accuracy"] for r in journal.records if r.split == "train"]
    assert accuracies[-1] > 0.8 > accuracies[0]
    with pytest.raises(Interrupted) as interrupted:
        train(setup, Recorder(lambda poll: Signal.PAUSE if poll == 8 else None))
    program.forget()
    resumed = train(setup, Recorder(), interrupted.value.checkpoint)
    for got, wanted in zip(resumed.variables, expected, strict=True):
        assert np.array_equal(got.numpy(), wanted)
