"""Tasks that `auto` is measured on, none of which defaults were chosen on (_study_tasks.py).

Shared data in KTL_TEST_DATA or ../shared/data, where their README says what they are.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
MOST, TEST = 4000, 600  # rows of a text's or a table's training, and of its test
Content = Mapping[str, NDArray[Any]] | pd.DataFrame  # what `client.datasets.upload` takes


@dataclass(frozen=True)
class Pictures:
    """Some classes of a file, as it parts them into training and test."""

    file: str
    classes: tuple[int, ...] | None = None

    @property
    def path(self) -> Path:
        return DATA / f"{self.file}.npz"

    def content(self) -> Content:
        with np.load(self.path) as stored:
            arrays = {name: stored[name] for name in ("x_train", "y_train", "x_test", "y_test")}
        if self.classes is None:
            return arrays
        for of in ("train", "test"):
            rows = np.isin(arrays[f"y_{of}"], self.classes)
            arrays |= {f"{name}_{of}": arrays[f"{name}_{of}"][rows] for name in "xy"}
        return arrays


@dataclass(frozen=True)
class Rows:
    """Rows of a file, permuted by seed 0: a half of them, at most TEST, are for testing."""

    file: str
    label: Callable[[pd.DataFrame], "pd.Series[Any]"]
    hidden: tuple[str, ...]  # columns that a network does not see
    where: Callable[[pd.DataFrame], "pd.Series[bool]"] = lambda table: table.notna().any(axis=1)

    @property
    def path(self) -> Path:
        return DATA / f"{self.file}.csv.gz"

    def content(self) -> Content:
        table = pd.read_csv(self.path)
        table = table[self.where(table)].sample(frac=1, random_state=0)[: MOST + TEST]
        tested = min(TEST, len(table) // 2)
        label = self.label(table).map({True: "yes", False: "no"})
        split = ["test"] * tested + ["train"] * (len(table) - tested)
        return table.drop(columns=[*self.hidden]).assign(label=label, split=split)


Part = Pictures | Rows


@dataclass(frozen=True)
class Task:
    """`spec`: what its uploads say beside their files."""

    source: Part
    target: Part
    labels_per_class: int
    pretrain_epochs: int
    model: Mapping[str, Any]
    metric: str = "accuracy"
    spec: Mapping[str, Any] = field(default_factory=dict)


def heart(hospital: str) -> Rows:
    return Rows(
        "tab_heart_disease_4_hospitals",
        lambda table: table["num"] > 0,
        ("num", "hospital"),
        lambda table: table["hospital"] == hospital,
    )


def credit(are_young: bool) -> Rows:
    return Rows(
        "tab_german_credit",
        lambda table: table["credit_risk"] == 2,
        ("credit_risk", "age"),
        lambda table: (table["age"] < 33) == are_young,
    )


def reviews(file: str, domain: str) -> Rows:
    return Rows(
        f"text_{file}",
        lambda table: table["label"] == 1,
        ("domain",),
        lambda table: table["domain"] == domain,
    )


CONVNET: Mapping[str, Any] = {"backbone": "convnet"}
SMALL = {**CONVNET, "image_size": (16, 16)}  # of both domains
TABM: Mapping[str, Any] = {"backbone": "tabm"}
CHARACTERS: Mapping[str, Any] = {"backbone": "charconv"}
COLUMNS = {"target": {"column": "label"}, "split": {"column": "split"}}
TEXTS = {**COLUMNS, "columns": {"text": "text"}}
VEHICLES, CATS_DOGS = (0, 1, 8, 9), (3, 5)  # CIFAR-10's classes
ANIMALS, OTHERS = (2, 3, 4, 5, 6, 7), (0, 1, 2, 4, 6, 7, 8, 9)
MNIST, USPS, LETTERS = (Pictures(of) for of in ("mnist", "usps", "emnist_letters_a_to_m"))
CIFAR = "cifar10_small"

TASKS = {
    "letters_10": Task(MNIST, LETTERS, 10, 2, CONVNET),
    "letters_50": Task(MNIST, LETTERS, 50, 2, CONVNET),
    "usps_5": Task(MNIST, USPS, 5, 2, SMALL),
    "mnist_10": Task(USPS, MNIST, 10, 16, SMALL),
    "animals_50": Task(Pictures(CIFAR, VEHICLES), Pictures(CIFAR, ANIMALS), 50, 50, CONVNET),
    "cats_dogs_50": Task(Pictures(CIFAR, OTHERS), Pictures(CIFAR, CATS_DOGS), 50, 50, CONVNET),
    "small_letters_10": Task(USPS, LETTERS, 10, 16, SMALL),
    "digits_10": Task(LETTERS, MNIST, 10, 10, SMALL),
    "cleveland_20": Task(heart("hungarian"), heart("cleveland"), 20, 20, TABM, "auc", COLUMNS),
    "credit_20": Task(credit(False), credit(True), 20, 20, TABM, "auc", COLUMNS),
    "imdb_20": Task(
        reviews("en_rt_polarity", "rt"),
        reviews("en_uci_sentiment_sentences", "imdb"),
        *(20, 5, CHARACTERS, "accuracy", TEXTS),
    ),
    "hotel_20": Task(
        reviews("zh_waimai", "food_delivery"),
        reviews("zh_chnsenticorp_hotel", "hotel"),
        *(20, 5, CHARACTERS, "accuracy", TEXTS),
    ),
}
