"""The first tables.

Until a version is released this step makes them as toolcart.archive.database.tables has them. With the first release
they are written out here: a later step changes what this one has made.
"""

from alembic import op

from toolcart.archive.database import tables
from toolcart.archive.database.tables import TABLES

revision = "3a"
down_revision = None


def upgrade() -> None:
    """Make all tables and views."""
    TABLES.create_all(op.get_bind(), checkfirst=False)
    tables.make_views(op.get_bind())


def downgrade() -> None:
    """There is nothing in front of the first tables."""
    raise NotImplementedError("there is nothing in front of the first tables")
