"""multilingual-e5-small with layers that learn against a small network on its frozen features.

    nice -n 10 python -m benchmarks.fine_tuned [--train 300] [--test 400] [--seeds 2] [--rates R...]

Reviews of hotels in Chinese, drawn by class with the seed's number, and `--test` others. No source:
both networks learn from the same labels in the engine, as `scratch` does, each by its own recipe
(app/spec/backbone_entry.py), e5_small with its defaults (64 tokens, of which a review may have
more, and four layers of twelve) at each of `--rates` (its recipe's). `frozen at 64` is the small
network on features of as few tokens, `frozen` on all of a review's. Accuracy and AUC on the others,
and seconds of the processor. Needs the extra `text`, and the data in KTL_TEST_DATA or
../shared/data. About ten minutes of one core.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.datasets.schemas import Schema
from app.inputs.encoders import E5_SMALL, EncoderEntry
from app.inputs.features import FEATURES
from app.spec.backbones import CATALOGUE
from app.spec.e5_params import E5SmallParams
from app.spec.training import Training
from app.tasks.classification import Classification
from benchmarks._service import read
from benchmarks.calibration import Journal
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.running import Encoder
from worker.backbones.encoders.wheels import build
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.training.setup import TrialSetup

HOTEL = "text_zh_chnsenticorp_hotel.csv.gz"
FROZEN, LEARNING = "sentence_encoder", "e5_small"

Arrays = NDArray[Any]


@dataclass(frozen=True)
class Reviews:
    """Rows of one seed, the test's behind the others."""

    x: Arrays
    y: NDArray[np.int32]
    train: int


def drawn(train: int, test: int, seed: int) -> tuple[list[str], NDArray[np.int32]]:
    """As many of either class, the training texts first."""
    rng, rows = np.random.default_rng(seed), read(HOTEL)
    of = [rng.permutation([row["text"] for row in rows if row["label"] == c]) for c in "01"]
    halves = [slice(0, train // 2), slice(train // 2, (train + test) // 2)]
    texts = [str(text) for half in halves for each in of for text in each[half]]
    y = [label for half in halves for label in (0, 1) for _ in of[label][half]]
    return texts, np.array(y, np.int32)


def encoder_of(entry: EncoderEntry, folder: Path) -> Encoder:
    folder.mkdir()
    build(entry, folder)
    made = Folder(folder)
    return Encoder.load(made.graph.read_bytes(), made.tokenizer.read_bytes(), made.facts())


def measured(backbone: str, reviews: Reviews, seed: int, rate: float | None) -> list[float]:
    """Accuracy, AUC, and seconds of the processor."""
    began = time.process_time()
    entry, known = CATALOGUE[backbone], len(reviews.y) - reviews.train
    model = entry.choice(backbone=backbone)  # type: ignore[call-arg]  # each has one
    assert model.features is not None
    schema = Schema(
        inputs=model.features,
        task=Classification(classes=("bad", "good")),
        splits={"train": reviews.train, "test": known},
        class_counts={"train": (reviews.train // 2,) * 2, "test": (known // 2,) * 2},
    )
    whole = Split.stored(Items.of({FEATURES: reviews.x}), reviews.y)
    rows, held_out = cut_validation(reviews.y[: reviews.train], 0.1, seed)
    recipe = {**entry.recipe, **({"learning_rate": rate} if rate else {})}
    setup = TrialSetup(
        recipe="scratch",
        params=None,
        model=model,
        training=Training.model_validate(recipe).on(len(rows)),
        seed=seed,
        target=Domain(schema, whole.select(rows), whole.select(held_out)),
    )
    network = train(setup, Journal())
    test = whole.select(np.arange(reviews.train, len(reviews.y)))
    outputs = outputs_of(network, test.items)
    margin = outputs[:, 1] - outputs[:, 0]
    accuracy = float(((margin > 0) == test.y).mean())
    return [accuracy, float(roc_auc_score(test.y, margin)), time.process_time() - began]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=int, default=300)
    parser.add_argument("--test", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rates", type=float, nargs="*", default=[1e-4])
    asked = parser.parse_args()
    found: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="ktl-") as place:
        whole = encoder_of(E5_SMALL, Path(place) / "whole")
        cutter = encoder_of(E5SmallParams().entry, Path(place) / "cut")
        for seed in range(asked.seeds):
            texts, y = drawn(asked.train, asked.test, seed)
            ids = cutter.features(texts)
            cut = Encoder(whole.runtime, cutter.tokeniser, whole.facts)
            full = sum(row[-1] != cutter.facts.pad_id for row in ids)
            print(f"seed {seed}: {full} of {len(ids)} reviews fill all {ids.shape[1]} tokens")
            cases = [
                ("frozen", FROZEN, whole.features(texts), None),
                (f"frozen at {ids.shape[1]}", FROZEN, cut.features(texts), None),
                *((f"learning at {rate:g}", LEARNING, ids, rate) for rate in asked.rates),
            ]
            for name, backbone, x, rate in cases:
                figures = measured(backbone, Reviews(x, y, asked.train), seed, rate)
                found.setdefault(name, []).append(figures)
                print(f"  {name:18} accuracy {figures[0]:.3f}  AUC {figures[1]:.3f}  "
                      f"{figures[2]:.0f} s", flush=True)  # fmt: skip
    means = {name: np.mean(runs, axis=0).round(4).tolist() for name, runs in found.items()}
    print(json.dumps({"benchmark": "fine_tuned", "ratios": {}, "figures": means}))


if __name__ == "__main__":
    main()
