"""A create that is sent twice with one Idempotency-Key happens once and is answered alike."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Response
from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from app.access.caller import Caller
from app.database import now
from app.errors import Conflict, Finding, Invalid
from app.tables.keys import IdempotencyRow

KEPT = timedelta(hours=24)


async def _key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            description="Sent again within 24 h with the same body: the first answer again.",
        ),
    ] = None,
) -> str | None:
    return key


IdempotencyKey = Annotated[str | None, Depends(_key)]


@dataclass(frozen=True)
class StoredAnswer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


def fingerprint(method: str, path: str, body_json: Any) -> str:
    """A hash of the request; the order of an object's members does not matter."""
    body = json.dumps(body_json, sort_keys=True)  # not orjson: integers may have any size
    return sha256("\n".join([method, path, body]).encode()).hexdigest()


def answer_once(
    session: Session,
    caller: Caller,
    key: str | None,
    request_fingerprint: str,
    make: Callable[[], StoredAnswer],
) -> StoredAnswer:
    """Answers a repeated request as the first time: what `make` creates in `session` and its answer
    are committed together.

    Raises Invalid `idempotency_key_reused` when the key came with another request, and Conflict
    where what it made has been deleted since.
    """
    if key is None:
        return make()
    _take_turns(session, caller.project, key)
    first = session.get(IdempotencyRow, (caller.project, key))
    if first is not None and first.created_at <= now() - KEPT:
        session.delete(first)
        session.flush()
        first = None
    if first is None:
        answer = make()
        body = orjson.loads(orjson.dumps(answer.body))  # times become text, as in the answer
        session.add(
            IdempotencyRow(
                project=caller.project,
                key=key,
                fingerprint=request_fingerprint,
                status=answer.status,
                headers=dict(answer.headers),
                body=body,
            )
        )
        session.flush()
        return answer
    if first.fingerprint != request_fingerprint:
        detail = "expected the request that this Idempotency-Key came with first, got another one"
        finding = Finding(detail, parameter="Idempotency-Key")
        raise Invalid("idempotency_key_reused", detail, finding)
    if not first.body:
        detail = "expected a key that is new, got one of a request whose result has been deleted"
        raise Conflict("already_deleted", detail, Finding(detail, parameter="Idempotency-Key"))
    return StoredAnswer(first.status, first.headers, first.body)


def is_answered(session: Session, caller: Caller, key: str | None) -> bool:
    """Tells whether a request with this key was answered: `answer_once` may make nothing then."""
    return key is not None and session.get(IdempotencyRow, (caller.project, key)) is not None


def respond(answer: StoredAnswer) -> Response:
    content = orjson.dumps(answer.body)
    return Response(content, answer.status, answer.headers, media_type="application/json")


def _take_turns(session: Session, project: str, key: str) -> None:
    """Two requests with one key must not both find nothing. SQLite's BEGIN IMMEDIATE sees to it."""
    if session.get_bind().dialect.name == "postgresql":
        number = func.hashtextextended(f"{project}/{key}", 0)
        session.execute(select(func.pg_advisory_xact_lock(number)))


def forget_answers(session: Session, project: str, thing_id: str) -> None:
    """The thing was deleted, so what answers told of it goes; its keys stay known."""
    session.execute(
        update(IdempotencyRow)
        .where(
            IdempotencyRow.project == project,
            IdempotencyRow.body["id"].as_string() == thing_id,
        )
        .values(body={}, headers={})
        .execution_options(synchronize_session=False)
    )


def forget_old(session: Session) -> None:
    """Removes what nobody may ask for any more; an API process does it now and then."""
    primary_key = (IdempotencyRow.project, IdempotencyRow.key)
    old = select(*primary_key).where(IdempotencyRow.created_at <= now() - KEPT)
    # Skipping locked rows: two processes that clean up at once would wait for each other.
    session.execute(
        delete(IdempotencyRow)
        .where(tuple_(*primary_key).in_(old.with_for_update(skip_locked=True)))
        .execution_options(synchronize_session=False)
    )
