"""What a user should know of the data before training on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.datasets.schemas import Schema
from worker.intake.images import Scan

IMBALANCED_FROM = 10  # times that the largest class outnumbers the smallest


def profile(
    schema: Schema,
    scans: Mapping[str, Scan],
    cut: float | None,
    ignored: Sequence[str] = (),
) -> dict[str, Any]:
    """`cut`: the fraction that was cut off as the test split; None where the data had one."""
    balance = {split: _balance(schema, split) for split in schema.splits}
    hashes = {split: np.unique(scans[split].hashes) for split in scans}
    duplicates = {split: len(scans[split].hashes) - len(hashes[split]) for split in scans}
    duplicates["across_splits"] = int(np.isin(scans["test"].hashes, hashes["train"]).sum())
    constant = {split: scans[split].constant for split in scans}
    return {
        "test_split": {"origin": "given"} if cut is None else {"origin": "cut", "fraction": cut},
        "class_balance": balance,
        "duplicates": duplicates,
        "constant_images": constant,
        "ignored_arrays": list(ignored),
        "warnings": _warnings(schema, balance, duplicates, constant, cut, ignored),
    }


def _balance(schema: Schema, split: str) -> dict[str, Any] | None:
    """`imbalance`: the largest class over the smallest that has items. None without labels."""
    if not schema.has_labels(split):
        return None
    counts = dict(zip(schema.classes, schema.class_counts[split], strict=True))
    present = {name: count for name, count in counts.items() if count}
    smallest, largest = min(present, key=counts.__getitem__), max(present, key=counts.__getitem__)
    return {
        "smallest": {"class": smallest, "items": counts[smallest]},
        "largest": {"class": largest, "items": counts[largest]},
        "imbalance": round(counts[largest] / counts[smallest], 3),
        "absent": [name for name, count in counts.items() if not count],
    }


def _warnings(
    schema: Schema,
    balance: dict[str, dict[str, Any] | None],
    duplicates: dict[str, int],
    constant: dict[str, int],
    cut: float | None,
    ignored: Sequence[str],
) -> list[str]:
    warnings: list[str] = []
    if cut is not None:
        share = f"{cut:.0%} of each class" if schema.has_labels("train") else f"{cut:.0%} at random"
        warnings.append(
            f"The data have no test split: {schema.splits['test']} items were cut from them, "
            f"{share}, always the same ones."
        )
    train, test = balance["train"], balance["test"]
    if train is None:
        warnings.append(
            "The training split has no labels: it can be a target with `use_labels` false."
        )
    elif train["imbalance"] >= IMBALANCED_FROM:
        warnings.append(
            f"The classes are out of balance: `{train['largest']['class']}` has "
            f"{train['largest']['items']} training items, `{train['smallest']['class']}` has "
            f"{train['smallest']['items']}."
        )
    if test is None:
        warnings.append("The test split has no labels: nothing can be measured on it.")
    elif test["absent"]:
        absent = ", ".join(test["absent"][:20])
        warnings.append(f"Classes without items in the test split: {absent}.")
    if across := duplicates["across_splits"]:
        warnings.append(
            f"{across} test images stand in the training split too: the test is easier than it "
            "looks."
        )
    for split in ("train", "test"):
        if duplicates[split]:
            warnings.append(f"{duplicates[split]} images stand more than once in {split}.")
        if constant[split]:
            warnings.append(f"{constant[split]} images of {split} have one value everywhere.")
    if ignored:
        warnings.append(f"Arrays that were not read: {', '.join(ignored[:20])}.")
    return warnings
