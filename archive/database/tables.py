"""The archive's tables: the document's map (TN 6), results, events, graphs, breaches; and views of them.

Rules
1. The map's tables have the document's names; the other tables' names and all columns are our own.
2. A time from a station is kept as it came, 14 digits `yyyymmddhhnnss` in the station's zone (TN 5.3). `Arrived` is
   the archive's own, in the same form in UTC.
3. One row of Result is one spindle. What its Sequence and its Number say, and which result is stored already, is
   decided in toolcart.archive.storage.stored_results; every arrival is counted in `Arrivals`.
4. Torque is in Nm, angle in degrees, as in the telegram (TN 5.3), unless TorqueUnit and AngleUnit say otherwise. What
   is made of several results is made of each unit apart. Statuses are the telegram's too: 0 is OK.
5. A number is finite and below REAL_MOST, or unknown: the database takes no other, and one that got in otherwise, as by
   a damaged disk, is read as unknown.
6. Views have plain names for other programs and stay as they are when the tables change (docs/archive.md): a column is
   never renamed or taken out, new ones stand at the end. Times there are of the station's clock, `arrived` and
   `written` in UTC: timestamps on PostgreSQL, empty for what is no time; on SQLite, which has no such type, text as
   people write times, and what is none as it came. An index of the very expression is behind each `time` (ShownTime).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
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
    case,
    literal_column,
    select,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from toolcart.toolsnet.layouts import FACTOR_MOST, REAL_MOST, SHIFT_MOST
from toolcart.toolsnet.rows import DEGREES, NM

TABLES = MetaData()
PLACE = ("SystemType", "System", "Station")
Station = tuple[int, int, int]  # of these
RESULT_KEY = (*PLACE, "Sequence", "Time")  # what identifies a result or an event (TN 5.13)
GRAPH_KEY = (*RESULT_KEY, "Spindle", "GraphType")
_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number is an INTEGER of 64 bits


class Real(TypeDecorator[float]):
    """A number as a reader gets it: finite, or None."""

    impl = Float
    cache_ok = True

    def process_result_value(self, value: Any, dialect: object) -> float | None:
        return value if isinstance(value, float | int) and math.fabs(value) <= REAL_MOST else None


class ShownTime(FunctionElement):
    """A time's 14 digits as views show them, for an index."""

    name = "shown_time"
    inherit_cache = True


@compiles(ShownTime)
def _of_sqlite(element: ShownTime, compiler: Any, **how: Any) -> str:
    return f"({_text_time(compiler.process(element.clauses, **how))})"


@compiles(ShownTime, "postgresql")
def _of_postgresql(element: ShownTime, compiler: Any, **how: Any) -> str:
    return f"({_timestamp(compiler.process(element.clauses, **how))})"


def _text_time(column: str) -> str:
    parts = ((1, 4, "-"), (5, 2, "-"), (7, 2, " "), (9, 2, ":"), (11, 2, ":"), (13, 2, ""))
    return " || ".join(f"substr({column}, {at}, {width}) || '{end}'" for at, width, end in parts)


def _timestamp(column: str) -> str:
    """The same as PostgreSQL's own type, NULL for what is no time. Nothing in it depends on a session's settings."""
    year, month, day = (f"CAST(substr({column}, {at}, {width}) AS INTEGER)" for at, width in ((1, 4), (5, 2), (7, 2)))
    hour, minute, second = (f"CAST(substr({column}, {at}, 2) AS INTEGER)" for at in (9, 11, 13))
    date = f"make_date({year}, {month}, 1) + ({day} - 1)"  # behind the month's last day it is the next month's
    time = f"make_time({hour}, {minute}, CAST({second} AS DOUBLE PRECISION))"
    digits = "[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000"
    form = f"^({digits})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])([0-5][0-9]){{2}}$"
    is_day = f"CAST(extract(month FROM {date}) AS INTEGER) = {month}"
    return f"CASE WHEN {column} ~ '{form}' THEN CASE WHEN {is_day} THEN {date} + {time} END END"


def _timestamp_utc(column: str) -> str:
    return f"({_timestamp(column)}) AT TIME ZONE 'UTC'"


def _within(most: float, *names: str) -> list[CheckConstraint]:
    """Return the rule that these columns are unknown or at most this, for each of them."""
    return [CheckConstraint(f'"{name}" BETWEEN {-most:.0f} AND {most:.0f}', name=f"{name}Fits") for name in names]


_OCTETS = {"VIN": "varchar_pattern_ops"}  # a beginning is searched by bytes, whatever language PostgreSQL sorts by


