"""What commands have changed."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "Audit",
        sa.Column("AuditId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("Arrived", sa.String(14), nullable=False),
        sa.Column("Who", sa.String(100), nullable=False),
        sa.Column("What", sa.Text(), nullable=False),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("Audit")
