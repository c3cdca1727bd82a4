"""What a user should know of a table before training on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.datasets.schemas import Schema
from worker.intake.splits import Rows
from worker.intake.tables.features import Feature
from worker.intake.tables.records import Records
from worker.intake.tables.splitting import Cut
from worker.intake.tables.target import Labels
from worker.intake.targets.contract import Stored, Target
from worker.intake.targets.deciding import Decision


@dataclass(frozen=True)
class TableFindings:
    """What the intake did with the table."""

    features: Sequence[Feature]
    labels: Labels
    cut: Cut
    decision: Decision
    target: Target
    rows: Mapping[str, Rows]


def profile(
    schema: Schema,
    records: Records,
    y: Mapping[str, Stored],
    arrays: Mapping[str, Path],
    findings: TableFindings,
) -> dict[str, Any]:
    return {"warnings": []}