_PROGRAM = (*PLACE, "Spindle", "Program")
_NOK_FIGURES = ("Program", "Spindle", "SpindleSerial", "TorqueStatus", "AngleStatus", "TimeStatus", "Overall")


def _keys(*names: str) -> list[Column]:
    """Return columns of a primary key that the database does not number itself."""
    return [Column(name, Integer, primary_key=True, autoincrement=False) for name in names]


def _integers(*names: str) -> list[Column]:
    return [Column(name, Integer, nullable=False) for name in names]


def _texts(most: int, *names: str) -> list[Column]:
    return [Column(name, String(most), nullable=False) for name in names]


def _named(table: str, key: Sequence[str], *more: Column, most: int = 25) -> Table:
    """Return a table of the document's map."""
    return Table(table, TABLES, *_keys(*key), *_texts(most, "Name"), *more)


_UNITS = {"TorqueUnit": NM, "AngleUnit": DEGREES}
_UNIT_MOST = 25  # as a parameter's value


def _units(is_key: bool = False) -> list[Column]:
    return [
        Column(name, String(_UNIT_MOST), nullable=False, server_default=text(f"'{unit}'"), primary_key=is_key)
        for name, unit in _UNITS.items()
    ]


def _ip() -> Column:
    return Column("IP", String(15), nullable=False, default="")


