from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class TrafficRow(Base):
    """Counts of one process of the API, of one model under one name, in a stretch of time:
    `seconds` from `begins_at` on, both of the clock of its machine, seconds since 1970. Processes
    write rows of their own, whole each time, so none waits for another and none counts twice.

    `seconds` is 0 in the row of a model's first answers, which stays; others go at `expires_at`.
    """

    __tablename__ = "traffic"
    __table_args__ = (Index(None, "expires_at"),)

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[str] = mapped_column(primary_key=True)
    process: Mapped[str] = mapped_column(primary_key=True)
    seconds: Mapped[int] = mapped_column(primary_key=True)
    begins_at: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    counts: Mapped[dict[str, Any]]  # app.traffic.counts.Counts
