"""Times of views have an index, and so have tools; a station is watched only once it has reported for a while.

What alerts were sent for before, is watched on. The indexes of ten million results take a few minutes.
"""

from alembic import op
from sqlalchemy import inspect
from sqlalchemy.schema import CreateIndex

from toolcart.archive.database import tables as t

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the column and the indexes, unless the first step has just made the tables with them."""
    connection = op.get_bind()
    if "Watched" in {column["name"] for column in inspect(connection).get_columns("TNMapStation")}:
        return
    connection.exec_driver_sql('ALTER TABLE "TNMapStation" ADD COLUMN "Watched" INTEGER DEFAULT 1 NOT NULL')
    connection.exec_driver_sql('DROP INDEX "ResultByVIN"')  # it has more columns now
    for table in (t.RESULT, t.QUARTER, t.EVENT, t.GRAPH):
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))


def downgrade() -> None:
    """An older version needs none of it, and would not keep it."""
    raise NotImplementedError("an older version does not know which stations are watched")
