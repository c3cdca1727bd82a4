from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.analyses import Analysis


class NextLabelsRow(Analysis):
    """Ranking of the unlabelled items that a job's user should label next. A job has one: another
    question takes the place of the last. Leased by the worker that ranks. `result`:
    app.jobs.next_labels.schemas.Ranked, once it has."""

    __tablename__ = "next_labels"
    stage = "next_labels"
    __table_args__ = (Index(None, "status"), Index(None, "dataset_id"))

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), unique=True)
    dataset_id: Mapped[str]  # whose items are ranked
    items: Mapped[int]  # asked for
