"""`ktl datasets …`"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.adding import add
from app.cli.derive import derive
from app.cli.options import AsJson, DatasetRef, not_empty
from app.cli.resources import LOOK, LookCommand, ResourceGroup

if TYPE_CHECKING:
    from app.datasets.schemas import DatasetOut, Schema
    from app.tasks import Task

app = typer.Typer(
    help="List datasets; show one (`ktl datasets NAME`); add, derive, audit or delete one.",
    cls=ResourceGroup,
)
Catalogue = Annotated[bool, typer.Option("--catalogue", help="What can be had as catalog:NAME.")]

app.command()(add)


app.command()(derive)


@app.command(LOOK, hidden=True, cls=LookCommand)
def look(
    name: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="Show this one.", callback=not_empty)
    ] = None,
    catalogue: Catalogue = False,
    as_json: AsJson = False,
) -> None:
    """List datasets; or show one."""
    if name:
        show(name, as_json)
    else:
        list_datasets(catalogue, as_json)


@app.command("list")
def list_datasets(catalogue: Catalogue = False, as_json: AsJson = False) -> None:
    """List datasets, newest first."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        if catalogue:
            entries = client.datasets.catalogue()
            if as_json:
                output.print_json(entries)
            else:
                output.print_table(
                    ["name", "title", "licence", "download in bytes"],
                    [
                        (e.reference, e.title, e.licence, e.download_bytes or "none")
                        for e in entries
                    ],
                )
            return
        found = list(client.datasets.list())
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["name", "status", "shape", "labels", "train", "test", "id"],
        [(d.name, d.status, *_summary(d), d.id) for d in found],
    )


@app.command()
def show(dataset_id: DatasetRef, as_json: AsJson = False) -> None:
    """Show one dataset: its schema, its profile, or why it failed."""
    from app.client import Client

    with Client() as client:
        print_dataset(client.datasets.get(dataset_id), as_json)


@app.command()
def delete(dataset_id: DatasetRef, as_json: AsJson = False) -> None:
    """Delete a dataset that no unfinished job needs."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        client.datasets.delete(dataset_id)
    if as_json:
        output.print_json({"id": dataset_id, "deleted": True})


def print_dataset(dataset: "DatasetOut", as_json: bool) -> None:
    from app.cli import output

    if as_json:
        output.print_json(dataset)
        return
    shape, labels, train, test = _summary(dataset)
    profile = dataset.profile or {}
    output.print_fields(
        {
            "name": dataset.name,
            "id": dataset.id,
            "status": dataset.status,
            "origin": dataset.origin,
            "shape": shape,
            "labels": labels,
            "items": dataset.schema_ and f"{train} to train on, {test} to test on",
            "values": dataset.schema_ and _values(dataset.schema_, profile),
            "files": "\n".join(profile.get("files", [])),
            "same data as": ", ".join(f"{each.name} ({each.id})" for each in dataset.same_as),
            "derived": profile.get("derived", {}).get("sentence"),
            "warnings": "\n".join(profile.get("warnings", [])),
            "error": dataset.error and f"{dataset.error['code']}: {dataset.error['message']}",
        }
    )
    if dataset.schema_ and dataset.schema_.columns:
        output.out.print()
        output.print_table(
            ["column", "kind", "role", "unit", "missing", "why"],
            [
                (c.name, c.kind, c.role, c.unit, _missing(profile, c.name), c.reason)
                for c in dataset.schema_.columns
            ],
        )


def _missing(profile: dict[str, Any], column: str) -> str:
    """How many rows of each split have no value; nothing where all have one."""
    counts = profile.get("columns", {}).get(column, {}).get("missing", {})
    return ", ".join(f"{count} {split}" for split, count in counts.items() if count)


def _summary(dataset: "DatasetOut") -> tuple[object, ...]:
    schema = dataset.schema_
    if schema is None:
        return (None, None, None, None)
    return (
        schema.inputs.summary,
        _labels(schema.task),
        *(_items(schema, split) for split in ("train", "test")),
    )


def _labels(task: "Task") -> str:
    if not task.has_classes:
        return f"{task.kind}, {task.unit}" if task.unit else task.kind
    return f"{task.outputs} classes" if task.outputs else "none"


def _values(schema: "Schema", profile: dict[str, Any]) -> str | None:
    """None where all is said by the columns."""
    if schema.inputs.range is None:
        return None if schema.columns else schema.inputs.summary
    low, high = schema.inputs.range
    said = f"{low:g} to {high:g} become 0 to 1"
    seen = profile.get("values", {}).get("train")
    return f"{said}; {seen['low']:g} to {seen['high']:g} in training" if seen else said


def _items(schema: "Schema", split: str) -> str:
    items, labelled = schema.splits[split], schema.labelled(split)
    if 0 < labelled < items:
        return f"{items}, {labelled} labelled"
    return f"{items}{'' if labelled else ' unlabelled'}"
