"""A dataset that is made of another: what is checked when it is asked for, and its row.

The row's files are the origin's stored arrays, so that a sweep leaves them alone while it is made,
whatever becomes of the origin; and all else that its intake needs of the origin stands in its spec.
"""

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from app.datasets import repository
from app.datasets.catalogue import CATALOGUE, PREFIX
from app.datasets.schemas import DatasetFrom, Schema
from app.datasets.selection import Selection
from app.errors import Coded, Conflict, Finding, Invalid, NotFound
from app.findings import pointer
from app.inputs.contract import Range
from app.storage import Storage
from app.tables.datasets import DatasetRow

NEAR = 0.6  # of difflib's measure, from which a name may have been meant
SHOWN_NAMES = 10
SHOWN_CHARACTERS = 80  # of a name
SKETCH = "sketch"  # the array that is made anew of what is left


class Derivation(BaseModel):
    """The `spec` of a derived dataset's row.

    `origin_schema`: as it was when the dataset was asked for. `value_range`: as the spec of the
    upload said that all came of; null where it was found by the values, as it will be again.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    origin: str
    origin_name: str
    selection: Selection
    origin_schema: Schema
    value_range: Range | None = None


def derived_row(session: Session, storage: Storage, project: str, asked: DatasetFrom) -> DatasetRow:
    """Raises NotFound where the project has no such origin, Conflict while it is being taken in or
    is damaged, Invalid where it failed or does not have what is asked of it."""
    known = repository.id_of(session, project, asked.origin, "#/from")
    asked = asked.model_copy(update={"origin": known})
    origin = _origin(session, project, asked.origin)
    if origin is None:
        entry = CATALOGUE[asked.origin.removeprefix(PREFIX)]
        arrays, name, schema, value_range = {}, entry.name, entry.schema, None
    else:
        schema = _schema_of(origin)
        arrays = {array: ref for array, ref in origin.arrays.items() if array != SKETCH}
        name, value_range = origin.name, origin.spec.get("value_range")
    if found := list(_findings(asked, schema)):
        raise Invalid(found[0][0], found[0][1].detail, *(finding for _, finding in found))
    derivation = Derivation(
        name=asked.name,
        origin=asked.origin,
        origin_name=name,
        selection=Selection.model_validate(asked.model_dump(include=set(Selection.model_fields))),
        origin_schema=schema,
        value_range=value_range,
    )
    sizes = storage.sizes(set(arrays.values()))
    return DatasetRow(
        project=project,
        name=asked.name,
        origin=asked.origin,
        spec=derivation.model_dump(mode="json"),
        files=[
            {"name": array, "ref": ref, "bytes": sizes.get(ref)} for array, ref in arrays.items()
        ],
    )


def meant(name: str, known: Collection[str]) -> str:
    """Returns what a name may have been meant for, as the end of a sentence; else some of those
    known."""
    folded = {each.casefold(): each for each in known}
    close = get_close_matches(name.casefold(), folded, 3, NEAR)
    if close:
        return f"; near it are {_listed([folded[each] for each in close])}"
    return f"; there are {_listed(sorted(known))}" if known else ""


def shortened(name: str) -> str:
    """A name as it is shown in a message."""
    return f"`{name if len(name) <= SHOWN_CHARACTERS else name[:SHOWN_CHARACTERS] + '…'}`"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(map(shortened, names[:SHOWN_NAMES])) + more


def _origin(session: Session, project: str, reference: str) -> DatasetRow | None:
    """Locked until the commit: a deletion that comes now finds the new row. None: of the catalogue
    and not stored, so that its intake reads it."""
    try:
        row = repository.find(session, project, reference, lock="share")
    except NotFound as error:
        if reference.startswith(PREFIX):
            return None
        raise NotFound(error.code, error.detail, Finding(error.detail, "#/from")) from error
    return None if reference.startswith(PREFIX) and row.status != "ready" else row


def _schema_of(origin: DatasetRow) -> Schema:
    try:
        return repository.ready_schema_of(origin)
    except (Conflict, Invalid) as error:
        finding = Finding(error.detail, "#/from")
        raise type(error)(error.code, error.detail, finding, headers=error.headers) from error


def _findings(asked: Selection, schema: Schema) -> Iterator[Coded]:
    yield from _column_findings(asked, schema)
    if asked.classes is not None:
        yield from _unknown_classes(asked.classes, schema)
    held = schema.splits["train"] + (schema.splits["test"] if asked.split else 0)
    if asked.rows is not None and asked.rows > held:
        what = "items" if asked.split else "training items"
        detail = f"expected at most the {held} {what} that there are, got {asked.rows}"
        yield "too_many_rows", Finding(detail, "#/rows")


def _column_findings(asked: Selection, schema: Schema) -> Iterator[Coded]:
    """Findings of all members that name columns."""
    named = list(_named_columns(asked))
    if not schema.columns:
        for member in dict.fromkeys(path[0] for path, _ in named):
            what = "`split` by columns" if member == "split" else f"`{member}`"
            detail = (
                f"expected no {what} of a dataset whose items have no columns: `classes`, `rows` "
                "and the `test_fraction` of a `split` can be chosen of it"
            )
            yield "no_columns", Finding(detail, f"#/{member}")
        return
    known = [column.name for column in schema.columns]
    for path, name in named:
        if name not in known:
            detail = f"expected a column of the origin, got {shortened(name)}{meant(name, known)}"
            yield "unknown_column", Finding(detail, pointer(path))
    if asked.columns is not None and schema.inputs.modality in {"table", "text"}:
        features = {column.name for column in schema.columns if column.role == "feature"}
        if not features & set(asked.columns):
            detail = (
                "expected a column or more that a network sees, beside the labels, got none; those "
                f"are {_listed(sorted(features))}"
            )
            yield "no_features", Finding(detail, "#/columns")


def _named_columns(asked: Selection) -> Iterator[tuple[list[str | int], str]]:
    """The place of each name in the body."""
    for name in asked.where or ():
        yield ["where", name], name
    for place, name in enumerate(asked.columns or ()):
        yield ["columns", place], name
    if asked.split is None:
        return
    for member in ("column", "time", "group"):
        if (said := getattr(asked.split, member)) is not None:
            yield ["split", member], said
    for name in asked.split.where or ():
        yield ["split", "where", name], name


def _unknown_classes(classes: Sequence[str], schema: Schema) -> Iterator[Coded]:
    if schema.task.kind == "regression":
        detail = "expected no `classes` of a dataset whose labels are quantities: it has none"
        yield "no_classes", Finding(detail, "#/classes")
        return
    if schema.task.kind == "classification" and not all(map(schema.has_labels, schema.splits)):
        split = next(split for split in schema.splits if not schema.has_labels(split))
        detail = f"expected labels in both splits, by which classes are chosen, got none in {split}"
        yield "labels_missing", Finding(detail, "#/classes")
        return
    known, seen = set(schema.classes), set()
    for place, name in enumerate(classes):
        if name not in known:
            detail = f"expected a class of the origin, got {shortened(name)}"
            detail += meant(name, schema.classes)
            yield "unknown_class", Finding(detail, pointer(["classes", place]))
        elif name in seen:
            detail = f"expected each class once, got {shortened(name)} again"
            yield "invalid_value", Finding(detail, pointer(["classes", place]))
        seen.add(name)
