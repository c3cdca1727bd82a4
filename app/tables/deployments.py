from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, now


class DeploymentRow(Base):
    """A name that serves a model. `version` rises with each re-pointing."""

    __tablename__ = "deployments"
    __table_args__ = (UniqueConstraint("project", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str]
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class CanaryRow(Base):
    """A model that answers a share of a deployment's requests, to be seen beside the current
    one."""

    __tablename__ = "canaries"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"))
    percent: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class DeploymentVersionRow(Base):
    """The history: which model the name pointed to, and since when."""

    __tablename__ = "deployment_versions"
    __table_args__ = (Index(None, "deployment_id", "version", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployments.id", ondelete="CASCADE"))
    version: Mapped[int]
    model_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
