"""The seconds that a job may train for (`budget_seconds`), summed over its trials."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.errors import FailureCode, WorkFailure
from app.jobs import repository
from app.tables.jobs import JobRow

STOPPED = "budget"  # jobs.stop_reason


@dataclass(frozen=True)
class TimeBudget:
    """Seconds of training: what a job may spend, and what its trials have spent."""

    budget: float
    spent: float

    def overdrawn(self, more: float = 0.0) -> WorkFailure | None:
        """Returns what trials fail with once the seconds are spent; `more` are not yet in the
        account."""
        spent = self.spent + more
        if spent < self.budget:
            return None
        return WorkFailure(
            FailureCode.BUDGET,
            f"expected at most {self.budget:g} s of training in the job's trials, got {spent:.1f}",
            stage="training",
            pointer="#/budget_seconds",
        )


def overdrawn(session: Session, job: JobRow) -> WorkFailure | None:
    budget: float | None = job.spec.get("budget_seconds")
    if budget is None:
        return None
    return TimeBudget(budget, repository.seconds_spent(session, job.id)).overdrawn()
