from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import now
from app.leases import Leased


class AuditRow(Leased):
    """A look for wrong labels in one dataset, which never changes: so one is all there ever is.
    Leased by the worker that looks. `result`: app.datasets.audits.schemas.Found, once it has."""

    __tablename__ = "audits"
    __table_args__ = (Index(None, "status"),)

    dataset_id: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(default="queued")
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
