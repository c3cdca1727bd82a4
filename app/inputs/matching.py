"""Columns that two tables share, by their names and kinds.

Names are equal where they differ only in case, in spaces and underscores, or in Unicode's forms;
values of categories where they differ only in case, in spaces or in Unicode's forms.
Columns that are alike and no more are proposed (app.inputs.similar_columns), never matched.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from app.inputs.columns import Column, FlagColumn, NumberColumn
from app.inputs.table import TableInputs

Names = Mapping[str, str]  # a column's name in one table -> its name in another
Key = Callable[[str], str]
Said = Mapping[str, str | None]  # the same, as a job says it; None: it has no counterpart

FALSE = {"false", "no", "n", "f", "0", "off", "nein", "falsch", "non", "faux"}
TRUE = {"true", "yes", "y", "t", "1", "on", "ja", "j", "wahr", "oui", "o", "vrai", "si", "s"}
TRUE |= {"sí", "sì"}


@dataclass(frozen=True)
class Unlike:
    """Two columns of equal names, or that a job says are one, which cannot be one."""

    name: str
    source_name: str
    reason: str


@dataclass(frozen=True)
class Match:
    """Columns that two tables share: `names` in the order of the target's columns, of which the job
    said those in `confirmed`, and what could not be matched although it was named alike."""

    names: Names
    confirmed: frozenset[str]
    unlike: tuple[Unlike, ...]


def matched(target: TableInputs, source: TableInputs, said: Said | None = None) -> Match:
    """The target's columns with their counterparts: first those that the job says, then those of
    the very same name, then those of equal names where only one on each side has it.

    Args:
        said: columns of both tables alone, each at most once.
    """
    said = said or {}
    own, theirs = _by_name(target), _by_name(source)
    pairs = {name: other for name, other in said.items() if other is not None}
    spoken = set(pairs.values())
    left = {name for name in own if name not in said}
    open_ = {name for name in theirs if name not in spoken}
    same = left & open_
    pairs |= {name: name for name in same}
    pairs |= _equal(left - same, open_ - same, name_key)
    names, unlike = dict[str, str](), list[Unlike]()
    for column in target.columns:
        other = pairs.get(column.name)
        if other is None:
            continue
        reason = obstacle(column, theirs[other], is_said=column.name in said)
        if reason is None:
            names[column.name] = other
        else:
            unlike.append(Unlike(column.name, other, reason))
    return Match(names, frozenset(said) & frozenset(names), tuple(unlike))


def obstacle(own: Column, other: Column, is_said: bool = False) -> str | None:
    """Says why a source's column `other` is not the target's `own`, whatever their names; None
    where it may be. A job may say (`is_said`) that two units are one."""
    if own.kind != other.kind:
        return (
            f"it is a {other.kind} in the source and a {own.kind} in the target: `columns` in the "
            "spec of a dataset says of which kind a column is"
        )
    if isinstance(own, NumberColumn) and isinstance(other, NumberColumn):
        units = own.unit, other.unit
        if all(units) and units[0] != units[1] and not is_said:
            return (
                f"its unit is {other.unit} in the source and {own.unit} in the target: bring both "
                "to one unit, or say in the source's `columns` that they are the same"
            )
    if isinstance(own, FlagColumn) and isinstance(other, FlagColumn):
        same = {*map(value_key, own.values)} == {*map(value_key, other.values)}
        if not same and not (_says_yes_or_no(own) and _says_yes_or_no(other)):
            return (
                "its two values are others in the source than in the target: write them alike "
                "in both files"
            )
    return None


def _says_yes_or_no(column: FlagColumn) -> bool:
    negative, positive = (value.strip().casefold() for value in column.values)
    return negative in FALSE and positive in TRUE


def name_key(name: str) -> str:
    """Equal for names that are matched."""
    plain = normalize("NFKC", normalize("NFKC", name).casefold())
    return "".join(plain.replace("_", " ").split())


def value_key(value: str) -> str:
    """Equal for values of categories that are matched."""
    return " ".join(normalize("NFKC", normalize("NFKC", value).casefold()).split())


def same_values(values: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Pairs of a table's values with those of another one: the very same ones, and those that
    differ in case, spaces or Unicode's forms alone where nothing else on their side does."""
    exact = set(known)
    pairs = {value: value for value in values if value in exact}
    left = [value for value in values if value not in exact]
    return pairs | _equal(left, exact - set(values), value_key) if left else pairs


def _by_name(inputs: TableInputs) -> dict[str, Column]:
    return {column.name: column for column in inputs.columns}


def _equal(own: Iterable[str], others: Iterable[str], key_of: Key) -> dict[str, str]:
    """Pairs of names with one key that nothing else on their side has."""
    sides = [_keyed(own, key_of), _keyed(others, key_of)]
    return {
        one[0]: other[0]
        for key, one in sides[0].items()
        if len(one) == 1 and len(other := sides[1].get(key, [])) == 1
    }


def _keyed(names: Iterable[str], key_of: Key) -> dict[str, list[str]]:
    found = defaultdict[str, list[str]](list)
    for name in names:
        found[key_of(name)].append(name)
    return found
