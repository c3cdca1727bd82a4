"""Tasks that defaults are chosen on: none of them is a task of benchmarks/auto.py or few_labels.py.

Pictures are brought to 16x16 pixels, tables are parted by a column into source and target, texts
are cut at 64 characters. Shared data in KTL_TEST_DATA or ../shared/data, and scikit-learn's own.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.inputs.text import TextInputs
from app.inputs.text_rule import normalised
from app.tasks.classification import Classification
from benchmarks._tables import Task as Table
from benchmarks._tables import australian, heart
from benchmarks.in_process import Dataset
from benchmarks.tables import fitted, stored
from worker.training.data import Split
from worker.training.items import Items

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
SIDE, LENGTH, TEST = 16, 64, 600
Y = NDArray[np.int64]

CONVNET: dict[str, Any] = {"backbone": "convnet", "params": {"filters": [8, 16], "dense": 64}}
PICTURES = {**CONVNET, "image_size": [SIDE, SIDE]}
MLP: dict[str, Any] = {"backbone": "mlp", "params": {"hidden": [64]}}
TABM: dict[str, Any] = {"backbone": "tabm", "params": {"hidden": [64], "members": 8}}
TEXTS: dict[str, Any] = {
    "backbone": "charconv",
    "params": {"embedding": 16, "filters": 16, "dense": 64},
}


@dataclass(frozen=True)
class StudyTask:
    """`modality`: of its items; `is_near`: source and target have classes and looks in common."""

    modality: str
    is_near: bool
    make: Callable[[], tuple[Dataset, Dataset]]
    model: dict[str, Any]
    pretrain_epochs: int
    budgets: tuple[int, ...] = (5, 50)  # labels per class


def dataset(name: str, inputs: Any, train: tuple[Any, Y], test: tuple[Any, Y]) -> Dataset:
    """Of items by one tensor's name and classes from 0."""
    classes = int(max(train[1].max(), test[1].max())) + 1
    splits = {
        of: Split.stored(Items.of({inputs.tensors[0].name: x}), y.astype(np.int32))
        for of, (x, y) in (("train", train), ("test", test))
    }
    schema = Schema(
        inputs=inputs,
        task=Classification(classes=tuple(f"{name} {label}" for label in range(classes))),
        splits={of: len(split) for of, split in splits.items()},
        class_counts={
            of: tuple(np.bincount(split.y, minlength=classes).tolist())
            for of, split in splits.items()
        },
    )
    return Dataset(schema, splits["train"], splits["test"])


def pictures(file: str, classes: tuple[int, ...], name: str = "", most: int = 6000) -> Dataset:
    with np.load(DATA / f"{file}.npz") as held:
        arrays = {key: held[key] for key in ("x_train", "y_train", "x_test", "y_test")}
    parts = []
    for of, count in (("train", most), ("test", TEST)):
        x, y = arrays[f"x_{of}"], arrays[f"y_{of}"].astype(int)
        rows = np.random.default_rng(0).permutation(np.flatnonzero(np.isin(y, classes)))[:count]
        x = x[rows] if x.ndim == 4 else x[rows][..., None]
        parts.append((x, np.searchsorted(classes, y[rows])))
    inputs = ImageInputs(shape=parts[0][0].shape[1:], dtype="uint8", value_range=(0, 255))
    return dataset(name or file, inputs, *parts)


def small_digits(classes: tuple[int, ...]) -> Dataset:
    bunch = datasets.load_digits()
    rows = np.random.default_rng(0).permutation(np.flatnonzero(np.isin(bunch.target, classes)))
    x = (bunch.images[rows] * 15.9).astype(np.uint8)[..., None]
    y, cut = np.searchsorted(classes, bunch.target[rows]), len(rows) // 2
    inputs = ImageInputs(shape=(8, 8, 1), dtype="uint8", value_range=(0, 255))
    return dataset("digits", inputs, (x[:cut], y[:cut]), (x[cut:], y[cut:]))


def tables(source: Table, target: Table) -> tuple[Dataset, Dataset]:
    """Of the same columns; half of the target's rows are for testing."""
    both = Table(
        pd.concat([source.x, target.x], ignore_index=True),
        np.concatenate([source.y, target.y]),
        source.categories,
    )
    inputs = fitted(both, source.x)
    found = []
    for name, table in (("source", source), ("target", target)):
        rows = np.random.default_rng(0).permutation(len(table.x))
        x, y, cut = stored(inputs, table.x.iloc[rows]), table.y[rows], len(rows) // 2
        if name == "source":
            found.append(dataset("table", inputs, (x, y), (x[:1], y[:1])))
        else:
            found.append(dataset("table", inputs, (x[:cut], y[:cut]), (x[cut:], y[cut:])))
    return found[0], found[1]


