"""The evidence: pretrainings found again by their content, jobs that end for a reason."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_24_evidence"
down_revision = "2026_11_24_spine"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("stop_reason", sa.String(), nullable=True))
    op.add_column("trials", sa.Column("content_key", sa.String(), nullable=True))
    op.add_column("trials", sa.Column("reused_from", sa.String(), nullable=True))
    op.create_index("ix_trials_content_key", "trials", ["content_key"])


def downgrade() -> None:
    op.drop_index("ix_trials_content_key", "trials")
    op.drop_column("trials", "reused_from")
    op.drop_column("trials", "content_key")
    op.drop_column("jobs", "stop_reason")
