"""The servers that share one database, as they report themselves."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "Server",
        sa.Column("Host", sa.String(15), primary_key=True),
        sa.Column("Port", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("Weight", sa.Integer(), nullable=False),
        sa.Column("Seen", sa.Float(), nullable=False),
        sa.Column("Draining", sa.Integer(), nullable=False),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("Server")
