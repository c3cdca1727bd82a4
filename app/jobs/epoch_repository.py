"""All reading SQL about the metrics of epochs."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.spec.epoch_metrics import Epoch, EpochMetrics
from app.spec.plan import PRETRAIN
from app.tables.jobs import EpochRow, TrialRow


def count(session: Session, trial_ids: Sequence[str]) -> dict[str, int]:
    """Rows of metrics by trial, where there are any."""
    statement = select(EpochRow.trial_id, func.count()).where(EpochRow.trial_id.in_(trial_ids))
    return dict(session.execute(statement.group_by(EpochRow.trial_id)).all())


def of_trials(
    session: Session, trial_ids: Sequence[str], since: datetime | None = None
) -> dict[str, list[Epoch]]:
    """Epochs by trial, in the order in which they were trained; as plain values, of which a job may
    have thousands."""
    statement = (
        select(EpochRow.trial_id, EpochRow.phase, EpochRow.epoch, EpochRow.split, EpochRow.values)
        .where(EpochRow.trial_id.in_(trial_ids))
        .order_by(EpochRow.phase_index, EpochRow.epoch, EpochRow.split)
    )
    if since is not None:
        statement = statement.where(EpochRow.recorded_at > since)
    found: dict[str, list[Epoch]] = defaultdict(list)
    for trial_id, phase, epoch, split, values in session.execute(statement):
        place = {"phase": phase, "epoch": epoch, "split": split}
        found[trial_id].append(cast("Epoch", place | values))
    return found


def count_by_phase(session: Session, job_id: str) -> dict[str, dict[str, int]]:
    """Epochs trained in each phase, by trial."""
    statement = (
        select(EpochRow.trial_id, EpochRow.phase, func.count())
        .join(TrialRow, TrialRow.id == EpochRow.trial_id)
        .where(TrialRow.job_id == job_id, EpochRow.split == "train")
        .group_by(EpochRow.trial_id, EpochRow.phase)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for trial_id, phase, epochs in session.execute(statement):
        found[trial_id][phase] = epochs
    return found


def first_validations(session: Session, job_id: str) -> dict[str, EpochMetrics]:
    """The metrics on validation after a trial's first epoch on the target's labels, by trial: a
    phase that learns from the source alone knows nothing of them yet."""
    statement = (
        select(EpochRow.trial_id, EpochRow.values)
        .join(TrialRow, TrialRow.id == EpochRow.trial_id)
        .where(
            TrialRow.job_id == job_id,
            EpochRow.phase != PRETRAIN,
            EpochRow.epoch == 1,
            EpochRow.split == "validation",
        )
        .order_by(EpochRow.phase_index.desc())  # of several phases the first one stays
    )
    return dict(session.execute(statement).all())
