"""By which model's features an audit compares items."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_audit_features"
down_revision = "2026_11_26_model_imports"


def upgrade() -> None:
    op.add_column("audits", sa.Column("model_id", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("audits", "model_id")
