"""Facts of texts that a user should know before training on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.inputs.text import TextInputs, is_cut
from worker.intake.duplicates import duplicates
from worker.intake.tables.dividing import Divided
from worker.intake.tables.features import Feature
from worker.intake.tables.records import Records
from worker.intake.tables.scripts import shares_of_scripts
from worker.intake.tables.table_profile import told_of_rows, twin_warnings

CHUNK_TEXTS = 2**12
LEAST_SHARE = 0.01  # of letters, of a script that is told of
APART_FROM = 0.5  # by so much the shares of a script differ between the splits

Texts = Mapping[str, NDArray[np.int32]]  # by split, (n, length)


@dataclass(frozen=True)
class TextsLeftOut:
    """Rows without a text, and where some of them stand."""

    count: int
    places: tuple[str, ...]

    def told(self, profile: dict[str, Any], lengths: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The profile with them, and with how long texts are."""
        texts = {
            **profile["texts"],
            "without_text": {"rows": self.count, "places": list(self.places)},
            "characters": {split: _quantiles(held) for split, held in lengths.items()},
        }
        return {**profile, "texts": texts, "warnings": [*self._warnings, *profile["warnings"]]}

    @property
    def _warnings(self) -> list[str]:
        if not self.count:
            return []
        more = self.count - len(self.places)
        named = ", ".join(self.places) + (f" and {more} more" if more else "")
        rows = "1 row has" if self.count == 1 else f"{self.count} rows have"
        return [f"{rows} no text and {'is' if self.count == 1 else 'are'} left out: {named}."]


def profile(
    schema: Schema,
    records: Records,
    column: str,
    arrays: Mapping[str, Path],
    features: Sequence[Feature],
    divided: Divided,
) -> dict[str, Any]:
    """`column`: whose texts are the items."""
    assert isinstance(schema.inputs, TextInputs)
    x: Texts = {split: np.load(arrays[f"x_{split}"], mmap_mode="r") for split in schema.splits}
    hashes = {split: _hashes(texts) for split, texts in x.items()}
    twins = duplicates(hashes, divided.target.codes(divided.y))
    told = told_of_rows(schema, records, divided)
    cut = {split: int(is_cut(texts).sum()) for split, texts in x.items()}
    scripts = {split: shares_of_scripts(texts) for split, texts in x.items()}
    return {
        **told,
        "columns": {each.info.name: {"missing": dict(each.missing)} for each in features},
        "texts": {
            "column": column,
            "length": schema.inputs.length,
            "cut": cut,
            "scripts": {split: _rounded(shares) for split, shares in scripts.items()},
        },
        "duplicates": twins,
        "warnings": [
            *told["warnings"],
            *_taken(column, features),
            *_cut_warnings(cut, schema),
            *_script_warnings(scripts),
            *twin_warnings(twins, "texts"),
        ],
    }


def _taken(column: str, features: Sequence[Feature]) -> list[str]:
    info = next(each.info for each in features if each.info.name == column)
    said = [f"The items are the texts of the column `{column}`: {info.reason}."]
    if beside := [each.info.name for each in features if each.info.role == "ignored"]:
        names = ", ".join(f"`{name}`" for name in beside[:10])
        more = f" and {len(beside) - 10} more" if len(beside) > 10 else ""
        said.append(
            f"A network sees nothing of {names}{more}: they are kept beside the texts, for slices "
            "and derived datasets."
        )
    return [] if info.reason == "the spec says so" and not beside else said


def _cut_warnings(cut: Mapping[str, int], schema: Schema) -> list[str]:
    assert isinstance(schema.inputs, TextInputs)
    length = schema.inputs.length
    return [
        f"{count} of {schema.splits[split]} texts of {split} are longer than the {length} "
        "characters that are kept of each; `max_characters` in the spec keeps more, or fewer."
        for split, count in cut.items()
        if count
    ]


def _script_warnings(scripts: Mapping[str, Mapping[str, float]]) -> list[str]:
    train, test = scripts["train"], scripts["test"]
    return [
        f"{train.get(name, 0):.0%} of the letters of training texts are {name}, and "
        f"{test.get(name, 0):.0%} of those of test texts."
        for name in {**train, **test}
        if abs(train.get(name, 0) - test.get(name, 0)) >= APART_FROM
    ]


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    """Those of a hundredth and more, the largest first."""
    found = sorted(shares.items(), key=lambda item: -item[1])
    return {name: round(share, 3) for name, share in found if share >= LEAST_SHARE}


def _quantiles(lengths: NDArray[Any]) -> dict[str, int]:
    points = {"shortest": 0.0, "median": 0.5, "most": 0.99, "longest": 1.0}
    return {
        name: int(np.quantile(lengths, at, method="higher")) if len(lengths) else 0
        for name, at in points.items()
    }


def _hashes(texts: NDArray[np.int32]) -> NDArray[np.uint64]:
    """(n,), equal for texts that are equal as far as they are kept."""
    found = np.empty(len(texts), np.uint64)
    for start in range(0, len(texts), CHUNK_TEXTS):
        chunk = np.ascontiguousarray(texts[start : start + CHUNK_TEXTS])
        for place, row in enumerate(chunk, start):
            found[place] = int.from_bytes(blake2b(row.data, digest_size=8).digest(), "little")
    return found
