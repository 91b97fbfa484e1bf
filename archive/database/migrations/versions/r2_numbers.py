"""A result keeps the number of the batch's line that brought it, beside the sequence of its telegram.

What an older version stored has the number 0: which way it came is not known any more. Nothing is rewritten.
"""

from alembic import op
from sqlalchemy import inspect

revision = "4"
down_revision = "3a"


def upgrade() -> None:
    """Add the column, unless the step before has just made the table with it."""
    connection = op.get_bind()
    if "Number" in {column["name"] for column in inspect(connection).get_columns("Result")}:
        return
    connection.exec_driver_sql('ALTER TABLE "Result" ADD COLUMN "Number" BIGINT DEFAULT 0')
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql('ALTER TABLE "Consumed" ALTER COLUMN "Sequence" TYPE BIGINT')


def downgrade() -> None:
    """An older version would take the sequences of results that came in batches for ToolsNet's."""
    raise NotImplementedError("an older version cannot read these sequences")
