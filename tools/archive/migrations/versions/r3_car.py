"""Every car's number once, also reversed: a search by the end of a VIN is a range of an index."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "Car",
        sa.Column("VIN", sa.String(length=25), nullable=False),
        sa.Column("Backwards", sa.String(length=25), nullable=False),
        sa.PrimaryKeyConstraint("VIN"),
    )
    octets = {"VIN": "varchar_pattern_ops", "Backwards": "varchar_pattern_ops"}
    if op.get_bind().dialect.name == "sqlite":
        driver = op.get_bind().connection.driver_connection
        assert driver is not None
        driver.create_function("reverse", 1, lambda text: text[::-1])
    op.execute(
        """INSERT INTO "Car" ("VIN", "Backwards") SELECT "VIN", reverse("VIN")
        FROM (SELECT "VIN" FROM "Result" UNION SELECT "VIN" FROM "ResultVIN") AS numbers WHERE "VIN" <> ''"""
    )
    op.create_index("CarByVIN", "Car", ["VIN"], postgresql_ops=octets)
    op.create_index("CarByEnd", "Car", ["Backwards"], postgresql_ops=octets)


def downgrade() -> None:
    op.drop_table("Car")
