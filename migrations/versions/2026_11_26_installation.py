"""The database's own name, by which a store knows whose files it holds; and uploads that were kept
beside the arrays that became of them are named no more, so that a sweep frees them."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_installation"
down_revision = "2026_11_26_planned_seconds"


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_installation"),
    )
    op.execute("UPDATE datasets SET files = '[]' WHERE status = 'ready' AND origin = 'upload'")


def downgrade() -> None:
    op.drop_table("installation")
