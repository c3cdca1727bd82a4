"""Seeds as one network: its loss, and what it learns of teachers that disagree."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.strategies.losses import log_softmax
from tests.training.trials import DOMAIN, Recorder, spec, trial
from worker.backbones.network import Architecture, Network
from worker.objectives.classification import CLASSES
from worker.strategies import seeds_distill
from worker.strategies.recipe import Batch, Setting
from worker.training.predict import outputs_of
from worker.training.program import Program
from worker.training.run import train
from worker.training.setup import TrialSetup


def test_the_loss_by_hand() -> None:
    """KL from the mean of the teachers' probabilities; none is trained, and no label looked at."""
    job = spec("mlp", {"hidden": [6]})
    network = Network(Architecture.of(job.model, DOMAIN.schema))
    (phase,) = seeds_distill.phases(network, None, Setting(job.training, teachers=2))
    Program(network, (phase,)).initialise(3)
    one, other = phase.teachers
    one.initialise(5)
    other.initialise(6)
    x = network.inputs.seen(DOMAIN.train.items.read())
    y = np.full(len(DOMAIN.train), 10**6, np.int32)  # of no class
    batch = {"target": Batch(x, y, np.zeros(len(y), bool))}
    with tf.GradientTape() as tape:
        value, _ = phase.loss(batch, tf.constant(0.0))
    probabilities = [np.exp(log_softmax(each.outputs(x).numpy())) for each in (one, other)]
    t, s = np.mean(probabilities, axis=0), log_softmax(network.outputs(x).numpy())
    assert float(value) == pytest.approx((t * (np.log(t) - s)).sum(1).mean(), rel=1e-4)
    learnt = [variable.value for group in phase.groups for variable in group.variables]
    assert {id(v) for v in learnt} == {
        id(v.value) for v in (*network.backbone.trainable_variables, *network.head.variables)
    }
    assert all(gradient is not None for gradient in tape.gradient(value, learnt))


def setup_of(folder: Path, backbone: str, params: dict[str, object]) -> tuple[TrialSetup, list]:
    job = spec(backbone, params, epochs=150, batch_size=len(DOMAIN.train))
    teachers, outputs = [], []
    for seed in (1, 2, 3):
        teacher = train(trial("scratch", job, seed=seed), Recorder())
        teachers.append(folder / f"{seed}.npz")
        teacher.save_weights(teachers[-1])
        outputs.append(outputs_of(teacher, DOMAIN.train.items))
    hidden = DOMAIN.train.without_labels()
    base = trial("scratch", job, target=type(DOMAIN)(DOMAIN.schema, hidden, DOMAIN.validation))
    values = {**vars(base), "recipe": seeds_distill.NAME, "teachers": tuple(teachers)}
    values |= {"source": None, "source_weights": teachers[0], "shares_classes": True}
    return TrialSetup(**values), outputs


@pytest.mark.parametrize("backbone", ["mlp", "convnet"])
def test_it_comes_nearer_to_the_mean_than_the_seed_that_it_starts_from(
    tmp_path: Path, backbone: str
) -> None:
    params = {"mlp": {"hidden": [24]}, "convnet": {"filters": [4], "dense": 8}}[backbone]
    setup, outputs = setup_of(tmp_path, backbone, params)
    mean = tf.constant(CLASSES.averaged(tf.stack(outputs)))

    def apart(answered: np.ndarray) -> float:
        return float(tf.reduce_mean(CLASSES.apart(mean, tf.constant(answered), 1.0)))

    network = train(setup, Recorder())
    assert apart(outputs_of(network, DOMAIN.train.items)) < 0.3 * apart(outputs[0])
