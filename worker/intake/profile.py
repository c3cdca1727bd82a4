"""Facts of the data that a user should know before training on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.near_names import near_names, shown
from app.datasets.schemas import Schema
from worker.intake.duplicates import duplicates
from worker.intake.images import Scan
from worker.intake.missing import doubtful
from worker.intake.npz import KNOWN, NEAR
from worker.intake.raw import PictureFindings
from worker.intake.targets.deciding import Decision

NEARLY_CUT = 0.05  # of the items, by which a cut may miss what was said without a word
IMBALANCED_FROM = 10  # times that the largest class outnumbers the smallest
MOST_NAMED = 20  # classes or arrays in one list or sentence
MOST_GROUPS = 10  # of names that look alike


@dataclass(frozen=True)
class Findings:
    """Facts of what the intake did with the raw arrays.

    cut: the fraction that was cut off as the test split; None where the data had one.
    ignored: arrays that were not read.
    left_out: items without a label, by split.
    decision: which task the labels are for, and why.
    label_values, label_warnings, part: what the target says of the stored labels
        (worker.intake.targets.contract).
    label_texts: the raw labels, by class; none where they are not to be doubted.
    unknown_missing: the spec's `missing_label` where no item has it; `auto`: there is none.
    scale_warnings: sentences about the values.
    pictures: what became of files of pictures.
    beside: what the profile says of columns that items came with; beside_warnings: sentences.
    origin: what a test split that the data had goes by.
    """

    cut: float | None = None
    ignored: Sequence[str] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    label_texts: Sequence[str] = ()
    unknown_missing: str = "auto"
    scale_warnings: Sequence[str] = ()
    decision: Decision | None = None
    label_values: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)
    label_warnings: Sequence[str] = ()
    part: str = "class"
    pictures: PictureFindings | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)
    beside_warnings: Sequence[str] = ()
    origin: str = "given"


def profile(
    schema: Schema,
    scans: Mapping[str, Scan],
    codes: Mapping[str, NDArray[np.int32]],
    findings: Findings,
) -> dict[str, Any]:
    """
    Args:
        codes: equal where labels are, -1 where there is none.
    """
    cut = findings.cut
    balance = {split: balance_of(schema, split) for split in schema.splits}
    twins = duplicates({split: scan.hashes for split, scan in scans.items()}, codes)
    constant = {split: scans[split].constant for split in scans}
    return {
        "test_split": {"origin": findings.origin}
        if cut is None
        else {"origin": "cut", "fraction": cut},
        "task": decided(findings.decision),
        "class_balance": balance,
        "label_values": dict(findings.label_values),
        "duplicates": twins,
        "constant_images": constant,
        "values": {split: {"low": scan.low, "high": scan.high} for split, scan in scans.items()},
        "labelled": {split: schema.labelled(split) for split in schema.splits},
        "left_out": dict(findings.left_out),
        "ignored_arrays": list(findings.ignored[:MOST_NAMED]),
        "ignored_arrays_left_off": max(0, len(findings.ignored) - MOST_NAMED),
        **({"pictures": dict(findings.pictures.facts)} if findings.pictures else {}),
        **findings.beside,
        "warnings": [
            *split_warnings(schema, balance, findings),
            *label_warnings(schema, findings),
            *findings.scale_warnings,
            *_picture_warnings(twins, constant),
            *_array_warnings(findings.ignored),
            *(findings.pictures.warnings if findings.pictures else ()),
            *findings.beside_warnings,
        ],
    }


def balance_of(schema: Schema, split: str) -> dict[str, Any] | None:
    """`imbalance`: the largest class over the smallest that has items; `absent`: classes without
    items, and `absent_left_off` how many more there are. None without labels."""
    if not schema.has_labels(split) or not schema.task.has_classes:
        return None
    counts = dict(zip(schema.classes, schema.class_counts[split], strict=True))
    present = {name: count for name, count in counts.items() if count}
    absent = [name for name, count in counts.items() if not count]
    smallest, largest = min(present, key=counts.__getitem__), max(present, key=counts.__getitem__)
    return {
        "smallest": {"class": smallest, "items": counts[smallest]},
        "largest": {"class": largest, "items": counts[largest]},
        "imbalance": round(counts[largest] / counts[smallest], 3),
        "absent": absent[:MOST_NAMED],
        **({"absent_left_off": len(absent) - MOST_NAMED} if len(absent) > MOST_NAMED else {}),
    }


def decided(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {"kind": decision.kind, "said": decision.is_said, "reason": decision.reason}


def split_warnings(
    schema: Schema, balance: Mapping[str, dict[str, Any] | None], findings: Findings
) -> list[str]:
    warnings = []
    cut = findings.cut
    if cut is not None:
        share = f"{cut:.0%} "
        share += f"of each {findings.part}" if schema.has_labels("train") else "at random"
        tested = schema.splits["test"]
        met = tested / (tested + (schema.labelled("train") or schema.splits["train"]))
        if abs(met - cut) > NEARLY_CUT:
            share += f" as nearly as whole ones can be parted, {met:.0%} of all"
        warnings.append(
            f"The data have no test split: {schema.splits['test']} items were cut from them, "
            f"{share}, always the same ones."
        )
    train, test = balance["train"], balance["test"]
    if not schema.has_labels("train"):
        warnings.append(
            "The training split has no labels: it can be a target with `use_labels` false."
        )
    elif train and train["imbalance"] >= IMBALANCED_FROM:
        warnings.append(
            f"The classes are out of balance: `{train['largest']['class']}` has "
            f"{train['largest']['items']} training items, `{train['smallest']['class']}` has "
            f"{train['smallest']['items']}."
        )
    if not schema.has_labels("test"):
        warnings.append("The test split has no labels: nothing can be measured on it.")
    elif test and test["absent"]:
        absent = listed(test["absent"], test.get("absent_left_off", 0))
        warnings.append(f"Classes without items in the test split: {absent}.")
    return warnings


def label_warnings(schema: Schema, findings: Findings) -> list[str]:
    warnings = (
        [findings.decision.warning] if findings.decision and findings.decision.warning else []
    )
    warnings += [
        f"{count} items of {split} have no label and were left out."
        for split, count in findings.left_out.items()
        if count
    ]
    whole, labelled = schema.splits["train"], schema.labelled("train")
    if 0 < labelled < whole:
        warnings.append(
            f"{whole - labelled} of {whole} items of train have no label: `target.use_unlabelled` "
            "lets strategies learn from them that can, the others learn from the labelled ones."
        )
    warnings += findings.label_warnings
    if findings.unknown_missing != "auto":
        warnings.append(f"No item has the label `{findings.unknown_missing}` of `missing_label`.")
    for text in doubtful(findings.label_texts)[:MOST_NAMED]:
        place = findings.label_texts.index(text)
        counts = {split: held[place] for split, held in schema.class_counts.items() if any(held)}
        items = " and ".join(f"{count} items of {split}" for split, count in counts.items())
        warnings.append(
            f"The label `{text}`, of {items}, may mean that there is none: it is taken for a "
            f"class; `missing_label` in the spec leaves those items without one."
        )
    alike = near_names(schema.classes)
    for group in alike[:MOST_GROUPS]:
        names = listed([shown(name) for name in group[:MOST_NAMED]], len(group) - MOST_NAMED)
        warnings.append(
            "Names of classes that differ only in case, spaces, Unicode form or the way a number "
            f"is written: {names}. They stay {len(group)} classes."
        )
    if more := max(0, len(alike) - MOST_GROUPS):
        warnings.append(f"So do the names of {more} more groups of classes.")
    return warnings


def _picture_warnings(twins: Mapping[str, Any], constant: Mapping[str, int]) -> list[str]:
    warnings = []
    if across := twins["across_splits"]:
        warnings.append(
            f"{across} test images stand in the training split too: the test is easier than it "
            "looks."
        )
    for split in ("train", "test"):
        if twins[split]:
            warnings.append(f"{twins[split]} images stand more than once in {split}.")
        if constant[split]:
            warnings.append(f"{constant[split]} images of {split} have one value everywhere.")
    contradicting = twins["contradicting"]
    if across := contradicting["across_splits"]:
        warnings.append(
            f"{across} test images stand in the training split under another label: one of the "
            "two labels is wrong."
        )
    for split, count in contradicting["within"].items():
        if count:
            warnings.append(
                f"{count} images stand more than once in {split}, under different labels: at most "
                "one of them is right."
            )
    return warnings


def _array_warnings(ignored: Sequence[str]) -> list[str]:
    if not ignored:
        return []
    meant = [
        f"`{name}` is near `{close[0]}`: was that meant?"
        for name in ignored
        if name not in KNOWN and (close := get_close_matches(name.lower(), sorted(KNOWN), 1, NEAR))
    ]
    named = listed(ignored[:MOST_NAMED], len(ignored) - MOST_NAMED)
    return [" ".join([f"Arrays that were not read: {named}.", *meant[:MOST_NAMED]])]


def listed(names: Sequence[str], left_off: int) -> str:
    more = f" and {left_off} more" if left_off > 0 else ""
    return f"{', '.join(names)}{more}"
