"""Searches and scorings: trials that find something out for others."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_strategies"
down_revision = "2026_11_24_evidence"


def upgrade() -> None:
    kind = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("trials", sa.Column("outcome", kind, nullable=True))


def downgrade() -> None:
    op.drop_column("trials", "outcome")
