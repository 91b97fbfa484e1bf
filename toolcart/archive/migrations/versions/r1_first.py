"""The first tables. Later revisions change what this one made; this file stays as it is once a version has it.

On PostgreSQL the indexes of VINs sort by bytes, so that they find the beginning of a VIN; `Car` has each VIN once, also
reversed, so that its end is found by an index too.
"""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None

_BYTES = {"VIN": "varchar_pattern_ops", "Backwards": "varchar_pattern_ops"}


def upgrade() -> None:
    op.create_table(
        "Breach",
        sa.Column("BreachId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("Arrived", sa.String(length=14), nullable=False),
        sa.Column("Peer", sa.String(length=60), nullable=False),
        sa.Column("Telegram", sa.String(length=2), nullable=False),
        sa.Column("Field", sa.String(length=60), nullable=False),
        sa.Column("Position", sa.Integer(), nullable=True),
        sa.Column("Found", sa.Text(), nullable=False),
        sa.Column("Allowed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("BreachId"),
    )
    op.create_table(
        "Event",
        sa.Column("EventId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("SystemType", sa.Integer(), nullable=False),
        sa.Column("System", sa.Integer(), nullable=False),
        sa.Column("Station", sa.Integer(), nullable=False),
        sa.Column("Sequence", sa.Integer(), nullable=False),
        sa.Column("Time", sa.String(length=14), nullable=False),
        sa.Column("Arrived", sa.String(length=14), nullable=False),
        sa.Column("Code", sa.Integer(), nullable=False),
        sa.Column("Level", sa.Integer(), nullable=False),
        sa.Column("Arrivals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("EventId"),
        sa.UniqueConstraint("SystemType", "System", "Station", "Sequence", "Time", name="EventOnce"),
    )
    op.create_index("EventByTime", "Event", ["SystemType", "System", "Station", "Time"], unique=False)
    op.create_table(
        "Graph",
        sa.Column("GraphId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("SystemType", sa.Integer(), nullable=False),
        sa.Column("System", sa.Integer(), nullable=False),
        sa.Column("Station", sa.Integer(), nullable=False),
        sa.Column("Spindle", sa.Integer(), nullable=False),
        sa.Column("Program", sa.Integer(), nullable=False),
        sa.Column("Sequence", sa.Integer(), nullable=False),
        sa.Column("Time", sa.String(length=14), nullable=False),
        sa.Column("Arrived", sa.String(length=14), nullable=False),
        sa.Column("GraphType", sa.Integer(), nullable=False),
        sa.Column("BitShift", sa.Integer(), nullable=False),
        sa.Column("FactorDom", sa.BigInteger(), nullable=False),
        sa.Column("FactorNom", sa.BigInteger(), nullable=False),
        sa.Column("LimitMin", sa.Float(), nullable=True),
        sa.Column("LimitMax", sa.Float(), nullable=True),
        sa.Column("AngleOffset", sa.Float(), nullable=True),
        sa.Column("SampleMs", sa.Float(), nullable=False),
        sa.Column("Samples", sa.LargeBinary(), nullable=False),
        sa.Column("Arrivals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("GraphId"),
        sa.UniqueConstraint(
            "SystemType", "System", "Station", "Sequence", "Time", "Spindle", "GraphType", name="GraphOnce"
        ),
    )
    op.create_table(
        "Result",
        sa.Column(
            "ResultId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("SystemType", sa.Integer(), nullable=False),
        sa.Column("System", sa.Integer(), nullable=False),
        sa.Column("Station", sa.Integer(), nullable=False),
        sa.Column("Sequence", sa.Integer(), nullable=False),
        sa.Column("Time", sa.String(length=14), nullable=False),
        sa.Column("Arrived", sa.String(length=14), nullable=False),
        sa.Column("VIN", sa.String(length=25), nullable=False),
        sa.Column("Spindle", sa.Integer(), nullable=False),
        sa.Column("SpindleSerial", sa.String(length=10), nullable=False),
        sa.Column("Program", sa.Integer(), nullable=False),
        sa.Column("Overall", sa.Integer(), nullable=False),
        sa.Column("TorqueLow", sa.Float(), nullable=True),
        sa.Column("Torque", sa.Float(), nullable=True),
        sa.Column("TorqueHigh", sa.Float(), nullable=True),
        sa.Column("TorqueStatus", sa.Integer(), nullable=True),
        sa.Column("AngleLow", sa.Float(), nullable=True),
        sa.Column("Angle", sa.Float(), nullable=True),
        sa.Column("AngleHigh", sa.Float(), nullable=True),
        sa.Column("AngleStatus", sa.Integer(), nullable=True),
        sa.Column("TimeStatus", sa.Integer(), nullable=True),
        sa.Column("TighteningId", sa.BigInteger(), nullable=True),
        sa.Column("Arrivals", sa.Integer(), nullable=False),
        sa.Column("Behind", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ResultId"),
        sa.UniqueConstraint("SystemType", "System", "Station", "Sequence", "Time", "Spindle", name="ResultOnce"),
    )
    op.create_index("ResultByTighteningId", "Result", ["TighteningId"], unique=False)
    op.create_index("ResultByTime", "Result", ["SystemType", "System", "Station", "Time"], unique=False)
    op.create_index("ResultByVIN", "Result", ["VIN"], postgresql_ops=_BYTES)
    op.create_index("ResultByMoment", "Result", ["Time"])
    op.create_index("ResultByProgram", "Result", ["Program", "Time"])
    op.create_index("ResultNOK", "Result", ["Overall", "Time"], unique=False)
    op.create_table(
        "TNMapProgram",
        sa.Column("SystemType", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("System", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Station", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Spindle", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Program", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Name", sa.String(length=25), nullable=False),
        sa.PrimaryKeyConstraint("SystemType", "System", "Station", "Spindle", "Program"),
    )
    op.create_table(
        "TNMapSpindle",
        sa.Column("SystemType", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("System", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Station", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Spindle", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Name", sa.String(length=25), nullable=False),
        sa.PrimaryKeyConstraint("SystemType", "System", "Station", "Spindle"),
    )
    op.create_table(
        "TNMapStation",
        sa.Column("SystemType", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("System", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Station", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Name", sa.String(length=25), nullable=False),
        sa.Column("IP", sa.String(length=15), nullable=False),
        sa.Column("Heard", sa.String(length=14), nullable=False),
        sa.Column("Result", sa.Integer(), nullable=False),
        sa.Column("Event", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("SystemType", "System", "Station"),
    )
    op.create_table(
        "TNMapSystem",
        sa.Column("SystemType", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("System", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Name", sa.String(length=25), nullable=False),
        sa.Column("IP", sa.String(length=15), nullable=False),
        sa.PrimaryKeyConstraint("SystemType", "System"),
    )
    op.create_table(
        "TNMapSystemType",
        sa.Column("SystemType", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("Name", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("SystemType"),
    )
    op.create_table(
        "EventParameter",
        sa.Column("EventId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ParameterId", sa.Integer(), nullable=False),
        sa.Column("Type", sa.Integer(), nullable=False),
        sa.Column("Value", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["EventId"],
            ["Event.EventId"],
        ),
    )
    op.create_index("ParameterByEvent", "EventParameter", ["EventId"], unique=False)
    op.create_table(
        "ResultParameter",
        sa.Column("ResultId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("Spindle", sa.Integer(), nullable=False),
        sa.Column("Program", sa.Integer(), nullable=False),
        sa.Column("ParameterId", sa.Integer(), nullable=False),
        sa.Column("Name", sa.String(length=25), nullable=False),
        sa.Column("Value", sa.String(length=25), nullable=False),
        sa.Column("Type", sa.Integer(), nullable=False),
        sa.Column("Unit", sa.String(length=6), nullable=False),
        sa.Column("Step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ResultId"],
            ["Result.ResultId"],
        ),
    )
    op.create_index("ParameterByResult", "ResultParameter", ["ResultId"], unique=False)
    op.create_table(
        "ResultVIN",
        sa.Column("ResultId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("Identifier", sa.Integer(), nullable=False),
        sa.Column("VIN", sa.String(length=25), nullable=False),
        sa.ForeignKeyConstraint(
            ["ResultId"],
            ["Result.ResultId"],
        ),
        sa.PrimaryKeyConstraint("ResultId", "Identifier"),
    )
    op.create_index("ResultVINByVIN", "ResultVIN", ["VIN"], postgresql_ops=_BYTES)
    op.create_table(
        "Car",
        sa.Column("VIN", sa.String(length=25), nullable=False),
        sa.Column("Backwards", sa.String(length=25), nullable=False),
        sa.PrimaryKeyConstraint("VIN"),
    )
    op.create_index("CarByVIN", "Car", ["VIN"], postgresql_ops=_BYTES)
    op.create_index("CarByEnd", "Car", ["Backwards"], postgresql_ops=_BYTES)
    op.create_table(
        "Server",
        sa.Column("Host", sa.String(15), primary_key=True),
        sa.Column("Port", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("Weight", sa.Integer(), nullable=False),
        sa.Column("Seen", sa.Float(), nullable=False),
        sa.Column("Draining", sa.Integer(), nullable=False),
    )
    op.create_table(
        "Audit",
        sa.Column("AuditId", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("Arrived", sa.String(14), nullable=False),
        sa.Column("Who", sa.String(100), nullable=False),
        sa.Column("What", sa.Text(), nullable=False),
    )
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
    )


def downgrade() -> None:
    raise NotImplementedError("there is nothing in front of the first tables")
