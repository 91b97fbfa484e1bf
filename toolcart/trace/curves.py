"""Curves from a file outlet's lines, or from anything that `toolcart decode` reads, as numbers in their units.

Rules
1. Curves with the same ID and time, of one bolt, belong to one tightening; they may come in any order, and the last of
   a kind counts. A bolt is named by PID 01301, the header's spindle, or the object of revision 3.
2. The byte order of a sample is given by the MID 0002 in the same capture (MT Focus 6000: little endian, MT notes on
   MID 0900), unless the caller gives it.
3. What cannot be read is reported in words, and the rest is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from toolcart import catalogue
from toolcart.catalogue.trace_samples import DIVIDES, coefficient_of
from toolcart.codec.inputs import OPEN_PROTOCOL, CaptureItem, messages

LINE_BEGINS = b'{"schema":'
MT_FOCUS = 4  # system type in MID 0002
NAMES = {1: "angle", 2: "torque", 3: "current", 4: "gradient", 5: "stroke", 6: "force"}
_BOLT = 1301
_TO_MS = {"ms": 1.0, "s": 1000.0, "min": 60000.0, "h": 3600000.0}


@dataclass
class Curve:
    """One value over time. `times_ms` is empty if the controller did not say how far apart the samples are."""

    name: str
    unit: str
    values: list[float]
    times_ms: list[float]
    low: float | None = None
    high: float | None = None
    notes: list[str] = field(default_factory=list)

    def places(self) -> list[float]:
        """Return the samples' times in ms, or else their numbers."""
        return self.times_ms or [float(index) for index in range(len(self.values))]


@dataclass
class Tightening:
    """The curves of one tightening."""

    ident: str
    time: str
    station: int | None = None
    program: str | None = None
    part: str = ""  # that its curves name: `bolt 2`, `spindle 3`, `object 4`; "" if none, or no other than 1
    curves: dict[str, Curve] = field(default_factory=dict)

    def torque_over_angle(self) -> list[tuple[float, float]]:
        """Return (angle, torque) for each sample of torque; the angle is interpolated linearly between its samples."""
        torque, angle = self.curves.get("torque"), self.curves.get("angle")
        if torque is None or angle is None or bool(torque.times_ms) != bool(angle.times_ms):
            return []
        places, others = torque.places(), angle.places()
        points = []
        at = 0
        for place, value in zip(places, torque.values, strict=False):
            if place < others[0] or place > others[-1]:
                continue
            while at + 1 < len(others) and others[at + 1] < place:
                at += 1
            if at + 1 == len(others) or others[at + 1] == others[at]:
                points.append((angle.values[at], value))
                continue
            share = (place - others[at]) / (others[at + 1] - others[at])
            points.append((angle.values[at] + share * (angle.values[at + 1] - angle.values[at]), value))
        return points


def load(octets: bytes, kind: str = "auto", order: str = "auto") -> tuple[list[Tightening], list[str]]:
    """Return every tightening with curves, in the order of its first curve, and what could not be read."""
    if kind == "auto" and octets.lstrip()[: len(LINE_BEGINS)] == LINE_BEGINS:
        return _of_lines(octets.splitlines())
    return _of_messages(messages(octets, kind), order)


def _steps(runs: Iterable[tuple[int, float | None]], count: int) -> list[float]:
    """Return when each sample was taken, in ms; empty if that is not known."""
    times: list[float] = []
    now = 0.0
    for samples, step in runs:
        if step is None:
            return []
        for _ in range(min(samples, count - len(times))):
            times.append(now)
            now += step
    return times if len(times) == count else []


Named = tuple[object, object, object]  # bolt, spindle and object, None or 0 where not named


def _is_other(number: object) -> bool:
    return isinstance(number, int) and number > 1


