"""A job's file, and `--set a.b=c` on it."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.errors import BadRequest, Invalid
from app.json_text import decode


class Unusable(Exception):
    """The file, or a `--set`, cannot be used; the message says what was expected and what came."""


class Named(NamedTuple):
    """Facts that a command line names of a job."""

    sources: Sequence[str] = ()  # ds_…, mdl_…, catalog:NAME
    target: str | None = None
    deploy: str | None = None


def read(path: Path | None, settings: Iterable[str] = (), named: Named = Named()) -> dict[str, Any]:
    """The job's JSON from a file, or from standard input for `-`, or from nothing but what is
    named; with what is named in its place, and then each setting applied."""
    if path is None and not (named.sources and named.target):
        raise Unusable("expected a file with a job, or --source and --target")
    spec = _object(path) if path else {}
    if named.sources:
        spec["sources"] = [
            {"model" if each.startswith("mdl_") else "dataset": each} for each in named.sources
        ]
    if named.target:
        apply(spec, f"target.dataset={named.target}")
    if named.deploy:
        apply(spec, f"deploy.name={named.deploy}")
    for setting in settings:
        apply(spec, setting)
    return spec


def _object(path: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        spec = decode(text.encode(errors="surrogatepass"), "it")
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: expected a job as JSON in UTF-8, got other bytes") from error
    except (ValueError, BadRequest, Invalid) as error:
        raise Unusable(f"{path}: {error}") from error
    if not isinstance(spec, dict):
        raise Unusable(f"{path}: expected a JSON object, got {type(spec).__name__}")
    return spec


def apply(spec: dict[str, Any], setting: str) -> None:
    """`training.epochs=3`, `sources.0.dataset=ds_…`. The value is JSON where it can be read as
    JSON, else a string. Members that are not there are made; list items must be there."""
    path, equals, value = setting.partition("=")
    if not equals or not path:
        raise Unusable(f"--set: expected PATH=VALUE, got {setting!r}")
    *parents, last = path.split(".")
    place: Any = spec
    for name in parents:
        place = place.setdefault(name, {}) if isinstance(place, dict) else _item(place, name, path)
    if isinstance(place, dict):
        place[last] = _value(value, path)
    else:
        _item(place, last, path)
        place[int(last)] = _value(value, path)


def _item(place: Any, name: str, path: str) -> Any:
    if not isinstance(place, list):
        raise Unusable(f"--set {path}: expected an object or a list before `{name}`, got {place!r}")
    if not name.isdecimal() or int(name) >= len(place):
        raise Unusable(f"--set {path}: expected an index below {len(place)}, got `{name}`")
    return place[int(name)]


def _value(text: str, path: str) -> Any:
    try:
        return decode(text.encode(errors="surrogatepass"), "it")
    except BadRequest:
        return text
    except Invalid as error:
        raise Unusable(f"--set {path}: {error}") from error