SYSTEM_TYPE = _named("TNMapSystemType", PLACE[:1], most=40)
SYSTEM = _named("TNMapSystem", PLACE[:2], _ip())
STATION = _named(
    "TNMapStation",
    PLACE,
    _ip(),
    Column("Heard", String(14), nullable=False, default=""),  # time of the newest telegram of any kind; UTC
    Column("Result", Integer, nullable=False, default=0),  # sequence of the latest stored: what an 08 says
    Column("Event", Integer, nullable=False, default=0),
    # NEW: alerts leave it out, since one telegram with a wrong number makes a station; WATCHED: it has reported for an
    # hour, or was confirmed; REMOVED: the map leaves it out until it has.
    Column("Watched", Integer, nullable=False, default=1, server_default=text("1")),
)
NEW, WATCHED, REMOVED = 0, 1, -1
SPINDLE = _named("TNMapSpindle", _PROGRAM[:4])
PROGRAM = _named("TNMapProgram", _PROGRAM)
MAP = (SYSTEM_TYPE, SYSTEM, STATION, SPINDLE, PROGRAM)
RESULT = Table(
    "Result",
    TABLES,
    Column("ResultId", _BIG, primary_key=True, autoincrement=False),
    *_integers(*PLACE, "Sequence"),
    *_texts(14, "Time", "Arrived"),
    *_texts(25, "VIN"),
    *_integers("Spindle"),
    *_texts(10, "SpindleSerial"),
    *_integers("Program", "Overall"),
    *[Column(name, Real) for name in ("TorqueLow", "Torque", "TorqueHigh")],
    Column("TorqueStatus", Integer),
    *[Column(name, Real) for name in ("AngleLow", "Angle", "AngleHigh")],
    Column("AngleStatus", Integer),
    Column("TimeStatus", Integer),
    Column("TighteningId", BigInteger),
    Column("Arrivals", Integer, nullable=False, default=1),
    Column("Behind", Integer, nullable=False, default=0),  # 1: its sequence is behind that of the previous arrival
    *_units(),
    Column("Number", BigInteger, server_default=text("0")),  # of a batch's line; NULL: it never came in one
    # In this order it is the index of a station's times as well: each index costs every result a page of the WAL.
    UniqueConstraint(*PLACE, "Time", "Sequence", "Spindle", name="ResultOnce"),
    *_within(REAL_MOST, "TorqueLow", "Torque", "TorqueHigh", "AngleLow", "Angle", "AngleHigh"),
    # What is to be known of a screw's tightenings, in their order: they are looked up without their rows.
    Index("ResultByVIN", "VIN", *PLACE, "Program", "Spindle", "Time", "ResultId", "Overall", postgresql_ops=_OCTETS),
    Index("ResultByTighteningId", "TighteningId"),
    # An index of what is not OK has few rows. A query names the 1 as text, or the database cannot know that it fits.
    *[
        Index(name, *columns, sqlite_where=text('"Overall" = 1'), postgresql_where=text('"Overall" = 1'))
        for name, columns in (
            ("ResultNOK", ("Time",)),  # in the order of lists
            ("ResultNOKByTime", ("Time", *PLACE, *_NOK_FIGURES)),  # all that counts are made of, of any station
            ("ResultNOKOf", (*PLACE, "Time", *_NOK_FIGURES)),
        )
    ],
    Index("ResultByMoment", "Time"),  # without a station
    Index("ResultByProgram", "Program", "Time"),
)
Index("ResultByShownTime", ShownTime(RESULT.c.Time))
UNKNOWN = 0  # the number of what an earlier version stored, whichever way that came
SEQUENCE_SPAN = 100_000  # a telegram's sequence has five digits
FROM_TOOLSNET = RESULT.c.Sequence >= 0
# The sequence or number that people know, and what they see of a row.
SHOWN_SEQUENCE = case((FROM_TOOLSNET, RESULT.c.Sequence % SEQUENCE_SPAN), else_=-RESULT.c.Sequence).label("Sequence")
SHOWN = tuple(SHOWN_SEQUENCE if one.name == "Sequence" else one for one in RESULT.columns if one.name != "Number")
IS_NOK = RESULT.c.Overall == literal_column("1")
QUARTER = Table(  # results in sums (toolcart.archive.database.rollups)
    "Quarter",
    TABLES,
    *_keys(*PLACE, "Program", "Spindle"),
    Column("Slot", String(12), primary_key=True),  # its begin
    Column("Tool", String(10), primary_key=True),
    *[Column(name, Float, primary_key=True) for name in ("TorqueLow", "TorqueHigh", "AngleLow", "AngleHigh")],
    *_units(is_key=True),
    *_integers("Good", "Bad"),  # results that are OK, and not OK
    *[
        Column(f"{verdict}{quantity}{measure}", kind, nullable=measure in ("Least", "Most"))
        for quantity in ("Torque", "Angle")
        for verdict in ("Good", "Bad")
        for measure, kind in (("Count", Integer), ("Sum", Float), ("Squares", Float), ("Least", Float), ("Most", Float))
    ],
    # Rates of any station read nothing else; a commit writes a page more.
    Index("QuarterBySlot", "Slot", "Good", "Bad"),
    # Where a tool was, and when; and all that rates of a long time are of, in the order that they are grouped in.
    Index("QuarterByTool", "Tool", *PLACE, "Program", "Slot", "Good", "Bad"),
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
    *_integers("Spindle", "Program", "ParameterId"),
    *_texts(25, "Name", "Value"),
    *_integers("Type"),
    *_texts(6, "Unit"),
    *_integers("Step"),
    sqlite_with_rowid=False,
)
EVENT = Table(
    "Event",
    TABLES,
    Column("EventId", _BIG, primary_key=True, autoincrement=False),
    *_integers(*PLACE, "Sequence"),  # below zero: the number of a line that came by MQTT, which ToolsNet does not have
    *_texts(14, "Time", "Arrived"),
    *_integers("Code", "Level"),
    Column("Arrivals", Integer, nullable=False, default=1),
    UniqueConstraint(*PLACE, "Time", "Sequence", name="EventOnce"),
)
Index("EventByShownTime", ShownTime(EVENT.c.Time))
EVENT_PARAMETER = Table(
    "EventParameter",
    TABLES,
    Column("EventId", _BIG, ForeignKey("Event.EventId"), nullable=False),
    *_integers("ParameterId", "Type"),
    *_texts(20, "Value"),
    Index("ParameterByEvent", "EventId"),
)
GRAPH = Table(
    "Graph",
    TABLES,
    Column("GraphId", _BIG, primary_key=True, autoincrement=False),
    *_integers(*PLACE, "Spindle", "Program", "Sequence"),
    *_texts(14, "Time", "Arrived"),
    *_integers("GraphType", "BitShift"),  # of these types 0 is torque, 1 angle (TN 5.13)
    Column("FactorDom", BigInteger, nullable=False),
    Column("FactorNom", BigInteger, nullable=False),
    *[Column(name, Real) for name in ("LimitMin", "LimitMax", "AngleOffset")],
    Column("SampleMs", Real, nullable=False),
    Column("Samples", LargeBinary, nullable=False),  # signed 16 bits, high byte first
    Column("Arrivals", Integer, nullable=False, default=1),
    UniqueConstraint(*GRAPH_KEY, name="GraphOnce"),
    *_within(REAL_MOST, "LimitMin", "LimitMax", "AngleOffset", "SampleMs"),
    *_within(SHIFT_MOST, "BitShift"),
    *_within(FACTOR_MOST, "FactorDom", "FactorNom"),
)
Index("GraphByShownTime", ShownTime(GRAPH.c.Time))
BREACH = Table(
    "Breach",
    TABLES,
    Column("BreachId", _BIG, primary_key=True, autoincrement=True),
    *_texts(14, "Arrived"),
    *_texts(60, "Peer"),
    *_texts(2, "Telegram"),
    *_texts(60, "Field"),
    Column("Position", Integer),  # of the field's first byte, counted from 1 after the length, like the document
    Column("Found", Text, nullable=False),
    Column("Allowed", Text, nullable=False),
)

