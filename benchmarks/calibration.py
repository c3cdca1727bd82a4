"""Measures the table of app/spec/calibration.py: seconds a step, and of what comes once.

    nice -n 10 python -m benchmarks.calibration [NETWORK...]

Each network of the catalogue at its defaults trains on noise in the engine, as a pretraining does,
in one process: twice, with other seeds. The first training compiles, the second finds that done;
seconds a step are of the second's fastest epoch. `first` and `again` are the processor's seconds of
either training, which others at work on the machine do not lengthen; few of them are steps.
Likewise a transfer by each of three kinds of recipe. The rows it prints are those of the table.
About ten minutes on two cores, and as long again for `e5_small`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from app.datasets.schemas import Schema
from app.inputs import Inputs
from app.inputs.columns import BINS, NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart, PartInputs
from app.inputs.layouts import JoinedLayout
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.spec.backbones import CATALOGUE
from app.spec.calibration import FUSED
from app.spec.figures import Conditions
from app.spec.network_size import Shape
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from worker.training.checkpoint import Checkpoint
from worker.training.data import Domain, Split, cut_validation
from worker.training.items import Items
from worker.training.run import train
from worker.training.setup import EpochRecord, Signal, TrialSetup
from worker.trials.engine_setup import engine_setup

CLASSES, STEPS, EPOCHS = 10, 6, 5
SHAPES: dict[str, tuple[Shape, ...]] = {
    "mlp": ((8, 8, 1), (28, 28, 1), (64, 64, 3)),
    "convnet": ((16, 16, 1), (32, 32, 3), (64, 64, 3)),
    "mobilenet": ((32, 32, 3), (64, 64, 3), (96, 96, 3)),
    "tabm": ((1, 1, 170), (1, 1, 1700)),
    "ft_transformer": ((1, 1, 170), (1, 1, 1700)),
    "charconv": ((1, 64, 1), (1, 256, 1)),
    "sentence_encoder": ((1, 1, 384),),
    "e5_small": ((1, 1, 64),),
    "fusion": (FUSED,),
}
BATCHES = (16, 64)
STRATEGIES = ("fine_tune", "lp_ft", "dann")


@dataclass
class Journal:
    seconds: list[float] = field(default_factory=list)  # of the whole network's epochs

    def signal(self) -> Signal | None:
        return None

    def computed_by(self, conditions: Conditions) -> None:
        pass

    def moved(self, progress: float) -> None:
        pass

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None:
        self.seconds += [
            each.values["seconds"]
            for each in records
            if each.split == "train" and each.phase != "head"
        ]


def main() -> None:
    asked = sys.argv[1:] or [*SHAPES]
    for name, shapes in ((name, SHAPES[name]) for name in asked):
        for shape in shapes:
            for batch in BATCHES:
                first, again = (pretrain(name, shape, batch, seed) for seed in range(2))
                step, parts = again.step, inputs_of(name, shape).tokens
                tokens = f", {parts}" if parts > 1 else ""
                told = "FUSED" if shape is FUSED else shape
                print(
                    f'StepSeconds("{name}", {told}, {batch}, {step:.5f}{tokens}),  '
                    f"# first {first.whole:.2f} s, again {again.whole:.2f} s",
                    flush=True,
                )
    for name, shapes in ((name, SHAPES[name]) for name in asked):
        for strategy, first, again in transfers(name, shapes[0]):
            print(f"# {name} {strategy}: first {first:.2f} s, again {again:.2f} s", flush=True)


@dataclass(frozen=True)
class Timed:
    step: float
    whole: float


def pretrain(name: str, shape: Shape, batch: int, seed: int) -> Timed:
    setup = engine_setup(spec(name, batch), "pretrain", None, seed, noise(name, shape, batch, seed))
    return timed(setup)


def transfers(name: str, shape: Shape) -> Iterator[tuple[str, float, float]]:
    job, domain = spec(name, BATCHES[-1]), noise(name, shape, BATCHES[-1], 0)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.npz"
        network = train(engine_setup(job, "pretrain", None, 0, domain), Journal())
        network.save_weights(weights)
        for strategy, arm in job.arms.items():
            setups = (
                replace(
                    engine_setup(
                        job,
                        "transfer",
                        arm.strategy,  # type: ignore[arg-type]  # no `auto` among them
                        seed,
                        domain,
                    ),
                    source=domain,
                    source_classes=CLASSES,
                    source_weights=weights,
                )
                for seed in range(2)
            )
            first, again = (timed(setup).whole for setup in setups)
            yield strategy, first, again


def timed(setup: TrialSetup) -> Timed:
    journal, began = Journal(), time.process_time()
    train(setup, journal)
    return Timed(min(journal.seconds[1:]) / STEPS, time.process_time() - began)


def spec(backbone: str, batch: int) -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_source"}],
            "target": {"dataset": "ds_target"},
            "model": {"backbone": backbone},
            "strategies": [
                {"name": name, "params": {"max_epochs": 20} if name == "lp_ft" else {}}
                for name in STRATEGIES
            ],
            "training": {"epochs": EPOCHS, "batch_size": batch, "augmentation": None},
        }
    )


def inputs_of(name: str, shape: Shape) -> Inputs:
    """Pictures, texts, what an encoder makes of these, rows of numbers whose parts are as many as
    the shape says, or a picture and a row."""
    if features := CATALOGUE[name].choice(backbone=name).features:
        return features
    if isinstance(shape, JoinedLayout):
        return JoinedInputs(
            parts=tuple(
                JoinedPart(name=part.name, inputs=part_of(part.modality, part.layout))
                for part in shape.parts
            )
        )
    return part_of(CATALOGUE[name].modality, shape)


def part_of(modality: str | None, shape: tuple[int, int, int]) -> PartInputs:
    if modality == "text":
        return TextInputs(length=shape[1])
    if modality != "table":
        return ImageInputs(shape=shape, dtype="uint8", value_range=(0, 255))
    edges = tuple(float(edge) for edge in range(BINS + 1))
    columns = range(shape[2] // (BINS + 1))
    return TableInputs(columns=tuple(NumberColumn(name=str(n), edges=edges) for n in columns))


def noise(name: str, shape: Shape, batch: int, seed: int) -> Domain:
    rng, items = np.random.default_rng(seed), round(STEPS * batch / 0.9)
    y = (np.arange(items) % CLASSES).astype(np.int32)
    inputs = inputs_of(name, shape)
    values = {
        tensor.name: rng.integers(0, 256, (items, *tensor.shape)).astype(tensor.dtype)
        for tensor in inputs.tensors
    }
    split = Split.stored(Items.of(values), y)
    counts = tuple(int((y == k).sum()) for k in range(CLASSES))
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=tuple(f"class {label}" for label in range(CLASSES))),
        splits={"train": items, "test": 0},
        class_counts={"train": counts, "test": (0,) * CLASSES},
    )
    rows, held_out = cut_validation(y, 0.1, seed)
    # Exactly STEPS batches, however the classes were rounded.
    rows = np.resize(rows, STEPS * batch)
    return Domain(schema, split.select(rows), split.select(held_out))


if __name__ == "__main__":
    main()
