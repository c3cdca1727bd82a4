"""Every room's tables, so that whoever imports this knows the whole schema."""

from app.database import Base
from app.datasets.tables import DatasetRow
from app.deployments.tables import DeploymentRow, DeploymentVersionRow
from app.jobs.tables import EpochRow, EventRow, JobRow, TrialRow
from app.keys.tables import IdempotencyRow, KeyRow
from app.models.tables import ModelRow
from app.usage.tables import InstallationRow
from app.workers.tables import WorkerRow

__all__ = [
    "Base",
    "DatasetRow",
    "DeploymentRow",
    "DeploymentVersionRow",
    "EpochRow",
    "EventRow",
    "IdempotencyRow",
    "InstallationRow",
    "JobRow",
    "KeyRow",
    "ModelRow",
    "TrialRow",
    "WorkerRow",
]
