"""All SQL about what is served. It only reads."""

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.tables.deployments import DeploymentRow
from app.tables.models import ModelRow


def is_known(session: Session, project: str, name: str) -> bool:
    """Tells whether the project has a deployment of that name."""
    of_name = exists().where(DeploymentRow.project == project, DeploymentRow.name == name)
    return bool(session.scalar(select(of_name)))


def get(session: Session, project: str, name: str) -> DeploymentRow:
    """Raises NotFound."""
    of_name = (DeploymentRow.project == project) & (DeploymentRow.name == name)
    row = session.scalar(select(DeploymentRow).where(of_name))
    if row is None:
        raise NotFound("deployment_not_found", "expected a deployment, got an unknown name")
    return row


def all_with_models(session: Session) -> list[Row[DeploymentRow, ModelRow]]:
    """Every project's: what a process serves."""
    statement = select(DeploymentRow, ModelRow).join(
        ModelRow, ModelRow.id == DeploymentRow.model_id
    )
    return list(session.execute(statement))
