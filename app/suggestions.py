"""Names that a client probably meant: those that are known here, never what it sent."""

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from functools import cache

from app.sent import Sent

NEAR = 0.75  # of difflib's ratio: one letter in four may be another
LONGEST = 40  # letters of what is compared
MOST_FIELDS = 8
QUOTED = re.compile(r"'([^']+)'")


def choice_meant(sent: object, expected: str) -> str:
    """Returns `; did you mean 'fine_tune'?`, or nothing; `expected` names the choices in quotes."""
    near = _nearest(sent, QUOTED.findall(expected))
    return f"; did you mean '{near}'?" if near else ""


def name_meant(sent: str, names: Iterable[str]) -> str:
    """Returns `; did you mean `dog`?`, or nothing."""
    near = _nearest(sent, names)
    return f"; did you mean `{near}`?" if near else ""


def field_meant(sent: str, siblings: Collection[str]) -> str:
    """Returns `; did you mean `sources`?`, or nothing: of the fields of objects that have all its
    `siblings` which are fields of any."""
    known = {name for fields in _objects().values() for name in fields}
    beside = known.intersection(siblings)
    names = {name for fields in _objects().values() if beside <= fields.keys() for name in fields}
    return name_meant(sent, sorted(names - {sent, *siblings}))


def object_of(class_name: str) -> str:
    """Returns `an object with `dataset``, the fields that must be there, else those that may."""
    fields = _objects().get(class_name, {})
    needed = [name for name, is_required in fields.items() if is_required]
    if not fields:
        return "an object"
    names = needed or list(fields)[:MOST_FIELDS]
    listed = ", ".join(f"`{name}`" for name in names)
    return f"an object with {listed}" if needed else f"an object of {listed}"


def _nearest(sent: object, names: Iterable[str]) -> str | None:
    if not isinstance(sent, str) or len(sent) > LONGEST:
        return None
    folded = {_folded(name): name for name in names}
    found = get_close_matches(_folded(sent), folded, 1, NEAR)
    return folded[found[0]] if found else None


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.casefold())


@cache
def _objects() -> dict[str, dict[str, bool]]:
    """Fields of each object that a client can send, and whether it must be there."""
    return {
        each.__name__: {
            field.alias or name: field.is_required() for name, field in each.model_fields.items()
        }
        for each in _below(Sent)
    }


def _below(kind: type[Sent]) -> Iterator[type[Sent]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
