"""Names in place of ids: one rule for whatever people name (datasets, models, jobs).

What begins with a kind's prefix is an id and never a name, so an id always wins. Anything else is
the name of one row of the project; where several have it, they are listed and none is taken.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import Conflict, Finding
from app.findings import SHOWN


@dataclass(frozen=True)
class NamedKind:
    """Rows of a table that have a name which people gave them."""

    plural: str
    prefix: str  # of their ids
    id: InstrumentedAttribute[str]
    name: InstrumentedAttribute[str]


def id_of(
    session: Session,
    kind: NamedKind,
    reference: str,
    *of_project: ColumnElement[bool],
    pointer: str | None = None,
) -> str:
    """The id of the row that `reference` is the id or the name of; of an unknown name the name
    itself, which is no row's id. `of_project` says which rows may be meant, `pointer` where in a
    body the reference stood. Raises Conflict for a name that several rows have."""
    if reference.startswith(kind.prefix):
        return reference
    called = select(kind.id).where(kind.name == reference, *of_project)
    found = session.scalars(called.order_by(kind.id.desc()).limit(SHOWN + 1)).all()
    if len(found) > 1:
        number = f"more than {SHOWN}" if len(found) > SHOWN else len(found)
        detail = f"expected one of the {kind.plural} of this name by its id: {number} are called so"
        candidates = (Finding(f"{each} is called so", pointer) for each in found[:SHOWN])
        raise Conflict("ambiguous_name", detail, *candidates)
    return found[0] if found else reference
