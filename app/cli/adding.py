"""`ktl datasets add …`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import AsJson
from app.cli.table_spec import HOW, TableOptions, spec_of

if TYPE_CHECKING:
    from app.client import Client
    from app.datasets.schemas import DatasetOut

Words = list[str] | None
TABLES = "Tables"  # a panel of the help
PICTURES = "Pictures and arrays"


def add(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Files, or one catalog:NAME. Tables: .csv, .tsv (.gz too), .parquet, .jsonl, "
            ".arrow; one, or two of which one is named train and one test. Pictures, .txt: .zip, "
            ".tar.gz. Arrays: .npz, IDX .gz."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Else the first file's name.")] = None,
    spec: Annotated[
        Path | None,
        typer.Option(help="A JSON file of what else is to be said; options go before it."),
    ] = None,
    modality: Annotated[
        str | None, typer.Option(help="image, table, text or joined; else by the files.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="classification, multi_label or regression; else by what the labels look like."
        ),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Of a regression's quantity, as USD.")] = None,
    test_fraction: Annotated[
        float | None, typer.Option(help="Cut for testing where the data has no test split.")
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
    target: Annotated[
        Words,
        typer.Option(
            "--target",
            "--label",
            metavar="COLUMN",
            rich_help_panel=TABLES,
            help="Holds the labels, of a table or a metadata.csv; again for each of several labels "
            "of 0 and 1. Else the column that is named label, labels, target, class or y.",
        ),
    ] = None,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", rich_help_panel=TABLES, help="No column holds labels.")
    ] = False,
    separator: Annotated[
        str | None,
        typer.Option(
            metavar="SIGN",
            rich_help_panel=TABLES,
            help="Stands between several labels in the column of --target, as in a|b.",
        ),
    ] = None,
    none: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            rich_help_panel=TABLES,
            help="Means there that none of the labels applies, as No Finding.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", rich_help_panel=TABLES, help="Says train or test of each row."
        ),
    ] = None,
    where: Annotated[
        Words,
        typer.Option(
            metavar="COLUMN=VALUE",
            rich_help_panel=TABLES,
            help="Rows that are for testing. Again: one of several values of a column, or also "
            "another column's.",
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=TABLES,
            help="Dates or numbers: the latest rows are for testing, from --test-from on, or "
            "--test-fraction of them.",
        ),
    ] = None,
    test_from: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", rich_help_panel=TABLES, help="With --time: as 2026-01-01, or a number."
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=TABLES,
            help="Rows of one value, as of a patient, are never cut apart.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(rich_help_panel=TABLES, help="Of the cut for testing.")
    ] = None,
    columns: Annotated[
        Words,
        typer.Option(
            metavar="NAME=WHAT",
            rich_help_panel=TABLES,
            help="What a column is: number, category, flag, date, text or ignore; feature, label, "
            "group, domain, id, time or ignored; unit:mg/dl, format:%d.%m.%Y (of dates) or "
            "missing:WORD. Again for more of it, and for each column.",
        ),
    ] = None,
    missing: Annotated[
        Words,
        typer.Option(
            metavar="WORD",
            rich_help_panel=TABLES,
            help="Means that a field has no value, as an empty one does; again for each.",
        ),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(rich_help_panel=TABLES, help="Of CSV files: a sign, or tab; else found out."),
    ] = None,
    decimal: Annotated[
        str | None,
        typer.Option(rich_help_panel=TABLES, help="Of CSV files: . or ,; else found out."),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(rich_help_panel=TABLES, help="Of CSV files, as cp1252; else found out."),
    ] = None,
    max_characters: Annotated[
        int | None, typer.Option(help="That are kept of each text; else of 99 in 100 all.")
    ] = None,
    value_range: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            rich_help_panel=PICTURES,
            help="Raw values that are black and white; else by the values.",
        ),
    ] = None,
    image_size: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="HEIGHT WIDTH",
            rich_help_panel=PICTURES,
            help="That files of pictures are scaled to; else by theirs.",
        ),
    ] = None,
    leave_out_unreadable: Annotated[
        bool,
        typer.Option(
            "--leave-out-unreadable",
            rich_help_panel=PICTURES,
            help="Take in the other pictures where some are damaged.",
        ),
    ] = False,
    keep_upload: Annotated[
        bool, typer.Option("--keep-upload", help="Keep the files beside what becomes of them.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Stay until it is ready.")] = True,
    as_json: AsJson = False,
) -> None:
    """Add a dataset: upload files, or take one from the catalogue."""
    from app.cli import output
    from app.cli.datasets import print_dataset
    from app.client import Client

    if missing_label is not None and all_classes:
        raise typer.BadParameter("expected one of --missing-label and --all-classes")
    said: TableOptions = {
        "modality": modality,
        "task": task,
        "unit": unit,
        "test_fraction": test_fraction,
        "missing_label": missing_label,
        "unlabelled": "leave_out" if leave_out else None,
        "target": target,
        "no_labels": no_labels,
        "separator": separator,
        "none": none,
        "split": split,
        "where": where,
        "time": time,
        "test_from": test_from,
        "group": group,
        "seed": seed,
        "columns": columns,
        "missing": missing,
        "delimiter": delimiter,
        "decimal": decimal,
        "encoding": encoding,
        "max_characters": max_characters,
        "value_range": value_range,
        "image_size": image_size,
        "unreadable": "leave_out" if leave_out_unreadable else None,
        "keep_upload": keep_upload or None,
    }
    described = spec_of(said, spec)
    if all_classes:
        described["missing_label"] = None
    with Client() as client:
        if files[0].startswith("catalog:"):
            if len(files) > 1:
                raise typer.BadParameter(f"expected one catalogue name, got {len(files)} names")
            if described:
                detail = "expected nothing of the spec beside a catalogue name, got "
                raise typer.BadParameter(detail + ", ".join(described))
            dataset = client.datasets.from_catalogue(files[0], name)
        else:
            dataset = _upload(client, [Path(file) for file in files], name, described)
        if wait:
            dataset = client.datasets.wait(dataset.id)
    print_dataset(dataset, as_json)
    if dataset.error and "in the spec" in dataset.error["message"] and not as_json:
        output.complain(HOW)
    raise typer.Exit(dataset.status == "failed")


def _upload(
    client: "Client", files: list[Path], name: str | None, spec: dict[str, Any]
) -> "DatasetOut":
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    from app.cli.output import err

    for file in files:
        if not file.is_file():
            raise typer.BadParameter(f"expected a file, got {file}")
    name = name or spec.pop("name", None)
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
            **{member: value for member, value in spec.items() if member != "name"},
        )
