"""A job's file, and `--set a.b=c` on it."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.errors import BadRequest, Invalid
from app.json_text import decode


class Unusable(Exception):
    """The file, or a `--set`, cannot be used; the message says what was expected and what came."""


def read(path: Path, settings: Iterable[str] = ()) -> dict[str, Any]:
    """The job's JSON from a file, or from standard input for `-`, with each setting applied."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        spec = decode(text.encode(errors="surrogatepass"), "it")
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except (ValueError, BadRequest, Invalid) as error:
        raise Unusable(f"{path}: {error}") from error
    if not isinstance(spec, dict):
        raise Unusable(f"{path}: expected a JSON object, got {type(spec).__name__}")
    for setting in settings:
        apply(spec, setting)
    return spec


def apply(spec: dict[str, Any], setting: str) -> None:
    """`training.epochs=3`, `sources.0.dataset=ds_…`. The value is JSON where it can be read as
    JSON, else a string. Members that are not there are made; list items must be there."""
    path, equals, value = setting.partition("=")
    if not equals or not path:
        raise Unusable(f"--set: expected PATH=VALUE, got {setting!r}")
    apply_value(spec, path.split("."), _value(value, path))


def apply_value(spec: dict[str, Any], names: Sequence[str], value: Any) -> None:
    """The same with a path in parts, and the value as it is."""
    *parents, last = names
    path = ".".join(names)
    place: Any = spec
    for name in parents:
        place = place.setdefault(name, {}) if isinstance(place, dict) else _item(place, name, path)
    if isinstance(place, dict):
        place[last] = value
    else:
        _item(place, last, path)
        place[int(last)] = value


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