CONTROL_LIMITS = Table(  # what a program's charts are measured by (toolcart.archive.statistics.limits)
    "ControlLimits",
    TABLES,
    Column("ControlLimitsId", _BIG, primary_key=True, autoincrement=True),
    *_integers(*PLACE, "Program", "Spindle"),
    *_texts(6, "Quantity"),
    Column("Unit", String(_UNIT_MOST), nullable=False, server_default=text(f"'{NM}'")),
    *_texts(12, "Begins"),  # by the station's clock: they hold from here on
    *_texts(12, "Since", "Until"),  # the reference period, whose last minute is Until
    *_integers("OnlyOK", "Count"),  # of how many values of that period
    Column("Mean", Float, nullable=False),
    Column("Within", Float, nullable=False),  # deviation within its subgroups
    *_texts(100, "Who"),
    *_texts(14, "Arrived"),
    Column("Note", Text, nullable=False),
    Column("Withdrawn", String(14), nullable=False, default=""),
    Index("ControlLimitsOf", *PLACE, "Program", "Spindle"),
)
REMARK = Table(  # what people say about a result
    "Remark",
    TABLES,
    Column("RemarkId", _BIG, primary_key=True, autoincrement=True),
    Column("ResultId", _BIG, ForeignKey("Result.ResultId"), nullable=False),
    *_texts(14, "Arrived"),
    *_texts(100, "Who"),
    Column("Text", Text, nullable=False),
    Index("RemarkOfResult", "ResultId"),
)
AUDIT = Table(  # what commands and people have changed
    "Audit",
    TABLES,
    Column("AuditId", _BIG, primary_key=True, autoincrement=True),
    *_texts(14, "Arrived"),
    *_texts(100, "Who"),
    Column("What", Text, nullable=False),
)
SERVER = Table(  # the servers that share this database (toolcart.archive.server.servers)
    "Server",
    TABLES,
    Column("Host", String(15), primary_key=True),  # as an 08 has it
    Column("Port", Integer, primary_key=True, autoincrement=False),
    Column("Seen", Float, nullable=False),  # seconds since 1970 by the database's clock
)
CONSUMED = Table(  # how far each outlet's batches are stored (toolcart.archive.consume)
    "Consumed",
    TABLES,
    Column("Topic", String(500), primary_key=True),  # what comes before /results
    Column("Identity", String(8), primary_key=True),  # of the spool
    Column("Number", BigInteger, nullable=False),
    Column("Base", BigInteger, nullable=False),  # Result.Number is this plus the number in the batch
    Column("Sequence", BigInteger, nullable=False),  # Result.Number of the newest result, 0 if there is none yet
    *_integers(*PLACE),
    *_texts(14, "Arrived"),
)
_OF_BATCHES = select(CONSUMED.c.SystemType, CONSUMED.c.System, CONSUMED.c.Station).distinct()


def stations_of_batches(connection: Connection) -> set[Station]:
    """Return the stations whose results have come in batches."""
    return {(row[0], row[1], row[2]) for row in connection.execute(_OF_BATCHES)}


def belongs(other: Any, table: Table) -> ColumnElement[bool]:
    """The condition that a row with these columns (`.c`) belongs to a row of the map's table."""
    return and_(*[column == other[column.name] for column in table.primary_key.columns])


def is_row(table: Table, names: Sequence[str], key: Sequence) -> ColumnElement[bool]:
    """The condition that these columns have the values of the key; a short key leaves the last columns out."""
    return and_(*[table.c[name] == value for name, value in zip(names, key, strict=False)])


def _place(table: str) -> str:
    return " || '/' || ".join(f'CAST({table}."{name}" AS TEXT)' for name in ("SystemType", "System", "Station"))


def _same_station(table: str) -> str:
    return " AND ".join(f'{table}."{name}" = s."{name}"' for name in ("SystemType", "System", "Station"))


def _shown(sequence: str) -> str:
    """The same as SHOWN_SEQUENCE."""
    whole = f"{sequence} / {SEQUENCE_SPAN} * {SEQUENCE_SPAN}"
    return f"CASE WHEN {sequence} < 0 THEN -{sequence} ELSE {sequence} - {whole} END"


