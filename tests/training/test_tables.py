"""The engine on rows of a table: every strategy, every network, both tasks."""

from pathlib import Path

import numpy as np
import pytest

from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Augmentation
from tests.training.tables import SMALL, domain, spec
from tests.training.trials import STRATEGIES, Recorder, timeless, trial
from worker.training import predict
from worker.training.data import Domain
from worker.training.run import train

TARGET, SOURCE = domain(seed=0), domain(seed=1, items=70)
QUANTITY, QUANTITIES = domain(True, seed=0), domain(True, seed=1, items=70)
OF_QUANTITIES = [name for name in STRATEGIES if "classification" not in CATALOGUE[name].needs]
NARROW = {"bottleneck": 6}  # for strategies that need BatchNorm


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Of networks that were trained on the source, by whether it has quantities."""
    found = {}
    for is_regression, source in ((False, SOURCE), (True, QUANTITIES)):
        job = spec("tabm", ("fine_tune",), model=NARROW)
        network = train(trial("pretrain", job, target=source, source=source), Recorder())
        found[is_regression] = tmp_path_factory.mktemp("weights") / "source.npz"
        network.save_weights(found[is_regression])
    return found


def transfer(name: str, target: Domain, source: Domain, weights: Path) -> np.ndarray:
    """Outputs for the target's validation items."""
    setup = trial(
        name,
        spec("tabm", (name,), model=NARROW),
        target=target,
        source=source,
        source_weights=weights,
    )
    return predict.outputs_of(train(setup, Recorder()), target.validation.items)


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_trains_on_rows(name: str, weights: dict[bool, Path]) -> None:
    outputs = transfer(name, TARGET, SOURCE, weights[False])
    assert outputs.shape == (len(TARGET.validation), 2)
    assert np.isfinite(outputs).all()
    assert outputs.std() > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_QUANTITIES)
def test_strategies_for_quantities_train_on_rows(name: str, weights: dict[bool, Path]) -> None:
    outputs = transfer(name, QUANTITY, QUANTITIES, weights[True])
    assert outputs.shape == (len(QUANTITY.validation), 1)
    assert np.isfinite(outputs).all()


@pytest.mark.slow
@pytest.mark.parametrize("is_regression", [False, True], ids=["classes", "quantities"])
@pytest.mark.parametrize("backbone", SMALL)
def test_every_network_learns_what_the_label_follows(backbone: str, is_regression: bool) -> None:
    recorder = Recorder()
    target = domain(is_regression, items=150)
    job = spec(backbone, ("fine_tune",), epochs=20, learning_rate=0.01)
    train(trial("scratch", job, target=target, source=target), recorder)
    losses = [each.values["loss"] for each in recorder.records if each.split == "train"]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.slow
def test_equal_seeds_train_alike_and_views_change_what_is_learnt() -> None:
    def records(**training: object) -> list[object]:
        recorder = Recorder()
        job = spec("tabm", ("fine_tune",), **training)
        train(trial("scratch", job, target=TARGET, source=SOURCE), recorder)
        return timeless(recorder.records)

    plain = records()
    assert records() == plain
    changed = records(augmentation=Augmentation(strength="strong"))
    assert changed != plain
    assert records(augmentation=Augmentation(strength="strong")) == changed
