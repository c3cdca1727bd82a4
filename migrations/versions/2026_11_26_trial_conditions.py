"""What a trial was computed by: device, precision, loops."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_26_trial_conditions"
down_revision = "2026_11_26_installation"


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("trials", sa.Column("conditions", json, nullable=True))


def downgrade() -> None:
    op.drop_column("trials", "conditions")
