"""What a trial is expected to take, for progress and the time left."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_planned_seconds"
down_revision = "2026_11_24_strategies"


def upgrade() -> None:
    planned = sa.Column("planned_seconds", sa.Double(), nullable=False, server_default="0")
    op.add_column("trials", planned)


def downgrade() -> None:
    op.drop_column("trials", "planned_seconds")
