"""Views with plain names for other programs, which stay as they are when the tables change (docs/archive.md).

Rules
1. Times are text as people write them, of the station's clock; `arrived` and `written` are UTC. An invalid one is as it
   came.
2. The same text makes them on SQLite and PostgreSQL. A column is never renamed or taken out; new ones stand at the end.
"""

from __future__ import annotations

from sqlalchemy import Connection


def _time(column: str) -> str:
    parts = ((1, 4, "-"), (5, 2, "-"), (7, 2, " "), (9, 2, ":"), (11, 2, ":"), (13, 2, ""))
    return " || ".join(f"substr({column}, {at}, {width}) || '{end}'" for at, width, end in parts)


def _place(table: str) -> str:
    return " || '/' || ".join(f'CAST({table}."{name}" AS TEXT)' for name in ("SystemType", "System", "Station"))


def _same_station(table: str) -> str:
    return " AND ".join(f'{table}."{name}" = s."{name}"' for name in ("SystemType", "System", "Station"))


def _status(column: str) -> str:
    return f"CASE {column} WHEN 0 THEN 'OK' WHEN 1 THEN 'not OK' WHEN 2 THEN 'low' WHEN 3 THEN 'high' END"


_POWER = (
    'CASE WHEN g."BitShift" >= 0 THEN CAST(CAST(1 AS BIGINT) << g."BitShift" AS DOUBLE PRECISION) '
    'ELSE 1.0 / CAST(CAST(1 AS BIGINT) << -g."BitShift" AS DOUBLE PRECISION) END'
)
VIEWS = {
    "results": f"""SELECT r."ResultId" AS result_id, {_place("r")} AS station, s."Name" AS station_name,
        {_time('r."Time"')} AS time, {_time('r."Arrived"')} AS arrived, r."Sequence" AS sequence, r."VIN" AS vin,
        r."Spindle" AS spindle, r."SpindleSerial" AS tool, r."Program" AS program, p."Name" AS program_name,
        CASE WHEN r."Overall" = 0 THEN 'OK' ELSE 'NOK' END AS verdict,
        r."Torque" AS torque, r."TorqueLow" AS torque_low, r."TorqueHigh" AS torque_high,
        {_status('r."TorqueStatus"')} AS torque_status,
        r."Angle" AS angle, r."AngleLow" AS angle_low, r."AngleHigh" AS angle_high,
        {_status('r."AngleStatus"')} AS angle_status, r."TighteningId" AS tightening_id
        FROM "Result" AS r LEFT JOIN "TNMapStation" AS s ON {_same_station("r")}
        LEFT JOIN "TNMapProgram" AS p ON {_same_station("p").replace("s.", "r.")}
        AND p."Spindle" = r."Spindle" AND p."Program" = r."Program" """,
    "curves": f"""SELECT g."GraphId" AS curve_id, r."ResultId" AS result_id, {_place("g")} AS station,
        {_time('g."Time"')} AS time, g."Spindle" AS spindle, g."Program" AS program,
        CASE g."GraphType" WHEN 0 THEN 'torque' WHEN 1 THEN 'angle' ELSE 'other' END AS quantity,
        CASE g."GraphType" WHEN 0 THEN 'Nm' WHEN 1 THEN 'deg' ELSE '' END AS unit, g."SampleMs" AS sample_ms,
        CAST(g."FactorDom" AS DOUBLE PRECISION) / NULLIF(g."FactorNom", 0) * {_POWER} AS scale,
        length(g."Samples") / 2 AS sample_count, g."Samples" AS samples
        FROM "Graph" AS g LEFT JOIN "Result" AS r ON r."SystemType" = g."SystemType" AND r."System" = g."System"
        AND r."Station" = g."Station" AND r."Sequence" = g."Sequence" AND r."Time" = g."Time"
        AND r."Spindle" = g."Spindle" """,
    "events": f"""SELECT e."EventId" AS event_id, {_place("e")} AS station, s."Name" AS station_name,
        {_time('e."Time"')} AS time, {_time('e."Arrived"')} AS arrived, e."Sequence" AS sequence, e."Code" AS code,
        e."Level" AS level FROM "Event" AS e LEFT JOIN "TNMapStation" AS s ON {_same_station("e")}""",
    "remarks": f"""SELECT m."RemarkId" AS remark_id, m."ResultId" AS result_id, {_time('m."Arrived"')} AS written,
        m."Who" AS author, m."Text" AS text FROM "Remark" AS m""",
}


def make(connection: Connection) -> None:
    """Make the views, in place of older ones."""
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
