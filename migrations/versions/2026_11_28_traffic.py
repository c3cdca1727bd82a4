"""What deployments are asked, counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_28_traffic"
down_revision = "2026_11_27_audit_features"


def upgrade() -> None:
    counts = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "traffic",
        sa.Column("deployment_id", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("counts", counts, nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.id"],
            name=op.f("fk_traffic_deployment_id_deployments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "model_id", "process", "seconds", "begins_at", name=op.f("pk_traffic")
        ),
    )
    op.create_index(op.f("ix_traffic_expires_at"), "traffic", ["expires_at"])


def downgrade() -> None:
    op.drop_table("traffic")
