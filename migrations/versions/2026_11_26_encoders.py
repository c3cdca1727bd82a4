"""Frozen encoders and the features that they gave."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_26_encoders"
down_revision = "2026_11_26_next_labels"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "encoders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encoders")),
        sa.UniqueConstraint("name", "revision", name=op.f("uq_encoders_name_revision")),
    )
    op.create_table(
        "feature_chunks",
        sa.Column("encoder_id", sa.String(), nullable=False),
        sa.Column("array", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("claimed_until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("encoder_id", "array", "number", name=op.f("pk_feature_chunks")),
    )
    op.create_index("ix_feature_chunks_array", "feature_chunks", ["array"])


def downgrade() -> None:
    op.drop_table("feature_chunks")
    op.drop_table("encoders")
