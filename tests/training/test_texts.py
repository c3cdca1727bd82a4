"""The engine on texts: every strategy, and whether the network learns what words say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.text import TEXT, TextInputs, coded
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from tests.training.trials import PROBES, STRATEGIES, Recorder, trial
from worker.training import predict
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.run import train

pytestmark = pytest.mark.slow

INPUTS = TextInputs(length=32)
SMALL = {"embedding": 4, "widths": [2, 3], "filters": 6, "dense": 8, "dropout": 0.1}
WORDS = {0: ["awful", "cold"], 1: ["lovely", "warm"]}


def domain(items: int = 60, seed: int = 0) -> Domain:
    rng = np.random.default_rng(seed)
    y = (np.arange(items) % 2).astype(np.int32)
    texts = [f"it was {rng.choice(WORDS[label])} {rng.integers(9)}" for label in y.tolist()]
    split = Split.stored(Items.of({TEXT: coded(texts, 32)}), y)
    train_rows, validation = cut_validation(y, 0.1, 0)
    counts = tuple(np.bincount(y, minlength=2).tolist())
    schema = Schema(
        inputs=INPUTS,
        task=Classification(classes=("bad", "good")),
        splits={"train": items, "test": 0},
        class_counts={"train": counts, "test": (0, 0)},
    )
    return Domain(schema, split.select(train_rows), split.select(validation))


def spec(strategies: tuple[str, ...], **training: Any) -> ResolvedSpec:
    probe = {"max_epochs": 4}
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {"backbone": "charconv", "params": SMALL, "bottleneck": 6},
            "strategies": [
                {"name": name, "params": probe if name in PROBES else {}} for name in strategies
            ],
            "training": {
                "epochs": 2,
                "min_steps": 0,
                "batch_size": 16,
                "precision": "float32",
                **training,
            },
        }
    )


TARGET, SOURCE = domain(seed=0), domain(seed=1, items=70)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    job = spec(("fine_tune",))
    network = train(trial("pretrain", job, target=SOURCE, source=SOURCE), Recorder())
    found = tmp_path_factory.mktemp("weights") / "source.npz"
    network.save_weights(found)
    return found


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_trains_on_texts(name: str, weights: Path) -> None:
    setup = trial(name, spec((name,)), target=TARGET, source=SOURCE, source_weights=weights)
    outputs = predict.outputs_of(train(setup, Recorder()), TARGET.validation.items)
    assert outputs.shape == (len(TARGET.validation), 2)
    assert np.isfinite(outputs).all()
    assert outputs.std() > 0


def test_the_network_learns_what_words_say() -> None:
    target, recorder = domain(150), Recorder()
    job = spec(("fine_tune",), epochs=20, learning_rate=0.01, augmentation={"strength": "strong"})
    network = train(trial("scratch", job, target=target, source=target), recorder)
    losses = [each.values["loss"] for each in recorder.records if each.split == "train"]
    assert losses[-1] < 0.5 * losses[0]
    asked = Items.of({TEXT: coded(["LOVELY", "rather cold", "warm"], 32)})
    assert predict.outputs_of(network, asked).argmax(axis=1).tolist() == [1, 0, 1]
