"""After a phase a network is in inference what it was in training mode, however short the phase."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.trials import OF_TRIALS, Recorder, pictures, schema, spec, trial
from worker.training.data import Domain
from worker.training.population_norms import batch_outputs
from worker.training.predict import outputs_of
from worker.training.run import train

CLASSES, ITEMS = 4, 96
# backbone, parameters, bottleneck, side of the images, steps, arms (None: all)
Case = tuple[str, dict[str, Any], int | None, int, int, tuple[str, ...] | None]
CONVNET = {"filters": [4, 8], "dense": 16}
DEEP = ("pretrain", "scratch", "mcc")
CASES: dict[str, Case] = {
    "convnet, 5": ("convnet", CONVNET, None, 12, 5, None),
    "convnet, 15": ("convnet", CONVNET, None, 12, 15, None),
    "convnet with a bottleneck, 15": ("convnet", CONVNET, 16, 12, 15, None),
    "convnet with a bottleneck, 100": ("convnet", CONVNET, 16, 12, 100, None),
    "mlp with a bottleneck, 5": ("mlp", {"hidden": [32]}, 16, 12, 5, None),
    "mlp with a bottleneck, 15": ("mlp", {"hidden": [32]}, 16, 12, 15, None),
    "mlp with a bottleneck, 100": ("mlp", {"hidden": [32]}, 16, 12, 100, None),
    "mobilenet, 15": ("mobilenet", {"width": 0.35}, None, 32, 15, DEEP),
}
CLOSE = 0.05
# Statistics, in training mode too
KEEP_THE_SOURCES = {"linear_coral", "linear_probe", "lp_ft", "recalibrate", "source_only"}


@cache
def shapes(seed: int, brightness: int, side: int) -> Domain:
    """A bright square in one of four corners, on noise, brighter as a whole by `brightness`."""
    rng, half = np.random.default_rng(seed), side // 2
    y = (np.arange(ITEMS) % CLASSES).astype(np.int32)
    x = rng.integers(0, 60, (ITEMS, side, side, 1)) + brightness
    for image, label in zip(x, y, strict=True):
        top, left = 1 + half * (label // 2), 1 + half * (label % 2)
        image[top : top + half - 2, left : left + half - 2] += 60
    items = pictures(x.astype(np.uint8), y)
    nothing = items.select(np.arange(0))
    return Domain(schema(CLASSES, ITEMS, (side, side, 1)), items, nothing)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_inference_and_training_mode_agree(case: str, tmp_path: Path) -> None:
    backbone, params, bottleneck, side, steps, arms = CASES[case]
    job = spec(backbone, params, bottleneck=bottleneck, epochs=steps, batch_size=ITEMS)
    path = tmp_path / "source.npz"
    target, source = shapes(1, 20, side), shapes(2, 60, side)
    apart = {}
    for arm in arms or OF_TRIALS:  # the pretraining is the first
        domain = source if arm == "pretrain" else target
        weights = None if arm in {"pretrain", "scratch"} else path
        setup = trial(arm, job, target=domain, source=source, source_weights=weights)
        trained = train(setup, Recorder())
        if arm == "pretrain":
            trained.save_weights(path)
        if arm in KEEP_THE_SOURCES:
            continue
        items = domain.train
        right = [
            float(np.mean(outputs.argmax(1) == items.y))
            for outputs in (
                outputs_of(trained, items.items),
                batch_outputs(trained, items.items, ITEMS),
            )
        ]
        apart[arm] = abs(right[0] - right[1])
    assert {arm: gap for arm, gap in apart.items() if gap > CLOSE} == {}
