"""A stored dataset -> another one, of some of its rows, classes or columns.

What is left goes the way of an upload (worker/intake/ingestion.py), so that ranges, vocabularies,
duplicates and the profile are of it alone; what the origin's labels and columns are is not decided
again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.datasets.catalogue import PREFIX
from app.datasets.derivation import Derivation, shortened
from app.datasets.schemas import Schema
from app.datasets.selection import Selection
from app.errors import WorkFailure
from app.inputs.columns import FlagColumn
from app.inputs.table import TableInputs
from app.settings import Settings
from worker.datasets.stored_rows import StoredRows
from worker.intake.catalogue import ingest_catalogued
from worker.intake.chosen_items import ChosenItems, check_left, choose
from worker.intake.conditions import rows_where
from worker.intake.derived_arrays import ingest_derived_arrays
from worker.intake.derived_split import split_anew
from worker.intake.derived_table import ingest_derived_table
from worker.intake.ingested import IngestedDataset
from worker.intake.joined.derived import ingest_derived_joined
from worker.intake.raw import IntakeLimits
from worker.intake.splits import Rows
from worker.intake.tables.items import MODALITIES

SHOWN_NAMES = 10
OF_COLUMNS = {"no_columns", "one_part"}  # reasons for which too few columns may be chosen
OF_SPEC = "#/spec"  # of an upload; who asks for a dataset of another says the split in the body


def ingest_derived(
    derivation: Derivation, arrays: Mapping[str, Path], settings: Settings, workdir: Path
) -> IngestedDataset:
    """`arrays`: the origin's stored ones; none where it is the catalogue's and not stored. Raises
    WorkFailure: `dataset_invalid` with a pointer into what was asked."""
    try:
        return _ingested(derivation, arrays, settings, workdir)
    except WorkFailure as failure:
        failure.pointer = _into_body(failure, derivation.selection)
        raise


def _into_body(failure: WorkFailure, wanted: Selection) -> str | None:
    """Points at what was asked, where an intake points into a spec or a file that nobody sent."""
    pointer = failure.pointer or ""
    if pointer.startswith(f"{OF_SPEC}/split"):
        return f"#{pointer.removeprefix(OF_SPEC)}"
    if not pointer.startswith("#/file"):
        return failure.pointer
    members = ("columns",) if failure.reason in OF_COLUMNS else ("split", "where", "classes")
    return next((f"#/{name}" for name in members if getattr(wanted, name) is not None), "#/from")


def _ingested(
    derivation: Derivation, arrays: Mapping[str, Path], settings: Settings, workdir: Path
) -> IngestedDataset:
    if not arrays:
        folder = workdir / "origin"
        folder.mkdir()
        origin = ingest_catalogued(derivation.origin.removeprefix(PREFIX), settings, folder)
        derivation = derivation.model_copy(update={"origin_schema": origin.schema})
        arrays = origin.arrays
    chosen, limits = _chosen(derivation, arrays), IntakeLimits.of(settings)
    if derivation.origin_schema.inputs.modality in MODALITIES:
        return _told(ingest_derived_table(derivation, chosen, arrays, limits, workdir), derivation)
    if derivation.origin_schema.inputs.modality == "joined":
        return _told(ingest_derived_joined(derivation, chosen, arrays, limits, workdir), derivation)
    wanted = derivation.selection
    if wanted.split is not None:
        chosen = split_anew(chosen, derivation, arrays, workdir)
    return _told(ingest_derived_arrays(derivation, chosen, arrays, limits, workdir), derivation)


def _chosen(derivation: Derivation, arrays: Mapping[str, Path]) -> ChosenItems:
    """Chosen rows of both splits, or pooled where these are to be split anew."""
    schema, wanted = derivation.origin_schema, derivation.selection
    y = np.concatenate(
        [np.load(arrays[f"y_{split}"], allow_pickle=False) for split in ("train", "test")]
    )
    rows, pointer = _all_rows(schema), "#/classes" if wanted.classes else "#/where"
    if wanted.where is not None:
        has_it = rows_where(StoredRows(arrays["rows"]), wanted.where, _flags(schema))
        rows = {split: each[has_it[each]] for split, each in rows.items()}
    chosen = choose(schema.task, y, rows, wanted.classes)
    if wanted.split is not None:
        chosen = chosen.pooled()
    check_left(chosen, pointer)
    if wanted.rows is not None:
        chosen = chosen.drawn("train", schema.task, wanted.rows, wanted.seed)
    return chosen


def _flags(schema: Schema) -> dict[str, tuple[str, str]]:
    """What means false and true, by columns that a network sees as a flag."""
    if not isinstance(schema.inputs, TableInputs):
        return {}
    return {c.name: c.values for c in schema.inputs.columns if isinstance(c, FlagColumn)}


def _all_rows(schema: Schema) -> dict[str, Rows]:
    first = schema.splits["train"]
    return {"train": np.arange(first), "test": first + np.arange(schema.splits["test"])}


def _told(taken: IngestedDataset, derivation: Derivation) -> IngestedDataset:
    """Adds what was derived to the profile."""
    derived = {
        "from": derivation.origin,
        "name": derivation.origin_name,
        **derivation.selection.model_dump(mode="json", exclude_none=True),
        "sentence": _sentence(taken.schema, derivation),
    }
    task = {
        "kind": taken.schema.task.kind,
        "said": False,
        "reason": f"those of {derivation.origin} are",
    }
    return replace(taken, profile={**taken.profile, "derived": derived, "task": task})


def _sentence(schema: Schema, derivation: Derivation) -> str:
    was, wanted = derivation.origin_schema.splits, derivation.selection
    if wanted.split is None:
        left = " and ".join(
            f"{schema.splits[split]} of {was[split]} {word} items"
            for split, word in (("train", "training"), ("test", "test"))
        )
    else:
        left = (
            f"{sum(schema.splits.values())} of {sum(was.values())} items, of which "
            f"{schema.splits['test']} are for testing"
        )
    origin = f"{derivation.origin_name} ({derivation.origin})"
    return f"Derived from {origin}, {'; '.join(_choices(wanted))}: {left}."


def _choices(wanted: Selection) -> list[str]:
    said = [
        f"`{column}` is {_listed([_shown(value) for value in values], ' or ')}"
        for column, values in (wanted.where or {}).items()
    ]
    if wanted.classes is not None:
        said.append(f"the classes {_listed(wanted.classes)}")
    if wanted.columns is not None:
        said.append(f"the columns {_listed(wanted.columns)}")
    if wanted.rows is not None:
        said.append(f"{wanted.rows} rows drawn with the seed {wanted.seed}")
    if wanted.split is not None:
        said.append("split anew")
    return said


def _listed(names: Sequence[str], between: str = ", ") -> str:
    shown, more = [shortened(name) for name in names[:SHOWN_NAMES]], len(names) - SHOWN_NAMES
    return between.join(shown) + (f" and {more} more" if more > 0 else "")


def _shown(value: object) -> str:
    return "missing" if value is None else str(value)
