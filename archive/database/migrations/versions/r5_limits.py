"""Quarters of an hour have limits as they came, one-sided ones too, and sums of differences from the lower limit.

All of them are summed again: those of ten million results take a minute or two.
"""

from alembic import op
from sqlalchemy import delete, insert

from toolcart.archive.database import rollups
from toolcart.archive.database import tables as t

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Sum all results again; where the first step has just made the tables there are none."""
    connection = op.get_bind()
    connection.execute(delete(t.QUARTER))
    connection.execute(insert(t.QUARTER).from_select((*rollups.KEY, *rollups.MEASURES), rollups.summed()))


def downgrade() -> None:
    """An older version would take these sums for differences from the middle between the limits."""
    raise NotImplementedError("an older version would read these sums wrongly")
