"""Indexes of results by time and by program, for all stations together."""

from alembic import op

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ResultByMoment", "Result", ["Time"], if_not_exists=True)
    op.create_index("ResultByProgram", "Result", ["Program", "Time"], if_not_exists=True)


def downgrade() -> None:
    op.drop_index("ResultByProgram", "Result")
    op.drop_index("ResultByMoment", "Result")
