"""Which of a model's stored files is damaged or gone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_26_damaged_models"
down_revision = "2026_11_26_trial_conditions"


def upgrade() -> None:
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("models", sa.Column("error", json, nullable=True))


def downgrade() -> None:
    op.drop_column("models", "error")
