"""After a phase a network is in inference what it was in training mode, however short the phase."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.trials import Recorder, schema, spec, trial
from worker.backbones.population_norms import batch_logits
from worker.strategies.registry import RECIPES
from worker.training.data import Domain, Split
from worker.training.predict import logits
from worker.training.run import train

CLASSES, SHAPE, ITEMS = 4, (32, 32, 1), 160
NETWORKS: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "convnet": ("convnet", {"filters": [8, 16], "dense": 16}, None),
    "convnet, bottleneck": ("convnet", {"filters": [8, 16], "dense": 16}, 16),
    "mlp, bottleneck": ("mlp", {"hidden": [32]}, 16),
    "mobilenet": ("mobilenet", {"width": 0.35}, None),
}
CLOSE = 0.05
KEEP_THE_SOURCES = {"linear_probe", "lp_ft", "source_only"}  # statistics, in training mode too


@cache
def shapes(seed: int, brightness: int) -> Domain:
    """A bright square in one of four corners, on noise, brighter as a whole by `brightness`."""
    rng = np.random.default_rng(seed)
    y = (np.arange(ITEMS) % CLASSES).astype(np.int32)
    x = rng.integers(0, 60, (ITEMS, *SHAPE)) + brightness
    for image, label in zip(x, y, strict=True):
        top, left = 4 + 14 * (label // 2), 4 + 14 * (label % 2)
        image[top : top + 10, left : left + 10] += 60
    items = Split(x.astype(np.uint8), y)
    return Domain(schema(CLASSES, ITEMS, SHAPE), items, items.select(np.arange(0)))


TARGET, SOURCE = shapes(1, 20), shapes(2, 60)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("steps", [5, 15, 100])
def test_inference_and_training_mode_agree(network: str, steps: int, tmp_path: Path) -> None:
    if network == "mobilenet" and steps == 100:
        pytest.skip("minutes of training; its gap is smaller the longer it trains")
    backbone, params, bottleneck = NETWORKS[network]
    job = spec(backbone, params, bottleneck=bottleneck, epochs=steps, batch_size=ITEMS)
    path = tmp_path / "source.npz"
    apart = {}
    for arm in RECIPES:  # the pretraining is the first
        domain = SOURCE if arm == "pretrain" else TARGET
        weights = None if arm in {"pretrain", "scratch"} else path
        setup = trial(arm, job, domain=domain, source=SOURCE, source_weights=weights)
        trained = train(setup, Recorder())
        if arm == "pretrain":
            trained.save_weights(path)
        if arm in KEEP_THE_SOURCES:
            continue
        items = domain.train
        right = [
            float(np.mean(outputs.argmax(1) == items.y))
            for outputs in (logits(trained, items.x), batch_logits(trained, items.x, ITEMS))
        ]
        apart[arm] = abs(right[0] - right[1])
    assert {arm: gap for arm, gap in apart.items() if gap > CLOSE} == {}
