from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.analyses import Analysis


class AuditRow(Analysis):
    """A look for wrong labels in one dataset, which never changes: so one by the same features is
    all there ever is. Leased by the worker that looks. `result`:
    app.datasets.audits.schemas.AuditResult, once it has."""

    __tablename__ = "audits"
    stage = "audit"
    __table_args__ = (Index(None, "status"),)

    dataset_id: Mapped[str] = mapped_column(unique=True)
    model_id: Mapped[str | None]  # whose features items are compared by
