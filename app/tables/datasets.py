from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import now
from app.leases import Leased


class DatasetRow(Leased):
    """Leased by the worker that takes the raw files in. `origin_key` is unique in a project for
    what comes from the catalogue, so that each such dataset is taken in once."""

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("project", "origin_key"),
        Index(None, "project", "id"),
        Index(None, "status"),
    )

    project: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="ingesting")
    origin: Mapped[str]
    origin_key: Mapped[str | None]
    spec: Mapped[dict[str, Any]]
    files: Mapped[list[Any]] = mapped_column(default=list)  # [{"name", "ref", "bytes"}], raw
    arrays: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"x_train": ref, …}, .npy
    schema: Mapped[dict[str, Any] | None]
    profile: Mapped[dict[str, Any] | None]
    content_hash: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
