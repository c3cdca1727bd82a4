from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Mapped, mapped_column

from app.database import now
from app.leases import Leased


class Analysis(Leased):
    """A look at what is stored, which a worker takes on its own: an audit of a dataset, or which
    labels are worth asking for next. `result` is JSON that the resource's own schema describes,
    once there is one. `error`: a WorkFailure's; `stage`: where it says that it happened."""

    __abstract__ = True
    stage: ClassVar[str]

    status: Mapped[str] = mapped_column(default="queued")  # app.datasets.audits.AuditStatus
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]

    def begin_anew(self) -> None:
        """Starts an analysis again, as if it had just been asked for. Who works on it finds the
        lease gone."""
        self.status, self.result, self.error, self.ended_at = "queued", None, None, None
        self.token = self.owner = self.lease_until = None
        self.attempt = self.publish_count = 0
