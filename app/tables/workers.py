from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class WorkerRow(Base):
    """Facts that a worker has said of itself."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)  # of its machine or container
    slots: Mapped[int]
    slot_bytes: Mapped[int] = mapped_column(BigInteger)  # memory that a trial may take
    seen_at: Mapped[float]  # by the database's clock, seconds since 1970