class _Tightenings:
    """The tightenings found so far."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[object, ...], Tightening] = {}
        self.problems: list[str] = []

    def tightening(self, station: int | None, ident: str, time: str, named: Named) -> Tightening:
        bolt, spindle, whole = named
        part = f"bolt {bolt}" if bolt else f"spindle {spindle}" if _is_other(spindle) else ""
        part = part or (f"object {whole}" if _is_other(whole) else "")
        return self.by_key.setdefault((station, ident, time, part), Tightening(ident, time, station, part=part))

    def result(self) -> tuple[list[Tightening], list[str]]:
        return [one for one in self.by_key.values() if one.curves], self.problems


# -- lines of a file outlet ----------------------------------------------------------------------------------------


def _of_lines(lines: list[bytes]) -> tuple[list[Tightening], list[str]]:
    tightenings = _Tightenings()
    for number, line in enumerate(lines, 1):
        if b'"type":"graph"' not in line:
            continue
        try:
            data = json.loads(line)
            named = data.get("bolt"), data.get("spindle"), data.get("object")
            one = tightenings.tightening(data["station"], data["tightening_id"] or "", data["time"] or "", named)
            one.program = data["program"] or one.program
            one.curves[data["curve"]] = _of_line(data)
        except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            tightenings.problems.append(f"line {number} is no graph of a file outlet: {what}")
    return tightenings.result()


def _of_line(data: dict) -> Curve:
    scale = data["numerator"] / data["denominator"]
    values = [sample * scale for sample in data["samples"]]
    curve = Curve(data["curve"], data["unit"] or "", values, _steps(data["steps"], len(values)))
    curve.low = None if data["low"] is None else float(data["low"])
    curve.high = None if data["high"] is None else float(data["high"])
    if data["cut_short"]:
        curve.notes.append(f"{len(values)} of {data['announced']} samples are there")
    if data["odd"]:
        curve.notes.append("something in the message was not as it should be")
    return curve


# -- messages ------------------------------------------------------------------------------------------------------


def _of_messages(seen: Iterable[CaptureItem], order: str) -> tuple[list[Tightening], list[str]]:
    tightenings = _Tightenings()
    little = order == "little"
    for one in seen:
        if one.protocol != OPEN_PROTOCOL:
            continue
        if one.problem:
            tightenings.problems.append(f"{one.way + ': ' if one.way else ''}{one.problem}")
            continue
        try:
            message = one.message()
            if message.mid == 2 and order == "auto":
                little = "system_type" in message.form.by_name and message["system_type"] == MT_FOCUS
            elif message.mid == 900:
                _add(tightenings, message, little)
        except (catalogue.FrameError, catalogue.FieldError, KeyError) as error:
            tightenings.problems.append(f"{one.way + ': ' if one.way else ''}{error}")
    return tightenings.result()


def _add(tightenings: _Tightenings, message: catalogue.Message, little: bool) -> None:
    ident = message["result_id"]
    octets = message["samples"]
    if isinstance(octets, catalogue.Odd) and octets.raw[:1] == b"\0":  # not the announced number of samples
        octets = octets.raw[1:]
    if not isinstance(octets, bytes) or len(octets) < 2:
        tightenings.problems.append(f"the MID 0900 of result {ident} has no samples that can be read")
        return
    pid, factor = coefficient_of(message)
    scale = 1.0 if not factor else 1 / factor if pid == DIVIDES else factor
    notes = [] if factor else ["the controller names no coefficient: these are the samples as they came"]
    values = [sample * scale for sample in catalogue.samples_of(octets, little)]
    if message["sample_count"] != len(values):
        notes.append(f"{len(values)} samples are there, {message['sample_count']} were announced")
    runs = []
    resolutions = message["resolutions"]
    for resolution in resolutions if isinstance(resolutions, list) else []:
        value, ms = resolution.value(), _TO_MS.get(resolution.unit_name())
        step = value * ms if ms is not None and isinstance(value, (int, float)) else None
        runs.append((resolution.last - resolution.first + 1, step))
    if len(runs) == 1:
        runs = [(len(values), runs[0][1])]
    what = message["trace_type"]
    name = NAMES.get(what, f"type {what}")
    one = tightenings.tightening(None, str(ident), str(message["time"] or ""), _named(message))
    one.curves[name] = Curve(name, _unit(message["unit"]), values, _steps(runs, len(values)), notes=notes)


def _named(message: catalogue.Message) -> Named:
    fields = message.get("data_fields")
    values = [one.value() for one in fields if one.pid == _BOLT] if isinstance(fields, list) else []
    return next(iter(values), None), message.header()["spindle"], message.get("object_id")


def _unit(number: object) -> str:
    from toolcart.catalogue.units import unit_of

    return unit_of(number) if isinstance(number, int) else ""
