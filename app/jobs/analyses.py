"""Work that is neither an intake nor a job's: the tables that it waits in, and what wakes a worker
for it."""

from collections.abc import Callable
from typing import NamedTuple

from app.messages import AuditDataset, ImportModel, Message, RankUnlabelled
from app.tables.analyses import Analysis
from app.tables.audits import AuditRow
from app.tables.model_imports import ModelImportRow
from app.tables.next_labels import NextLabelsRow


class AnalysisKind(NamedTuple):
    table: type[Analysis]
    message: Callable[[str], Message]


ANALYSES = (
    AnalysisKind(AuditRow, AuditDataset),
    AnalysisKind(NextLabelsRow, RankUnlabelled),
    AnalysisKind(ModelImportRow, ImportModel),
)
