"""An archive full of an invented plant: stations, cars, screws, curves, written past the server in large inserts.

Rules
1. A seed and a size make the same rows again; times end at `until`, so that pictures can have a fixed day.
2. Rows are as the writer would have stored them: numbers without gaps, the map complete, the latest sequences right.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from toolcart.archive.database import bulk_insert, rollups, vehicle_numbers
from toolcart.archive.database import tables as t
from toolcart.toolsnet.rows import DEGREES, NM

AT_ONCE = 10000
SYSTEM_TYPE = 3  # Open Protocol
PERIOD = 99999
SCREWS = 5  # of a car at a station
SAMPLE_MS = 2.0
_NAMES = ("Wheel front left", "Wheel front right", "Seat driver", "Seat belt", "Engine mount", "Steering column")
_PROGRAMS = {1: ("Wheel bolts", 120.0, 4.0, 8.0), 2: ("Pre-tighten", 42.0, 1.2, 4.0)}  # mean, deviation, half the width


@dataclass(frozen=True)
class Plant:
    """The size: `cars` pass each of `stations` stations, one in `every_s`, the last one at `until`."""

    stations: int = 6
    cars: int = 200
    every_s: float = 60.0
    until: datetime = datetime(2026, 11, 20, 14, 30)
    seed: int = 1
    curves: int = 0  # of the newest results


def fill(engine: Engine, plant: Plant, progress: Callable[[float], None] = lambda share: None) -> int:
    """Write all of it into an archive without rows; return how many results there are now.

    Indexes are made after the rows, which for millions takes a fraction of the time.
    """
    total = plant.stations * plant.cars * SCREWS
    with engine.begin() as connection:
        for first in range(0, plant.cars, AT_ONCE):
            vehicle_numbers.add(connection, {vin(car) for car in range(first, min(first + AT_ONCE, plant.cars))})
        for index in t.RESULT.indexes:
            index.drop(connection)
        if connection.execute(select(func.max(t.RESULT.c.ResultId))).scalar():
            raise ValueError("the archive has results already")
        _write_map(connection, plant)
        latest: dict[int, int] = {}
        rows: list[dict] = []
        number = 0
        for row in _results(plant):
            rows.append(row)
            latest[row["Station"]] = row["Sequence"]
            number = row["ResultId"]
            if len(rows) == AT_ONCE:
                _insert(connection, rows)
                rows.clear()
                progress(number / total)
            if number > total - plant.curves:
                connection.execute(t.GRAPH.insert(), _graphs(row, 2 * (number - total + plant.curves) - 1))
        if rows:
            _insert(connection, rows)
        for index in t.RESULT.indexes:
            index.create(connection)
        sum_all(connection)
        for station, sequence in latest.items():
            here = t.is_row(t.STATION, t.RESULT_KEY, (SYSTEM_TYPE, 1, station))
            connection.execute(update(t.STATION).where(here).values(Result=sequence))
    return number


def sum_all(connection: Connection) -> None:
    """Sum all results, whatever has been summed before."""
    connection.execute(delete(t.QUARTER))
    columns = (*rollups.KEY, *rollups.MEASURES)
    connection.execute(insert(t.QUARTER).from_select(columns, rollups.summed()))


def _insert(connection: Connection, rows: list[dict]) -> None:
    names = bulk_insert.columns(t.RESULT)
    bulk_insert.insert(connection, t.RESULT, [tuple(row[name] for name in names) for row in rows])


OTHER_ROWS = 12  # events, and breaches


def fill_other_tables(engine: Engine, plant: Plant) -> None:
    """Write events and breaches as a plant has them."""
    dice = random.Random(plant.seed)
    texts = ("E404 tool overheated", "Emergency stop", "Tool calibration due", "Battery low")
    with engine.begin() as connection:
        for number in range(1, OTHER_ROWS + 1):
            moment = (plant.until - timedelta(minutes=37 * (OTHER_ROWS - number))).strftime("%Y%m%d%H%M%S")
            text = dice.choice(texts)
            row: dict = {"SystemType": SYSTEM_TYPE, "System": 1, "Station": 1 + number % plant.stations, "Arrivals": 1}
            row.update(EventId=number, Sequence=number, Time=moment, Arrived=moment, Code=400 + len(text), Level=2)
            connection.execute(t.EVENT.insert(), row)
            parameter = {"EventId": number, "ParameterId": 1, "Type": 0, "Value": text[:20]}
            connection.execute(t.EVENT_PARAMETER.insert(), parameter)
            breach = {"BreachId": number, "Arrived": moment, "Peer": f"10.20.4.{11 + number}:49152", "Telegram": "04"}
            breach.update(Field="spindles[0].torque_low", Position=100, Found="000112.0")
            connection.execute(t.BREACH.insert(), {**breach, "Allowed": "a number with 2 decimals"})


def vin(car: int) -> str:
    """Return the number of a car; the leading digits are those of new cars in a plant."""
    return f"WVWZZZ1KZ{'ABCDEFGHJKLMNPRS'[car // 1000000 % 16]}W{car % 1000000:06d}"


def _write_map(connection: Connection, plant: Plant) -> None:
    connection.execute(
        t.SYSTEM.insert(), {"SystemType": SYSTEM_TYPE, "System": 1, "Name": "Final line 4", "IP": "10.20.4.2"}
    )
    heard_at = plant.until.strftime("%Y%m%d%H%M%S")
    for station in range(1, plant.stations + 1):
        place = {"SystemType": SYSTEM_TYPE, "System": 1, "Station": station}
        name = _NAMES[(station - 1) % len(_NAMES)] + (f" {station}" if station > len(_NAMES) else "")
        row = {**place, "Name": name, "IP": f"10.20.4.{10 + station % 200}", "Heard": heard_at, "Result": 0, "Event": 0}
        connection.execute(t.STATION.insert(), row)
        connection.execute(t.SPINDLE.insert(), {**place, "Spindle": 1, "Name": "Spindle 1"})
        programs = [{**place, "Spindle": 1, "Program": number, "Name": _PROGRAMS[number][0]} for number in _PROGRAMS]
        connection.execute(t.PROGRAM.insert(), programs)


def _results(plant: Plant) -> Iterator[dict]:
    dice = random.Random(plant.seed)
    number = 0
    sequences = dict.fromkeys(range(1, plant.stations + 1), 0)
    for car in range(plant.cars):
        arrived = plant.until - timedelta(seconds=(plant.cars - 1 - car) * plant.every_s)
        moment = arrived.strftime("%Y%m%d%H%M%S")
        for station in sequences:
            for screw in range(SCREWS):
                number += 1
                sequences[station] = sequences[station] % PERIOD + 1
                yield _result(dice, number, station, sequences[station], moment, car, 2 if screw == 0 else 1)


def _result(dice: random.Random, number: int, station: int, sequence: int, moment: str, car: int, program: int) -> dict:
    _, mean, deviation, half = _PROGRAMS[program]
    torque = dice.gauss(mean + 0.1 * deviation * (station % 5 - 2), deviation * (0.5 + 0.04 * (station % 4)))
    angle = dice.gauss(62.0, 5.0)
    if dice.random() < 0.006:
        torque -= 3 * half
    if dice.random() < 0.004:
        angle += 35
    torque_status = 2 if torque < mean - half else 3 if torque > mean + half else 0
    angle_status = 2 if angle < 40 else 3 if angle > 85 else 0
    return {
        "ResultId": number,
        "SystemType": SYSTEM_TYPE,
        "System": 1,
        "Station": station,
        "Sequence": sequence,
        "Time": moment,
        "Arrived": moment,
        "VIN": vin(car),
        "Spindle": 1,
        "SpindleSerial": f"C{3412000 + station}",
        "Program": program,
        "Overall": int(bool(torque_status or angle_status)),
        "TorqueLow": mean - half,
        "Torque": round(torque, 2),
        "TorqueHigh": mean + half,
        "TorqueStatus": torque_status,
        "AngleLow": 40.0,
        "Angle": round(angle, 1),
        "AngleHigh": 85.0,
        "AngleStatus": angle_status,
        "TimeStatus": 0,
        "TighteningId": 1000000 + number,
        "Arrivals": 1,
        "Behind": 0,
        "TorqueUnit": NM,
        "AngleUnit": DEGREES,
        "Number": None,
    }


def _graphs(row: dict, first: int) -> list[dict]:
    """Return torque and angle of a tightening: run down, seat, tighten to the result's values, let go."""
    names = (*t.RESULT_KEY, "Spindle", "Program", "Arrived")
    common = {name: row[name] for name in names}
    common.update(BitShift=0, FactorDom=1, FactorNom=100, AngleOffset=0.0, SampleMs=SAMPLE_MS, Arrivals=1)
    torques, angles = [], []
    for at in range(180):
        seated = max(0.0, (at - 70) / 90)
        rise = min(1.0, seated) ** 1.7
        let_go = max(0.0, (at - 162) / 12)
        torques.append(max(0.0, row["Torque"] * rise * (1 - min(1.0, let_go)) + 1.5 + 0.6 * math.sin(at * 0.7)))
        angles.append(row["Angle"] * min(1.0, seated) - 4 * min(1.0, let_go) if at > 70 else 0.0)
    graphs = []
    for kind, values in ((0, torques), (1, angles)):
        low, high = ("TorqueLow", "TorqueHigh") if kind == 0 else ("AngleLow", "AngleHigh")
        samples = struct.pack(f">{len(values)}h", *[round(value * 100) for value in values])
        graphs.append({**common, "GraphId": first + kind, "GraphType": kind, "Samples": samples})
        graphs[-1].update(LimitMin=row[low], LimitMax=row[high])
    return graphs
