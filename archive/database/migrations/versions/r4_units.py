"""A result has the units of its torque and angle, and so have its quarter of an hour and control limits.

Until now units were looked up among its parameters: those of ten million results are read once, which takes minutes.
Servers have no weights any more.
"""

from typing import Any

from alembic import op
from sqlalchemy import ColumnElement, Connection, and_, func, inspect, or_, select, update

from toolcart.archive.database import rollups
from toolcart.archive.database import tables as t
from toolcart.toolsnet.rows import DEGREES, NM

revision = "6"
down_revision = "5"
_TORQUE_UNIT, _PRESS = 60004, 60008
_R, _Q, _C, _P = t.RESULT.c, t.QUARTER.c, t.CONTROL_LIMITS.c, t.RESULT_PARAMETER.c


def upgrade() -> None:
    """Add the columns, unless the first step has just made the tables with them."""
    connection = op.get_bind()
    if "TorqueUnit" in {column["name"] for column in inspect(connection).get_columns("Result")}:
        return
    for table, name, unit in (("Result", "TorqueUnit", NM), ("Result", "AngleUnit", DEGREES)):
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ADD COLUMN "{name}" VARCHAR(25) DEFAULT \'{unit}\' NOT NULL')
    connection.exec_driver_sql(f'ALTER TABLE "ControlLimits" ADD COLUMN "Unit" VARCHAR(25) DEFAULT \'{NM}\' NOT NULL')
    for name in ("Weight", "Draining"):
        connection.exec_driver_sql(f'ALTER TABLE "Server" DROP COLUMN "{name}"')
    _read_units(connection)
    _key_quarters_by_unit(connection)
    _name_units_of_limits(connection)
    t.make_views(connection)  # they are those of the last step, which has all that they show


def _read_units(connection: Connection) -> None:
    """Set the units that parameters say; these belong to the first row of their telegram."""
    first, each = t.RESULT.alias(), t.RESULT.alias()
    same = and_(*[each.c[name] == first.c[name] for name in t.RESULT_KEY])
    told = select(each.c.ResultId).select_from(t.RESULT_PARAMETER).join(first, first.c.ResultId == _P.ResultId)
    told = told.join(each, same).where(_P.ParameterId.in_((_TORQUE_UNIT, _PRESS)))
    torque = _told(_TORQUE_UNIT, func.nullif(_P.Value, ""), _told(_PRESS, "kN", NM))
    values = {"TorqueUnit": torque, "AngleUnit": _told(_PRESS, "mm", DEGREES)}
    connection.execute(update(t.RESULT).where(_R.ResultId.in_(told)).values(**values))


def _told(ident: int, unit: Any, usual: Any) -> ColumnElement[str]:
    """Return the unit if a row's telegram has this parameter, else the usual one."""
    same = t.RESULT.alias()
    whole = select(func.min(same.c.ResultId)).where(*[same.c[name] == _R[name] for name in t.RESULT_KEY])
    found = select(func.max(unit)).where(_P.ResultId == whole.correlate(t.RESULT).scalar_subquery())
    return func.coalesce(found.where(_P.ParameterId == ident).correlate(t.RESULT).scalar_subquery(), usual)


def _key_quarters_by_unit(connection: Connection) -> None:
    """Make the table anew, since its key has more columns, and sum those quarters again that have another unit."""
    connection.exec_driver_sql('CREATE TABLE "QuarterBefore" AS SELECT * FROM "Quarter"')
    connection.exec_driver_sql('DROP TABLE "Quarter"')
    t.QUARTER.create(connection)
    names = ", ".join(f'"{column.name}"' for column in t.QUARTER.columns if not column.name.endswith("Unit"))
    connection.exec_driver_sql(f'INSERT INTO "Quarter" ({names}) SELECT {names} FROM "QuarterBefore"')
    connection.exec_driver_sql('DROP TABLE "QuarterBefore"')
    rollups.again(connection, rollups.places_where(connection, or_(_R.TorqueUnit != NM, _R.AngleUnit != DEGREES)))


def _name_units_of_limits(connection: Connection) -> None:
    """Control limits are of what most of their reference period's results were in."""
    for one in connection.execute(select(t.CONTROL_LIMITS)).mappings().fetchall():
        unit = _Q[f"{one['Quantity']}Unit"]
        names = (*t.PLACE, "Program", "Spindle")
        here = t.is_row(t.QUARTER, names, [one[name] for name in names])
        counted = select(unit).where(here, _Q.Slot >= one["Since"], _Q.Slot <= one["Until"]).group_by(unit)
        most = connection.execute(counted.order_by(func.sum(_Q.Good).desc(), unit).limit(1)).scalar()
        usual = NM if one["Quantity"] == "Torque" else DEGREES
        there = _C.ControlLimitsId == one["ControlLimitsId"]
        connection.execute(update(t.CONTROL_LIMITS).where(there).values(Unit=most or usual))


def downgrade() -> None:
    """An older version would mix what has several units."""
    raise NotImplementedError("an older version does not tell units apart")
