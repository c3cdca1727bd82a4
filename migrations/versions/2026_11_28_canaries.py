"""Models that answer a share of a deployment's requests."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_canaries"
down_revision = "2026_11_28_traffic"


def upgrade() -> None:
    op.create_table(
        "canaries",
        sa.Column("deployment_id", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.id"],
            name=op.f("fk_canaries_deployment_id_deployments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_canaries_model_id_models")
        ),
        sa.PrimaryKeyConstraint("deployment_id", name=op.f("pk_canaries")),
    )


def downgrade() -> None:
    op.drop_table("canaries")
