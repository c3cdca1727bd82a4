"""All SQL about what is served. It only reads."""

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session, defer

from app.tables.deployments import CanaryRow, DeploymentRow
from app.tables.models import ModelRow

# All that is served is looked at every second, and a card may be large.
WITHOUT_CARD = defer(ModelRow.card, raiseload=True)


def is_known(session: Session, project: str, name: str) -> bool:
    """Tells whether the project has a deployment of that name."""
    of_name = exists().where(DeploymentRow.project == project, DeploymentRow.name == name)
    return bool(session.scalar(select(of_name)))


def find(session: Session, project: str, name: str) -> DeploymentRow | None:
    of_name = (DeploymentRow.project == project) & (DeploymentRow.name == name)
    return session.scalar(select(DeploymentRow).where(of_name))


def all_canaries(session: Session) -> dict[str, tuple[int, ModelRow]]:
    """Every project's, by the deployments' ids: in how many of 100 requests which model is
    asked."""
    statement = select(CanaryRow, ModelRow).join(ModelRow, ModelRow.id == CanaryRow.model_id)
    statement = statement.options(WITHOUT_CARD)
    return {row.deployment_id: (row.percent, model) for row, model in session.execute(statement)}


def all_with_models(session: Session) -> list[Row[DeploymentRow, ModelRow]]:
    """Every project's: what a process serves."""
    statement = select(DeploymentRow, ModelRow).join(
        ModelRow, ModelRow.id == DeploymentRow.model_id
    )
    return list(session.execute(statement.options(WITHOUT_CARD)))
