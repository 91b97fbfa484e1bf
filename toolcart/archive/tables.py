"""The archive's tables: the document's map (004 section 6), results, events, graphs, breaches.

Rules
1. The map's tables have the document's names; the other tables' names and all columns are our own.
2. A time from a station is kept as it came, 14 digits `yyyymmddhhnnss` in the station's zone (004:128). `Arrived` is
   the archive's own, in the same form in UTC.
3. One row of Result is one spindle. Sequence and time identify a station's result (004:301); repeats of both are
   counted in `Arrivals` and stored once.
4. Torque is in Nm, angle in degrees, as in the telegram (004:147-153). Statuses are the telegram's too: 0 is OK.
5. A number is finite and below REAL_MOST, or unknown: the database takes no other, and one that got in otherwise, as by
   a damaged disk, is read as unknown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)

TABLES = MetaData()
RESULT_KEY = ("SystemType", "System", "Station", "Sequence", "Time")  # what identifies a result or an event (004:301)
GRAPH_KEY = (*RESULT_KEY, "Spindle", "GraphType")
_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number is an INTEGER of 64 bits

REAL_MOST = 1e9  # the telegram's numbers have 8 characters at most (004:147-153)
SHIFT_MOST = 62  # two to that power is exact, and far beyond any scale
FACTOR_MOST = 9999999999  # 004:302


class Real(TypeDecorator[float]):
    """A number as a reader gets it: finite, or None."""

    impl = Float
    cache_ok = True

    def process_result_value(self, value: Any, dialect: object) -> float | None:
        """Return the number, None if it is none."""
        return value if isinstance(value, float | int) and math.fabs(value) <= REAL_MOST else None


def _within(most: float, *names: str) -> list[CheckConstraint]:
    """Return the rule that these columns are unknown or at most this, for each of them."""
    return [CheckConstraint(f'"{name}" BETWEEN {-most:.0f} AND {most:.0f}', name=f"{name}Fits") for name in names]


_OCTETS = {"VIN": "varchar_pattern_ops"}  # a beginning is searched by bytes, whatever language PostgreSQL sorts by


def _place() -> list[Column]:
    """Return the columns that name a station, new ones for each table."""
    return [Column(name, Integer, nullable=False) for name in ("SystemType", "System", "Station")]


SYSTEM_TYPE = Table(
    "TNMapSystemType",
    TABLES,
    Column("SystemType", Integer, primary_key=True, autoincrement=False),
    Column("Name", String(40), nullable=False),
)
SYSTEM = Table(
    "TNMapSystem",
    TABLES,
    Column("SystemType", Integer, primary_key=True, autoincrement=False),
    Column("System", Integer, primary_key=True, autoincrement=False),
    Column("Name", String(25), nullable=False),
    Column("IP", String(15), nullable=False, default=""),
)
STATION = Table(
    "TNMapStation",
    TABLES,
    Column("SystemType", Integer, primary_key=True, autoincrement=False),
    Column("System", Integer, primary_key=True, autoincrement=False),
    Column("Station", Integer, primary_key=True, autoincrement=False),
    Column("Name", String(25), nullable=False),
    Column("IP", String(15), nullable=False, default=""),
    Column("Heard", String(14), nullable=False, default=""),  # time of the newest telegram of any kind; UTC
    Column("Result", Integer, nullable=False, default=0),  # sequence of the latest stored: what an 08 says
    Column("Event", Integer, nullable=False, default=0),
)
SPINDLE = Table(
    "TNMapSpindle",
    TABLES,
    Column("SystemType", Integer, primary_key=True, autoincrement=False),
    Column("System", Integer, primary_key=True, autoincrement=False),
    Column("Station", Integer, primary_key=True, autoincrement=False),
    Column("Spindle", Integer, primary_key=True, autoincrement=False),
    Column("Name", String(25), nullable=False),
)
PROGRAM = Table(
    "TNMapProgram",
    TABLES,
    Column("SystemType", Integer, primary_key=True, autoincrement=False),
    Column("System", Integer, primary_key=True, autoincrement=False),
    Column("Station", Integer, primary_key=True, autoincrement=False),
    Column("Spindle", Integer, primary_key=True, autoincrement=False),
    Column("Program", Integer, primary_key=True, autoincrement=False),
    Column("Name", String(25), nullable=False),
)

RESULT = Table(
    "Result",
    TABLES,
    Column("ResultId", _BIG, primary_key=True, autoincrement=False),
    *_place(),
    Column("Sequence", Integer, nullable=False),
    Column("Time", String(14), nullable=False),
    Column("Arrived", String(14), nullable=False),
    Column("VIN", String(25), nullable=False),
    Column("Spindle", Integer, nullable=False),
    Column("SpindleSerial", String(10), nullable=False),
    Column("Program", Integer, nullable=False),
    Column("Overall", Integer, nullable=False),
    Column("TorqueLow", Real),
    Column("Torque", Real),
    Column("TorqueHigh", Real),
    Column("TorqueStatus", Integer),
    Column("AngleLow", Real),
    Column("Angle", Real),
    Column("AngleHigh", Real),
    Column("AngleStatus", Integer),
    Column("TimeStatus", Integer),
    Column("TighteningId", BigInteger),
    Column("Arrivals", Integer, nullable=False, default=1),
    Column("Behind", Integer, nullable=False, default=0),  # 1: its sequence is behind that of the previous arrival
    # In this order it is the index of a station's times as well: each index costs every result a page of the WAL.
    UniqueConstraint("SystemType", "System", "Station", "Time", "Sequence", "Spindle", name="ResultOnce"),
    *_within(REAL_MOST, "TorqueLow", "Torque", "TorqueHigh", "AngleLow", "Angle", "AngleHigh"),
    Index("ResultByVIN", "VIN", "SystemType", "System", "Station", "Program", postgresql_ops=_OCTETS),
    Index("ResultByTighteningId", "TighteningId"),
    # An index of what is not OK has few rows. A query names the 1 as text, or the database cannot know that it fits.
    Index("ResultNOK", "Time", sqlite_where=text('"Overall" = 1'), postgresql_where=text('"Overall" = 1')),
    Index(
        "ResultNOKOf",
        *("SystemType", "System", "Station", "Time"),
        *("Program", "Spindle", "SpindleSerial", "TorqueStatus", "AngleStatus", "TimeStatus", "Overall"),
        sqlite_where=text('"Overall" = 1'),
        postgresql_where=text('"Overall" = 1'),
    ),
    Index("ResultByMoment", "Time"),  # without a station
    Index("ResultByProgram", "Program", "Time"),
)
IS_NOK = RESULT.c.Overall == literal_column("1")
QUARTER = Table(  # results in sums (toolcart.archive.quarters)
    "Quarter",
    TABLES,
    *[
        Column(name, Integer, primary_key=True, autoincrement=False)
        for name in ("SystemType", "System", "Station", "Program", "Spindle")
    ],
    Column("Slot", String(12), primary_key=True),  # its begin
    Column("Tool", String(10), primary_key=True),
    *[Column(name, Float, primary_key=True) for name in ("TorqueLow", "TorqueHigh", "AngleLow", "AngleHigh")],
    Column("Good", Integer, nullable=False),  # results that are OK
    Column("Bad", Integer, nullable=False),
    *[
        Column(f"{verdict}{quantity}{measure}", kind, nullable=measure in ("Least", "Most"))
        for quantity in ("Torque", "Angle")
        for verdict in ("Good", "Bad")
        for measure, kind in (("Count", Integer), ("Sum", Float), ("Squares", Float), ("Least", Float), ("Most", Float))
    ],
    Index(
        "QuarterBySlot", "Slot", "Good", "Bad"
    ),  # rates of any station read nothing else; a commit writes a page more
    sqlite_with_rowid=False,
)
RESULT_VIN = Table(
    "ResultVIN",
    TABLES,
    Column("ResultId", _BIG, ForeignKey("Result.ResultId"), primary_key=True),
    Column("Identifier", Integer, primary_key=True),
    Column("VIN", String(25), nullable=False),
    Index("ResultVINByVIN", "VIN", postgresql_ops=_OCTETS),
)
CAR = Table(
    "Car",
    TABLES,
    Column("VIN", String(25), primary_key=True),  # main or additional, not blank
    Column("Backwards", String(25), nullable=False),
    Index("CarByVIN", "VIN", postgresql_ops=_OCTETS).ddl_if(dialect="postgresql"),  # SQLite's key is in this order
    Index("CarByEnd", "Backwards", postgresql_ops={"Backwards": "varchar_pattern_ops"}),
    sqlite_with_rowid=False,
)
RESULT_PARAMETER = Table(
    "ResultParameter",
    TABLES,
    Column("ResultId", _BIG, ForeignKey("Result.ResultId"), primary_key=True),
    Column("Number", Integer, primary_key=True),  # its place in the telegram
    Column("Spindle", Integer, nullable=False),
    Column("Program", Integer, nullable=False),
    Column("ParameterId", Integer, nullable=False),
    Column("Name", String(25), nullable=False),
    Column("Value", String(25), nullable=False),
    Column("Type", Integer, nullable=False),
    Column("Unit", String(6), nullable=False),
    Column("Step", Integer, nullable=False),
    sqlite_with_rowid=False,
)
EVENT = Table(
    "Event",
    TABLES,
    Column("EventId", _BIG, primary_key=True, autoincrement=False),
    *_place(),
    Column("Sequence", Integer, nullable=False),
    Column("Time", String(14), nullable=False),
    Column("Arrived", String(14), nullable=False),
    Column("Code", Integer, nullable=False),
    Column("Level", Integer, nullable=False),
    Column("Arrivals", Integer, nullable=False, default=1),
    UniqueConstraint("SystemType", "System", "Station", "Time", "Sequence", name="EventOnce"),
)
EVENT_PARAMETER = Table(
    "EventParameter",
    TABLES,
    Column("EventId", _BIG, ForeignKey("Event.EventId"), nullable=False),
    Column("ParameterId", Integer, nullable=False),
    Column("Type", Integer, nullable=False),
    Column("Value", String(20), nullable=False),
    Index("ParameterByEvent", "EventId"),
)
GRAPH = Table(
    "Graph",
    TABLES,
    Column("GraphId", _BIG, primary_key=True, autoincrement=False),
    *_place(),
    Column("Spindle", Integer, nullable=False),
    Column("Program", Integer, nullable=False),
    Column("Sequence", Integer, nullable=False),
    Column("Time", String(14), nullable=False),
    Column("Arrived", String(14), nullable=False),
    Column("GraphType", Integer, nullable=False),  # 0 torque, 1 angle (004:302)
    Column("BitShift", Integer, nullable=False),
    Column("FactorDom", BigInteger, nullable=False),
    Column("FactorNom", BigInteger, nullable=False),
    Column("LimitMin", Real),
    Column("LimitMax", Real),
    Column("AngleOffset", Real),
    Column("SampleMs", Real, nullable=False),
    Column("Samples", LargeBinary, nullable=False),  # signed 16 bits, high byte first
    Column("Arrivals", Integer, nullable=False, default=1),
    UniqueConstraint("SystemType", "System", "Station", "Sequence", "Time", "Spindle", "GraphType", name="GraphOnce"),
    *_within(REAL_MOST, "LimitMin", "LimitMax", "AngleOffset", "SampleMs"),
    *_within(SHIFT_MOST, "BitShift"),
    *_within(FACTOR_MOST, "FactorDom", "FactorNom"),
)
BREACH = Table(
    "Breach",
    TABLES,
    Column("BreachId", _BIG, primary_key=True, autoincrement=True),
    Column("Arrived", String(14), nullable=False),
    Column("Peer", String(60), nullable=False),
    Column("Telegram", String(2), nullable=False),
    Column("Field", String(60), nullable=False),
    Column("Position", Integer),  # of the field's first byte, counted from 1 after the length, like the document
    Column("Found", Text, nullable=False),
    Column("Allowed", Text, nullable=False),
)

CONTROL_LIMITS = Table(  # what a program's charts are measured by (toolcart.archive.limits)
    "ControlLimits",
    TABLES,
    Column("ControlLimitsId", _BIG, primary_key=True, autoincrement=True),
    *_place(),
    Column("Program", Integer, nullable=False),
    Column("Spindle", Integer, nullable=False),
    Column("Quantity", String(6), nullable=False),
    Column("Begins", String(12), nullable=False),  # by the station's clock: they hold from here on
    Column("Since", String(12), nullable=False),  # the reference period, whose last minute is Until
    Column("Until", String(12), nullable=False),
    Column("OnlyOK", Integer, nullable=False),
    Column("Count", Integer, nullable=False),  # values of the reference period
    Column("Mean", Float, nullable=False),
    Column("Within", Float, nullable=False),  # deviation within its subgroups
    Column("Who", String(100), nullable=False),
    Column("Arrived", String(14), nullable=False),
    Column("Note", Text, nullable=False),
    Column("Withdrawn", String(14), nullable=False, default=""),
    Index("ControlLimitsOf", "SystemType", "System", "Station", "Program", "Spindle"),
)
REMARK = Table(  # what people say about a result
    "Remark",
    TABLES,
    Column("RemarkId", _BIG, primary_key=True, autoincrement=True),
    Column("ResultId", _BIG, ForeignKey("Result.ResultId"), nullable=False),
    Column("Arrived", String(14), nullable=False),
    Column("Who", String(100), nullable=False),
    Column("Text", Text, nullable=False),
    Index("RemarkOfResult", "ResultId"),
)
AUDIT = Table(  # what commands and people have changed
    "Audit",
    TABLES,
    Column("AuditId", _BIG, primary_key=True, autoincrement=True),
    Column("Arrived", String(14), nullable=False),
    Column("Who", String(100), nullable=False),
    Column("What", Text, nullable=False),
)
SERVER = Table(  # the servers that share this database (toolcart.archive.servers)
    "Server",
    TABLES,
    Column("Host", String(15), primary_key=True),  # as an 08 has it
    Column("Port", Integer, primary_key=True, autoincrement=False),
    Column("Weight", Integer, nullable=False),
    Column("Seen", Float, nullable=False),  # seconds since 1970 by the database's clock
    Column("Draining", Integer, nullable=False, default=0),
)
CONSUMED = Table(  # how far each outlet's batches are stored (toolcart.archive.consume)
    "Consumed",
    TABLES,
    Column("Topic", String(500), primary_key=True),  # what comes before /results
    Column("Identity", String(8), primary_key=True),  # of the spool
    Column("Number", BigInteger, nullable=False),
    Column("Base", BigInteger, nullable=False),  # a result's sequence is this plus its number, on the circle
    Column("Sequence", Integer, nullable=False),  # of the newest result, 0 if there is none yet
    *_place(),
    Column("Arrived", String(14), nullable=False),
)


def is_row(table: Table, names: Sequence[str], key: Sequence) -> ColumnElement[bool]:
    """The condition that these columns have the values of the key; a short key leaves the last columns out."""
    return and_(*[table.c[name] == value for name, value in zip(names, key, strict=False)])
