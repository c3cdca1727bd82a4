from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.analyses import Analysis


class ModelImportRow(Analysis):
    """An uploaded network on its way to a model, which stands there from the beginning. Leased by
    the worker that reads it. `spec`: app.models.importing.ImportSpec."""

    __tablename__ = "model_imports"
    stage = "import"
    __table_args__ = (Index(None, "status"),)

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), unique=True)
    project: Mapped[str]
    spec: Mapped[dict[str, Any]]
    files: Mapped[list[Any]] = mapped_column(default=list)  # [{"name", "ref", "bytes"}], raw
