"""How far each MQTT outlet's batches are stored."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "Consumed",
        sa.Column("Topic", sa.String(500), primary_key=True),
        sa.Column("Identity", sa.String(8), primary_key=True),
        sa.Column("Number", sa.BigInteger(), nullable=False),
        sa.Column("Base", sa.BigInteger(), nullable=False),
        sa.Column("Sequence", sa.Integer(), nullable=False),
        sa.Column("SystemType", sa.Integer(), nullable=False),
        sa.Column("System", sa.Integer(), nullable=False),
        sa.Column("Station", sa.Integer(), nullable=False),
        sa.Column("Arrived", sa.String(14), nullable=False),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("Consumed")
