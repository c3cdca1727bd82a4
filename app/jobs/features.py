"""Events of a job about features that a frozen encoder gives."""

from typing import Any

from sqlalchemy.orm import Session

from app import leases
from app.jobs import events
from app.jobs.lifecycle import lock_of
from app.tables.jobs import TrialRow


def tell_features(session: Session, trial: TrialRow, told: dict[str, Any]) -> None:
    """Says how far the features of texts or pictures are that a trial needs. Attempts are counted
    anew from here: what gets on may lose its worker any number of times. Raises Fenced."""
    job = lock_of(session, trial)
    leases.write(session, TrialRow, trial.id, trial.token or "", attempt=1)
    events.record(session, job, ("features", {"trial": trial.id, "arm": trial.arm, **told}))
