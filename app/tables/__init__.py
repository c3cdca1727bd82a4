"""Every room's tables, so that whoever imports this knows the whole schema."""

from app.database import Base
from app.tables.audits import AuditRow
from app.tables.datasets import DatasetRow
from app.tables.deployments import CanaryRow, DeploymentRow, DeploymentVersionRow
from app.tables.encoders import EncoderRow, FeatureChunkRow
from app.tables.jobs import EpochRow, EventRow, JobRow, TrialRow
from app.tables.keys import IdempotencyRow, KeyRow
from app.tables.model_imports import ModelImportRow
from app.tables.models import ModelRow
from app.tables.next_labels import NextLabelsRow
from app.tables.traffic import TrafficRow
from app.tables.usage import InstallationRow
from app.tables.workers import WorkerRow

__all__ = [
    "AuditRow",
    "Base",
    "CanaryRow",
    "DatasetRow",
    "DeploymentRow",
    "DeploymentVersionRow",
    "EncoderRow",
    "EpochRow",
    "EventRow",
    "FeatureChunkRow",
    "IdempotencyRow",
    "InstallationRow",
    "JobRow",
    "KeyRow",
    "ModelImportRow",
    "ModelRow",
    "NextLabelsRow",
    "TrafficRow",
    "TrialRow",
    "WorkerRow",
]