def _status(column: str) -> str:
    return f"CASE {column} WHEN 0 THEN 'OK' WHEN 1 THEN 'not OK' WHEN 2 THEN 'low' WHEN 3 THEN 'high' END"


_POWER = (
    'CASE WHEN g."BitShift" >= 0 THEN CAST(CAST(1 AS BIGINT) << g."BitShift" AS DOUBLE PRECISION) '
    'ELSE 1.0 / CAST(CAST(1 AS BIGINT) << -g."BitShift" AS DOUBLE PRECISION) END'
)


def _views(time: Callable[[str], str], utc: Callable[[str], str]) -> dict[str, str]:
    """Return the views' queries; `time` and `utc` show a column of a station's clock, and of ours.

    A program is cast: SQLite would go by its index, which has all results of a program, and not by that of the time.
    """
    return {
        "results": f"""SELECT r."ResultId" AS result_id, {_place("r")} AS station, s."Name" AS station_name,
            {time('r."Time"')} AS time, {utc('r."Arrived"')} AS arrived,
            {_shown('r."Sequence"')} AS sequence, r."VIN" AS vin,
            r."Spindle" AS spindle, r."SpindleSerial" AS tool, CAST(r."Program" AS INTEGER) AS program,
            p."Name" AS program_name,
            CASE WHEN r."Overall" = 0 THEN 'OK' ELSE 'NOK' END AS verdict,
            r."Torque" AS torque, r."TorqueLow" AS torque_low, r."TorqueHigh" AS torque_high,
            {_status('r."TorqueStatus"')} AS torque_status,
            r."Angle" AS angle, r."AngleLow" AS angle_low, r."AngleHigh" AS angle_high,
            {_status('r."AngleStatus"')} AS angle_status, r."TighteningId" AS tightening_id,
            r."TorqueUnit" AS torque_unit, r."AngleUnit" AS angle_unit
            FROM "Result" AS r LEFT JOIN "TNMapStation" AS s ON {_same_station("r")}
            LEFT JOIN "TNMapProgram" AS p ON {_same_station("p").replace("s.", "r.")}
            AND p."Spindle" = r."Spindle" AND p."Program" = r."Program" """,
        "curves": f"""SELECT g."GraphId" AS curve_id, r."ResultId" AS result_id, {_place("g")} AS station,
            {time('g."Time"')} AS time, g."Spindle" AS spindle, g."Program" AS program,
            CASE g."GraphType" WHEN 0 THEN 'torque' WHEN 1 THEN 'angle' ELSE 'other' END AS quantity,
            CASE WHEN g."GraphType" = 0 AND coalesce(r."TorqueUnit", '{NM}') = '{NM}' THEN '{NM}'
            WHEN g."GraphType" = 1 AND coalesce(r."AngleUnit", '{DEGREES}') = '{DEGREES}' THEN '{DEGREES}'
            ELSE '' END AS unit, g."SampleMs" AS sample_ms,
            CAST(g."FactorDom" AS DOUBLE PRECISION) / NULLIF(g."FactorNom", 0) * {_POWER} AS scale,
            length(g."Samples") / 2 AS sample_count, g."Samples" AS samples
            FROM "Graph" AS g LEFT JOIN "Result" AS r ON r."SystemType" = g."SystemType" AND r."System" = g."System"
            AND r."Station" = g."Station" AND r."Sequence" = g."Sequence" AND r."Time" = g."Time"
            AND r."Spindle" = g."Spindle" """,
        "events": f"""SELECT e."EventId" AS event_id, {_place("e")} AS station, s."Name" AS station_name,
            {time('e."Time"')} AS time, {utc('e."Arrived"')} AS arrived, abs(e."Sequence") AS sequence,
            e."Code" AS code, e."Level" AS level
            FROM "Event" AS e LEFT JOIN "TNMapStation" AS s ON {_same_station("e")}""",
        "remarks": f"""SELECT m."RemarkId" AS remark_id, m."ResultId" AS result_id, {utc('m."Arrived"')} AS written,
            m."Who" AS author, m."Text" AS text FROM "Remark" AS m""",
    }


VIEWS = ("results", "curves", "events", "remarks")


def make_views(connection: Connection) -> None:
    """Make the views, in place of older ones."""
    is_sqlite = connection.dialect.name == "sqlite"
    queries = _views(_text_time, _text_time) if is_sqlite else _views(_timestamp, _timestamp_utc)
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {queries[name]}")
