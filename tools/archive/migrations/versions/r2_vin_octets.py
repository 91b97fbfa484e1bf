"""On PostgreSQL the VINs' indexes sort by bytes, so that they find the beginning of a VIN."""

from alembic import op

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None

_INDEXES = (("ResultByVIN", "Result"), ("ResultVINByVIN", "ResultVIN"))


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, table in _INDEXES:
            op.drop_index(name, table)
            op.create_index(name, table, ["VIN"], postgresql_ops={"VIN": "varchar_pattern_ops"})


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, table in _INDEXES:
            op.drop_index(name, table)
            op.create_index(name, table, ["VIN"])
