"""Decision whether the items of a table are the texts of one of its columns, and of which.

They are where the spec says so: `columns`: {"NAME": {"kind": "text", "role": "feature"}}, or the
`modality` text where there is one column of text, or of words. Else they are where nothing but one
column of text is there to learn from. A table with texts beside numbers, categories or dates stays
a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import ColumnSpec
from worker.intake.tables.features import SEEN, reading_of, said_of
from worker.intake.tables.kinds import infer
from worker.intake.tables.readings import Column, Reading, numbers
from worker.intake.tables.records import Records, listed, refuse_said
from worker.intake.tables.target import target_columns

LOOKED_AT = 100
HOW = '`columns`: {"NAME": {"kind": "text", "role": "feature"}} in the spec says which is the item'


@dataclass(frozen=True)
class TextColumn:
    name: str
    reason: str


def text_column(records: Records, spec: DatasetSpec, reading: Reading) -> TextColumn | None:
    """Returns the column of texts. None: the items are rows. Raises WorkFailure
    `dataset_invalid`."""
    free = _free(records, spec)
    features = [name for name in free if _role(spec, name) == "feature"]
    said = [name for name in features if (of := said_of(spec, name)) and of.kind == "text"]
    if len(said) > 1:
        _refuse_several(said)
    if said:
        if others := [name for name in features if name not in said]:
            detail = (
                "expected no column with the role feature beside a text that is the item, got "
                f"{listed(others)}: a network sees the text alone"
            )
            refuse_said("not_for_texts", detail, "columns", others[0], "role")
        return TextColumn(said[0], "the spec says so")
    if spec.modality == "table":
        return None
    texts, words = list[TextColumn](), list[TextColumn]()
    for name in free:
        of = said_of(spec, name)
        found = infer(
            name, records.column(name), reading_of(spec, name, reading), of.kind if of else None
        )
        if found.kind in SEEN and spec.modality is None:
            return None
        if found.kind == "text" and not found.doubt:  # of dates that can be read in two ways
            texts.append(TextColumn(name, found.reason))
        elif found.kind in {"category", "identifier"} and _are_words(found.values, reading):
            words.append(TextColumn(name, "the spec says that the items are texts"))
    if spec.modality == "text":
        texts = texts or words  # short texts, that come again and again
    if len(texts) > 1:
        _refuse_several([text.name for text in texts])
    if spec.modality == "text" and not texts:
        detail = f"expected a column of text, got none among {listed(free)}; {HOW}"
        refuse_said("no_text", detail, "modality")
    return texts[0] if texts else None


def _are_words(values: Column, reading: Reading) -> bool:
    """Tells whether the first of them are text, and not all numbers."""
    some = values.drop_null().slice(0, LOOKED_AT)
    return bool(pa.types.is_string(some.type) and numbers(some, reading.decimal).null_count > 0)


def _free(records: Records, spec: DatasetSpec) -> list[str]:
    """Columns that may be features."""
    names = records.train.names
    taken = {*target_columns(spec, names)}
    if spec.split is not None:
        taken |= {*(spec.split.where or {}), spec.split.column or "", spec.split.group or ""}
    return [
        name
        for name in names
        if name not in taken
        and _role(spec, name) in {None, "feature"}
        and spec.columns.get(name) != "ignore"
        and not pa.types.is_null(records.type_of(name))
    ]


def _role(spec: DatasetSpec, name: str) -> str | None:
    said = spec.columns.get(name)
    return said.role if isinstance(said, ColumnSpec) else None


def _refuse_several(names: Sequence[str]) -> None:
    detail = (
        f"expected one column of text that is the item, got {listed(names)}: join them into one, "
        f"or leave all but one out; {HOW}"
    )
    refuse_said("several_texts", detail, "columns")
