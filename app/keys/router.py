"""Bearer keys. An admin makes and revokes those of every project."""

from typing import Any

from fastapi import APIRouter, Response

from app.access import repository
from app.dependencies import Admin, AuthenticatorOf, DatabaseOf, PageOf, ReadSession
from app.errors import NotFound
from app.keys.schemas import KeyOut, KeySpec, NewKey
from app.pages import Listing, fetch_page
from app.tables.keys import KeyRow
from app.turns import TurnRoute

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=TurnRoute)


@router.post("", status_code=201, summary="Make a key; its secret is shown once")
def create_key(
    spec: KeySpec,
    response: Response,
    _: Admin,
    database: DatabaseOf,
    authenticator: AuthenticatorOf,
) -> NewKey:
    with database.write() as session:
        row, key = repository.create(session, spec.name, spec.project, list(spec.scopes))
    authenticator.forget()
    response.headers["Location"] = f"/v1/keys/{row.id}"
    response.headers["Cache-Control"] = "no-store"
    return NewKey(**_shown(row), key=key)


@router.get("", summary="List keys, without their secrets")
def list_keys(_: Admin, session: ReadSession, page: PageOf) -> Listing[KeyOut]:
    rows, has_more, after = fetch_page(session, repository.every(), KeyRow.id, page)
    return Listing(data=[KeyOut(**_shown(row)) for row in rows], has_more=has_more, next=after)


@router.delete("/{id}", status_code=204, summary="Revoke a key")
def revoke_key(id: str, _: Admin, database: DatabaseOf, authenticator: AuthenticatorOf) -> None:
    """Other API processes refuse it after at most 5 seconds."""
    with database.write() as session:
        if not repository.revoke(session, id):
            raise NotFound("key_not_found", "expected the id of a key, got an unknown one")
    authenticator.forget()


def _shown(row: KeyRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in KeyOut.model_fields}
