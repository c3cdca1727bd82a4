"""Options of `ktl datasets add` -> the spec that the API is sent. Light: it imports no schemas, the
API says what is wrong with values."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

import typer

from app.cli.derive import conditions

KINDS = ("number", "category", "flag", "date", "text")
ROLES = ("feature", "label", "group", "domain", "id", "time", "ignored")
NESTED = ("target", "split", "csv", "columns")  # members that options and a file both add to
HOW = (
    "`ktl datasets add` takes what belongs into the spec as options, as --target COLUMN, --columns "
    "NAME=WHAT and --encoding NAME (`ktl datasets add --help` lists them), or as --spec FILE.json"
)
SIGNS = {"tab": "\t", "\\t": "\t"}


class TableOptions(TypedDict):
    """Words that options say; None where they say nothing."""

    modality: str | None
    task: str | None
    unit: str | None
    test_fraction: float | None
    missing_label: str | None
    unlabelled: str | None
    target: list[str] | None
    no_labels: bool
    separator: str | None
    none: str | None
    split: str | None
    where: list[str] | None
    time: str | None
    test_from: str | None
    group: str | None
    seed: int | None
    columns: list[str] | None
    missing: list[str] | None
    delimiter: str | None
    decimal: str | None
    encoding: str | None
    max_characters: int | None
    value_range: tuple[float, float] | None
    image_size: tuple[int, int] | None
    unreadable: str | None
    keep_upload: bool | None


def spec_of(said: TableOptions, file: Path | None = None) -> dict[str, Any]:
    """Members of app.datasets.schemas.DatasetSpec. Raises typer.BadParameter."""
    found = read_spec(file) if file else {}
    delimiter = said["delimiter"]
    options: dict[str, Any] = {
        "modality": said["modality"],
        "task": said["task"],
        "unit": said["unit"],
        "test_fraction": said["test_fraction"],
        "missing_label": said["missing_label"],
        "unlabelled": said["unlabelled"],
        "target": _target(said),
        "split": {
            "column": said["split"],
            "where": conditions(said["where"]) if said["where"] else None,
            "time": said["time"],
            "test_from": _moment(said["test_from"]),
            "group": said["group"],
            "seed": said["seed"],
        },
        "columns": _columns(said["columns"] or []),
        "missing": said["missing"],
        "csv": {
            "delimiter": delimiter and SIGNS.get(delimiter, delimiter),
            "decimal": said["decimal"],
            "encoding": said["encoding"],
        },
        "max_characters": said["max_characters"],
        "value_range": said["value_range"],
        "image_size": said["image_size"],
        "unreadable": said["unreadable"],
        "keep_upload": said["keep_upload"],
    }
    for member, value in options.items():
        if member not in NESTED:
            found |= {} if value is None else {member: value}
        elif inner := {key: each for key, each in value.items() if each is not None}:
            before = found.get(member)
            is_target = member == "target"  # one column or several: what the file says gives way
            found[member] = {**before, **inner} if before and not is_target else inner
    return found


def read_spec(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except OSError as error:
        raise typer.BadParameter(f"expected a file in --spec, got {file}") from error
    except ValueError as error:
        raise typer.BadParameter(f"expected JSON in {file}: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"expected an object in {file}")
    return found


def _moment(said: str | None) -> str | float | None:
    """A number where it is one."""
    try:
        return None if said is None else json.loads(said, parse_constant=str)
    except ValueError:
        return said


def _target(said: TableOptions) -> dict[str, Any]:
    columns = said["target"]
    if columns and said["no_labels"]:
        raise typer.BadParameter("expected one of --target and --no-labels")
    if said["no_labels"]:
        return {"columns": []}
    parted = {"separator": said["separator"], "none": said["none"]}
    if not columns:
        return parted
    is_one = len(columns) == 1 and (said["task"] != "multi_label" or said["separator"])
    return {"column": columns[0], **parted} if is_one else {"columns": list(columns), **parted}


def _columns(said: Iterable[str]) -> dict[str, Any]:
    """What each column is, of `age=number`, `age=unit:years` and so on."""
    found: dict[str, Any] = {}
    for each in said:
        name, sign, what = each.rpartition("=")
        if not sign or not name:
            raise typer.BadParameter(f"expected NAME=WHAT in --columns, got {each}")
        if what == "ignore":
            found[name] = "ignore"
            continue
        column = found.setdefault(name, {})
        if column == "ignore":
            raise typer.BadParameter(f"expected nothing beside {name}=ignore, got {each}")
        member, _, text = what.partition(":")
        if what in KINDS:
            column["kind"] = what
        elif what in ROLES:
            column["role"] = what
        elif member == "unit" and text:
            column["unit"] = text
        elif member == "format" and text:
            column |= {"kind": "date", "format": text}
        elif member == "missing" and text:
            column.setdefault("missing", []).append(text)
        else:
            known = ", ".join((*KINDS, "ignore", *ROLES, "unit:…", "format:…", "missing:…"))
            raise typer.BadParameter(f"expected one of {known} in --columns, got {each}")
    return found
