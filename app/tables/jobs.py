from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, now
from app.leases import Leased

ENDED = ("succeeded", "failed", "cancelled")  # jobs.status: no transition leads on


class JobRow(Leased):
    """Leased by the worker that finalises it. `event_count` numbers the job's events."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "project", "id"), Index(None, "project", "status", "id"))

    project: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="queued", index=True)
    stage: Mapped[str] = mapped_column(default="queued")
    spec: Mapped[dict[str, Any]]  # resolved: nothing is `auto` any more
    selection: Mapped[list[Any]] = mapped_column(default=list)  # what `auto` chose, and why
    target_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    source_ids: Mapped[list[Any]]
    report: Mapped[dict[str, Any] | None]
    model_id: Mapped[str | None]
    deployment: Mapped[str | None]
    stop_reason: Mapped[str | None]  # budget
    error: Mapped[dict[str, Any] | None]
    estimate: Mapped[dict[str, Any] | None]  # capacity_check.MemoryEstimate
    tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    event_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class TrialRow(Leased):
    """One arm × one seed × one label budget: the unit of a worker's work."""

    __tablename__ = "trials"
    __table_args__ = (
        UniqueConstraint("job_id", "position"),
        Index(None, "status", "id"),
        Index(None, "depends_on"),
        Index(None, "content_key"),
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    position: Mapped[int]
    role: Mapped[str]  # plan.Role
    arm: Mapped[str]
    seed: Mapped[int]
    labels_per_class: Mapped[int | None]
    depends_on: Mapped[str | None]  # the trial whose weights this one starts from
    content_key: Mapped[str | None]  # of a pretraining: all that its weights depend on
    reused_from: Mapped[str | None]  # the trial that trained these weights, of an earlier job
    status: Mapped[str] = mapped_column(default="waiting")
    progress: Mapped[float] = mapped_column(default=0.0)  # 0..1
    seconds: Mapped[float] = mapped_column(default=0.0)  # of training, over all attempts
    steps: Mapped[int] = mapped_column(default=0)  # planned optimizer steps, at most
    # On the machine of calibration.py; 0 in rows of releases that did not plan them.
    planned_seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    checkpoint: Mapped[str | None]
    weights: Mapped[str | None]
    predictions: Mapped[str | None]
    test: Mapped[dict[str, Any] | None]
    validation: Mapped[dict[str, Any] | None]
    outcome: Mapped[dict[str, Any] | None]  # of a scoring or a search
    conditions: Mapped[dict[str, Any] | None]  # figures.Conditions
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class EpochRow(Base):
    """One epoch's metrics on one split. The key makes each stand exactly once."""

    __tablename__ = "epochs"

    trial_id: Mapped[str] = mapped_column(
        ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True
    )
    phase: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)  # from 1, within its phase
    split: Mapped[str] = mapped_column(primary_key=True)  # train | validation
    phase_index: Mapped[int]
    values: Mapped[dict[str, Any]]  # app.spec.epoch_metrics.EpochMetrics
    recorded_at: Mapped[datetime] = mapped_column(default=now)


class EventRow(Base):
    """`number` rises by one a job, in the order of the commits (jobs.event_count is locked)."""

    __tablename__ = "events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  # status | trial | epoch | features | warning | report | deployment
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)
