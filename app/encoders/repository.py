"""All SQL about frozen encoders and the features that they gave."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import clock
from app.inputs.encoders import ALL_ENCODERS, EncoderFacts
from app.inputs.features import FeaturesInputs
from app.inputs.stored_encoder import FILES, KnownEncoder, stored_id_of
from app.tables.encoders import EncoderRow, FeatureChunkRow

Chunk = FeatureChunkRow


def find(session: Session, entry: KnownEncoder) -> EncoderRow | None:
    """The encoder as this release makes it, once a worker has; one that was uploaded by the hash
    of its files."""
    if entry.stored_id:
        return session.get(EncoderRow, entry.stored_id)
    own = (EncoderRow.name == entry.name) & (EncoderRow.revision == entry.revision)
    return session.scalar(select(EncoderRow).where(own))


def find_of(session: Session, inputs: FeaturesInputs) -> EncoderRow | None:
    """The encoder that features were computed by."""
    if stored_id := stored_id_of(inputs.revision):
        return session.get(EncoderRow, stored_id)
    return find(session, ALL_ENCODERS[inputs.encoder])


def add(session: Session, facts: EncoderFacts, files: dict[str, str]) -> None:
    """Makes the encoder known, unless another worker was first."""
    with suppress(IntegrityError), session.begin_nested():
        session.add(
            EncoderRow(
                id=facts.sha256,
                name=facts.name,
                revision=facts.revision,
                files=files,
                facts=facts.model_dump(mode="json"),
            )
        )


def add_stored(session: Session, facts: EncoderFacts, files: dict[str, str]) -> None:
    """Makes an encoder known that came by POST /v1/models, by the hash of its files, unless the
    same came before."""
    add(session, facts.model_copy(update={"revision": FILES + facts.sha256}), files)


def plan(session: Session, encoder_id: str, array: str, count: int) -> None:
    """Sees to it that there is a row for each of the array's chunks."""
    known = session.scalar(select(func.count()).select_from(Chunk).where(_of(encoder_id, array)))
    if known == count:
        return
    there = set(session.scalars(select(Chunk.number).where(_of(encoder_id, array))))
    for number in range(count):
        if number not in there:
            with suppress(IntegrityError), session.begin_nested():
                named = {"encoder_id": encoder_id, "array": array, "number": number}
                session.execute(insert(Chunk).values(**named))


def refs(session: Session, encoder_id: str, array: str) -> Sequence[str | None]:
    """Files of the array's chunks in their order, None for those that are not computed."""
    ordered = select(Chunk.ref).where(_of(encoder_id, array)).order_by(Chunk.number)
    return session.scalars(ordered).all()


def claim(session: Session, encoder_id: str, array: str, seconds: float) -> int | None:
    """The first chunk that nobody computes, for so many seconds; None where there is none."""
    free = Chunk.claimed_until.is_(None) | (Chunk.claimed_until < clock())
    open_ = _of(encoder_id, array) & Chunk.ref.is_(None) & free
    number = session.scalar(
        select(Chunk.number)
        .where(open_)
        .order_by(Chunk.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if number is not None:
        renew(session, encoder_id, array, number, seconds)
    return number


def renew(session: Session, encoder_id: str, array: str, number: int, seconds: float) -> None:
    _write(session, encoder_id, array, number, claimed_until=clock() + seconds)


def let_go(session: Session, encoder_id: str, array: str, number: int) -> None:
    """Leaves the chunk to whoever comes next."""
    _write(session, encoder_id, array, number, claimed_until=None)


def store(session: Session, encoder_id: str, array: str, number: int, ref: str) -> bool:
    """Says where the chunk stands; False where its row went meanwhile, with its dataset."""
    return _write(session, encoder_id, array, number, ref=ref, claimed_until=None)


def lose(session: Session, ref: str) -> None:
    """The file is damaged or gone: whoever needs its chunk computes it anew."""
    session.execute(update(Chunk).where(Chunk.ref == ref).values(ref=None, claimed_until=None))


def done(session: Session, encoder_id: str, array: str) -> int:
    """Counts how many chunks of the array are computed."""
    computed = _of(encoder_id, array) & Chunk.ref.is_not(None)
    return session.scalar(select(func.count()).select_from(Chunk).where(computed)) or 0


def _write(session: Session, encoder_id: str, array: str, number: int, **values: Any) -> bool:
    own = _of(encoder_id, array) & (Chunk.number == number)
    found = session.execute(update(Chunk).where(own).values(**values))
    return bool(cast("CursorResult[Any]", found).rowcount)


def _of(encoder_id: str, array: str) -> Any:
    return (Chunk.encoder_id == encoder_id) & (Chunk.array == array)