def parted(table: Table, by: str) -> tuple[Dataset, Dataset]:
    """Rows up to the median of a column, which goes, and those beyond it."""
    column = table.x[by].rank(method="first")
    x, categories = table.x.drop(columns=[by]), tuple(c for c in table.categories if c != by)
    parts = []
    for rows in (column <= column.median(), column > column.median()):
        parts.append(Table(x[rows].reset_index(drop=True), table.y[rows.to_numpy()], categories))
    return tables(*parts)


def of_bunch(bunch: Any, columns: int | None = None) -> Table:
    frame = pd.DataFrame(bunch.data, columns=[str(name) for name in bunch.feature_names])
    return Table(frame.iloc[:, :columns], np.asarray(bunch.target, int))


def hospitals(target: str) -> tuple[Dataset, Dataset]:
    shared = ["age", "sex", "cp", "trestbps", "restecg", "thalach", "exang", "oldpeak"]
    found = [heart(name) for name in ("cleveland", target)]
    named = ("sex", "cp", "restecg", "exang")
    one, other = (Table(each.x[shared], each.y, named) for each in found)
    return tables(one, other)


def reviews(source: str, target: str) -> tuple[Dataset, Dataset]:
    table = pd.read_csv(DATA / "text_en_uci_sentiment_sentences.csv.gz")
    inputs, found = TextInputs(length=LENGTH), []
    for domain in (source, target):
        part = table[table["domain"] == domain].sample(frac=1, random_state=0)
        x = np.zeros((len(part), LENGTH), np.int32)
        for row, text in enumerate(part["text"]):
            codes = [ord(letter) for letter in normalised(text)][:LENGTH]
            x[row, : len(codes)] = codes
        y, cut = part["label"].to_numpy(int), len(part) // 2
        found.append(dataset("text", inputs, (x[:cut], y[:cut]), (x[cut:], y[cut:])))
    return found[0], found[1]


LOW, HIGH, ALL = tuple(range(5)), tuple(range(5, 10)), tuple(range(10))
MACHINES, ANIMALS = (0, 1, 8, 9), (2, 4, 6, 7)  # CIFAR-10's classes

TASKS: dict[str, StudyTask] = {
    "usps_low_high": StudyTask(
        "image",
        False,
        lambda: (pictures("usps", LOW, "low"), pictures("usps", HIGH, "high")),
        PICTURES,
        3,
    ),
    "mnist_low_high": StudyTask(
        "image",
        False,
        lambda: (pictures("mnist", LOW, "low"), pictures("mnist", HIGH, "high")),
        PICTURES,
        3,
    ),
    "usps_digits": StudyTask(
        "image", False, lambda: (pictures("usps", LOW), small_digits(HIGH)), PICTURES, 3
    ),
    "animals_machines": StudyTask(
        "image",
        False,
        lambda: (pictures("cifar10_small", ANIMALS), pictures("cifar10_small", MACHINES, "m")),
        PICTURES,
        20,
    ),
    "digits_mlp": StudyTask(
        "image",
        False,
        lambda: (pictures("mnist", HIGH, "high"), small_digits(LOW)),
        {**MLP, "image_size": [8, 8]},
        5,
    ),
    "hungarian": StudyTask("table", True, lambda: hospitals("hungarian"), TABM, 20, (5, 50)),
    "va": StudyTask("table", True, lambda: hospitals("va"), TABM, 20, (5, 20)),
    "tumours": StudyTask(
        "table",
        True,
        lambda: parted(of_bunch(datasets.load_breast_cancer(), 10), "mean fractal dimension"),
        TABM,
        20,
    ),
    "wine": StudyTask(
        "table", False, lambda: parted(of_bunch(datasets.load_wine()), "ash"), MLP, 20, (5,)
    ),
    "australian": StudyTask("table", True, lambda: parted(australian(), "A2"), MLP, 20),
    "amazon_yelp": StudyTask("text", True, lambda: reviews("amazon", "yelp"), TEXTS, 10),
    "imdb_amazon": StudyTask("text", False, lambda: reviews("imdb", "amazon"), TEXTS, 10),
}
