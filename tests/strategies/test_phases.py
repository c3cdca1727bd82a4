"""What each strategy trains, at which rate, and what it leaves alone."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.trials import DOMAIN, Recorder, domain, spec, trial
from worker.backbones.network import Architecture, Network
from worker.training.run import train


@pytest.fixture(scope="module")
def source_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "weights.npz"
    setup = trial("pretrain", spec("convnet", epochs=10), target=domain(classes=5, items=60))
    train(setup, Recorder()).save_weights(path)
    return path


def start(arm: str, source_weights: Path) -> dict[str, np.ndarray]:
    network = Network(_architecture())
    network.initialise(1)
    if arm != "scratch":
        network.load_backbone(source_weights)
    return _values(network)


def _architecture() -> Architecture:
    return Architecture.of(spec("convnet").model, DOMAIN.schema)


def _values(network: Network) -> dict[str, np.ndarray]:
    weights = [*network.backbone.weights, *network.head.weights]
    return {weight.path: weight.numpy() for weight in weights}


def moved(arm: str, source_weights: Path, **job: object) -> dict[str, float]:
    """How far each weight went from where it started, at most."""
    setup = trial(
        arm,
        spec("convnet", **job),
        source_weights=None if arm == "scratch" else source_weights,
    )
    end, begin = _values(train(setup, Recorder())), start(arm, source_weights)
    return {name: float(np.abs(end[name] - begin[name]).max()) for name in end}


STATISTICS = {"norm_0/moving_mean", "norm_0/moving_variance"}
HEAD = {"logits/kernel", "logits/bias"}


def test_scratch_trains_everything(source_weights: Path) -> None:
    assert all(moved("scratch", source_weights).values())


def test_linear_probe_trains_the_head_alone(source_weights: Path) -> None:
    distances = moved("linear_probe", source_weights)
    assert {name for name, distance in distances.items() if distance} == HEAD


def test_fine_tune_trains_the_backbone_slower_than_the_head(source_weights: Path) -> None:
    """Adam's first step has the size of the rate, whatever the gradient."""
    distances = moved("fine_tune", source_weights, epochs=1, batch_size=64, learning_rate=0.01)
    assert distances["logits/kernel"] == pytest.approx(0.01, rel=0.01)
    assert distances["dense/kernel"] == pytest.approx(0.003, rel=0.01)
    assert distances["convolution_0/kernel"] == pytest.approx(0.003, rel=0.01)
    assert all(distances[name] for name in STATISTICS)


def test_lp_ft_trains_the_head_then_all_with_the_sources_statistics(source_weights: Path) -> None:
    job = {"epochs": 1, "batch_size": 64, "learning_rate": 0.01}
    distances = moved("lp_ft", source_weights, **job)
    assert {name for name, distance in distances.items() if not distance} == STATISTICS
    assert distances["dense/kernel"] == pytest.approx(0.003, rel=0.01)
    assert distances["norm_0/gamma"] == pytest.approx(0.003, rel=0.01)
    probed = moved("linear_probe", source_weights, **job)
    assert distances["logits/kernel"] == pytest.approx(probed["logits/kernel"], abs=0.0031)


def test_the_probe_stops_when_it_has_converged(source_weights: Path) -> None:
    journal = Recorder()
    setup = trial(
        "lp_ft",
        spec("convnet", max_epochs=5000, head_tolerance=0.05),
        source_weights=source_weights,
    )
    train(setup, journal)
    head = [record for record in journal.records if record.phase == "head"]
    epochs = max(record.epoch for record in head)
    assert 6 <= epochs < 5000
    losses = [record.values["loss"] for record in head if record.split == "train"]
    assert losses[-6] - losses[-1] < 0.05 * losses[-6]
    assert journal.records[-1].phase == "finetune"
    assert journal.progress == sorted(journal.progress)
    assert journal.progress[-1] == 1.0
