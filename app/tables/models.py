from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, now


class ModelRow(Base):
    """One packaged winner, or a network that was trained elsewhere, which has neither job nor
    trial, and neither files nor a signature until a worker has read it (ModelImportRow). The files
    are refs into the artifact store:

    `onnx`    the graph with its preprocessing: input `inputs` (n, *shape) float32 raw values,
              output `probabilities` (n, classes) float32, calibrated where the signature names
              a temperature
    `keras`   the same network as a .keras archive: raw values in, logits out
    `golden`  .npz of raw `inputs` and the trainer's `probabilities` for the deployment gate
    `weights` .npz of the network's weights, which jobs start from

    An imported network without classes has its weights alone.
    """

    __tablename__ = "models"
    __table_args__ = (Index(None, "project", "id"), Index(None, "job_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str]
    origin: Mapped[str] = mapped_column(default="job")  # or "imported"
    job_id: Mapped[str | None]
    trial_id: Mapped[str | None]
    files: Mapped[dict[str, Any]]
    signature: Mapped[dict[str, Any]]  # app.models.schemas.Signature; {} until it is known
    card: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any] | None]  # one of the files is damaged or gone
    created_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
