"""Models that were trained elsewhere, and what is read of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_26_model_imports"
down_revision = "2026_11_26_encoders"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("models", sa.Column("origin", sa.String(), nullable=False, server_default="job"))
    op.create_table(
        "model_imports",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("spec", JSON, nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("result", JSON, nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.Double(), nullable=True),
        sa.Column("publish_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_model_imports_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_imports")),
        sa.UniqueConstraint("model_id", name=op.f("uq_model_imports_model_id")),
    )
    op.create_index("ix_model_imports_status", "model_imports", ["status"])


def downgrade() -> None:
    op.drop_table("model_imports")
    op.drop_column("models", "origin")
