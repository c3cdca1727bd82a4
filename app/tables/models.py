from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, now


class ModelRow(Base):
    """One packaged winner. The files are refs into the artifact store:

    `onnx`    the graph with its preprocessing: input `inputs` (n, *shape) float32 raw values,
              output `probabilities` (n, classes) float32, calibrated where the signature names
              a temperature
    `keras`   the same network as a .keras archive: raw values in, logits out
    `golden`  .npz of raw `inputs` and the trainer's `probabilities` for the deployment gate
    """

    __tablename__ = "models"
    __table_args__ = (Index(None, "project", "id"), Index(None, "job_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str]
    job_id: Mapped[str | None]
    trial_id: Mapped[str | None]
    files: Mapped[dict[str, Any]]
    signature: Mapped[dict[str, Any]]  # app.models.schemas.Signature
    card: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any] | None]  # one of the files is damaged or gone
    created_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
