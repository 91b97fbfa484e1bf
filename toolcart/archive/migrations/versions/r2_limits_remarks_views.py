"""Control limits, remarks, and views that other programs read."""

from alembic import op
from sqlalchemy import inspect

from toolcart.archive import views
from toolcart.archive.tables import CONTROL_LIMITS, QUARTER, REMARK

revision = "2a"
down_revision = "1a"


def upgrade() -> None:
    """Make what the first step of this version has not made, and the views."""
    connection = op.get_bind()
    for table in (CONTROL_LIMITS, REMARK):
        table.create(connection, checkfirst=True)
    known = {index["name"] for index in inspect(connection).get_indexes(QUARTER.name)}
    for index in QUARTER.indexes:
        if index.name not in known:
            index.create(connection)
    views.make(connection)


def downgrade() -> None:
    """An older version does not know these tables, so it cannot write them."""
    raise NotImplementedError("an older version cannot go on with this archive")
