from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, now


class EncoderRow(Base):
    """A frozen encoder whose files stand in the store, made once and shared by all projects.
    `files`: refs of `onnx` and `tokenizer`; `facts`: app.inputs.encoders.EncoderFacts."""

    __tablename__ = "encoders"
    __table_args__ = (UniqueConstraint("name", "revision"),)

    id: Mapped[str] = mapped_column(primary_key=True)  # the facts' sha256
    name: Mapped[str]
    revision: Mapped[str]
    files: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class FeatureChunkRow(Base):
    """Some rows of a stored array, encoded: the `number`-th of as many as cover it.

    `array`: the dataset's file that it is of, with which it goes. `ref`: float32 (rows, dimension),
    .npy; null until somebody has computed it, whose claim holds until `claimed_until` by the
    database's clock.
    """

    __tablename__ = "feature_chunks"
    __table_args__ = (Index(None, "array"),)

    encoder_id: Mapped[str] = mapped_column(primary_key=True)
    array: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str | None]
    claimed_until: Mapped[float | None]
