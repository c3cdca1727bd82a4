"""What alembic runs: on the connection of app.migrate, or on its own for who writes a migration."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, Connection

from app.database import Database, UtcDateTime
from app.settings import Settings
from app.tables import Base


def written_out(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """A migration stands alone: it names SQLAlchemy's types, not ours."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=written_out,
        render_as_batch=True,  # SQLite changes a table by copying it
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with Database(Settings().database).engine.begin() as own:
        migrate(own)
