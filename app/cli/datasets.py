"""`ktl datasets …`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.derive import derive
from app.cli.options import AsJson

if TYPE_CHECKING:
    from app.client import Client
    from app.datasets.schemas import DatasetOut, Schema
    from app.tasks import Task

app = typer.Typer(help="Upload, list and look at datasets.", no_args_is_help=True)

DatasetId = Annotated[str, typer.Argument(help="ds_…", show_default=False)]


@app.command()
def add(
    files: Annotated[
        list[str],
        typer.Argument(help="Files (.npz, IDX .gz, .zip of pictures), or one catalog:NAME."),
    ],
    name: Annotated[str | None, typer.Option(help="Else the first file's name.")] = None,
    test_fraction: Annotated[
        float | None, typer.Option(help="Cut for testing where the data has no test split.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="classification, multi_label or regression; else by what the labels look like."
        ),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Of a regression's quantity, as USD.")] = None,
    value_range: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH", help="Raw values that are black and white; else by the values."
        ),
    ] = None,
    image_size: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="HEIGHT WIDTH", help="That files of pictures are scaled to; else by theirs."
        ),
    ] = None,
    missing_label: Annotated[
        str | None, typer.Option(help="The label of items that have none.")
    ] = None,
    leave_out: Annotated[
        bool,
        typer.Option("--leave-out-unlabelled", help="Do not keep training items without a label."),
    ] = False,
    all_classes: Annotated[
        bool, typer.Option("--all-classes", help="Every label is a class, -1 and nan too.")
    ] = False,
    label: Annotated[
        str | None, typer.Option(help="The column with the labels, of a table or a metadata.csv.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="A column, as `patient`: its items are never cut apart for testing."),
    ] = None,
    leave_out_unreadable: Annotated[
        bool,
        typer.Option(
            "--leave-out-unreadable", help="Take in the other pictures where some are damaged."
        ),
    ] = False,
    keep_upload: Annotated[
        bool, typer.Option("--keep-upload", help="Keep the files beside what becomes of them.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Stay until it is ready.")] = True,
    as_json: AsJson = False,
) -> None:
    """Add a dataset: upload files, or take one from the catalogue."""
    from app.client import Client

    with Client() as client:
        if files[0].startswith("catalog:"):
            if len(files) > 1:
                raise typer.BadParameter(f"expected one catalogue name, got {len(files)} names")
            dataset = client.datasets.from_catalogue(files[0], name)
        else:
            if missing_label is not None and all_classes:
                raise typer.BadParameter("expected one of --missing-label and --all-classes")
            said = {
                "test_fraction": test_fraction,
                "task": task,
                "unit": unit,
                "value_range": value_range,
                "image_size": image_size,
                "missing_label": missing_label,
            }
            spec: dict[str, Any] = {name: each for name, each in said.items() if each is not None}
            if leave_out:
                spec["unlabelled"] = "leave_out"
            if label is not None:
                spec["target"] = {"column": label}
            if group is not None:
                spec["split"] = {"group": group}
            if leave_out_unreadable:
                spec["unreadable"] = "leave_out"
            if keep_upload:
                spec["keep_upload"] = True
            if all_classes:
                spec["missing_label"] = None
            dataset = _upload(client, [Path(file) for file in files], name, spec)
        if wait:
            dataset = client.datasets.wait(dataset.id)
    print_dataset(dataset, as_json)
    raise typer.Exit(dataset.status == "failed")


app.command()(derive)


@app.command("list")
def list_datasets(
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="What can be had as catalog:NAME.")
    ] = False,
    as_json: AsJson = False,
) -> None:
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
        ["id", "name", "status", "shape", "labels", "train", "test"],
        [(d.id, d.name, d.status, *_summary(d)) for d in found],
    )


@app.command()
def show(dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Show one dataset: its schema, its profile, or why it failed."""
    from app.client import Client

    with Client() as client:
        print_dataset(client.datasets.get(dataset_id), as_json)


@app.command()
def delete(dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Delete a dataset that no unfinished job needs."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        client.datasets.delete(dataset_id)
    if as_json:
        output.print_json({"id": dataset_id, "deleted": True})


def _upload(
    client: "Client", files: list[Path], name: str | None, spec: dict[str, Any]
) -> "DatasetOut":
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    from app.cli.output import err

    for file in files:
        if not file.is_file():
            raise typer.BadParameter(f"expected a file, got {file}")
    bar = Progress(
        "uploading",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=err,
        disable=not err.is_terminal,
    )
    with bar:
        task = bar.add_task("upload", total=None)
        return client.datasets.upload(
            files,
            name,
            on_progress=lambda sent, total: bar.update(task, completed=sent, total=total),
            **spec,
        )


def print_dataset(dataset: "DatasetOut", as_json: bool) -> None:
    from app.cli import output

    if as_json:
        output.print_json(dataset)
        return
    shape, labels, train, test = _summary(dataset)
    profile = dataset.profile or {}
    output.print_fields(
        {
            "id": dataset.id,
            "name": dataset.name,
            "status": dataset.status,
            "origin": dataset.origin,
            "shape": shape,
            "labels": labels,
            "items": dataset.schema_ and f"{train} to train on, {test} to test on",
            "values": dataset.schema_ and _values(dataset.schema_, profile),
            "derived": profile.get("derived", {}).get("sentence"),
            "warnings": "\n".join(profile.get("warnings", [])),
            "error": dataset.error and f"{dataset.error['code']}: {dataset.error['message']}",
        }
    )


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


def _values(schema: "Schema", profile: dict[str, Any]) -> str:
    if schema.inputs.range is None:
        return schema.inputs.summary
    low, high = schema.inputs.range
    said = f"{low:g} to {high:g} become 0 to 1"
    seen = profile.get("values", {}).get("train")
    return f"{said}; {seen['low']:g} to {seen['high']:g} in training" if seen else said


def _items(schema: "Schema", split: str) -> str:
    items, labelled = schema.splits[split], schema.labelled(split)
    if 0 < labelled < items:
        return f"{items}, {labelled} labelled"
    return f"{items}{'' if labelled else ' unlabelled'}"
