"""A line of an outlet (docs/outlets.schema.json) as the fields of the telegram that ToolsNet gets for the same record.

What becomes a row is decided after that, in one place for all input (toolcart.toolsnet.rows).

Rules
1. What the line does not have gets what the telegram has in its place: zero for a figure, `UNKNOWN` for limits.
2. A torque in another unit is converted to Nm by the agent's own factors; decimals beyond the telegram's stay.
3. Text is cut to its column; beyond plain ASCII it is as toolcart.archive.database.unescaping has it: a database
   takes no NUL.
4. A wrong type or a number out of range counts as absent. Only what identifies the record has to be right.
"""

from __future__ import annotations

import re
from typing import Any

from toolcart.agent.linux import telegram13
from toolcart.agent.linux.curve_assembly import UNITS as GRAPH_UNITS
from toolcart.agent.record.text import _UNITS
from toolcart.agent.toolsnet.result04 import _UNITS as NM_OF_UNIT
from toolcart.agent.toolsnet.result04 import PERCENT
from toolcart.archive.database.unescaping import VIN_OCTETS, octets_left_out, of_line

NO_TIME = "20000101000000"  # what telegram 09 says if there is no time
PROGRAM_FOR_ZERO = 9999
_WHOLE_MOST = 2**31 - 1
_PARAMETER_MOST = 25
_SERIAL_MOST = 10
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)
_FIGURE = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
UNIT_NAMES = dict(enumerate(_UNITS, 0x31))
_FACTORS = {name: NM_OF_UNIT.get(code) for code, name in UNIT_NAMES.items()}
_JUDGED = {"OK": 0, "NOK": 1, "low": 2, "high": 3}
_BATCH = {"not completed": "0", "OK": "1", "not used": "2", "running": "0"}
_PM = {"OK": "0", "OKR": "1", "NOK": "2", "TERMNOK": "3"}
_TEXT, _INTEGER, _REAL = range(3)
_CODES = {"parameter set": 60003, "job": 60004, "vehicle": 60005, "results gone": 60016, "command": 60017}
_CODE_NONE = 99999
_CURVES = {"torque": 0, "angle": 1}
_UNIT_CODES: dict[str | None, int] = {name: code for code, name in GRAPH_UNITS.items() if code != 90}

Place = tuple[int, int, int]


class Unreadable(Exception):
    """Not a valid line or batch; the text says why."""


def placed(place: Place) -> dict:
    """Return the fields that say which station a telegram is from."""
    return dict(zip(("system_type", "system", "station"), place, strict=True))


def result_of(line: dict, place: Place) -> dict:
    """Return the fields of telegram 04 (toolcart.toolsnet.telegrams) for a result's line, still without `sequence`."""
    several = line.get("spindles") if isinstance(line.get("spindles"), dict) else None
    each = _dicts(several.get("each")) if several else []
    builder = _Result(line, len(each))
    builder.add_common()
    if several and each:
        builder.add_several(several, each)
    return {
        **placed(place),
        "time": time_of(line.get("time")),
        "vin": _text(line.get("vin")),
        "spindles": builder.spindles(each),
        "vins": builder.vins(several),
        "parameters": builder.parameters,
    }


class _Result:
    """A result's line while its telegram is made."""

    def __init__(self, line: dict, several: int) -> None:
        self.line = line
        self.program = _whole(line.get("program"), 1) or PROGRAM_FOR_ZERO
        self.parameters: list[dict] = []
        self._spindle = _whole(line.get("spindle")) or 0
        self._owner = 0 if several else self._spindle  # of several spindles: they belong to all
        self._serial = "" if several else _text(line.get("tool_serial"))
        unit = line.get("torque_unit")
        self._factor = _FACTORS.get(unit) if isinstance(unit, str) else None

    # -- parameters ------------------------------------------------------------------------------------------------

    def add(self, ident: int, name: str, value: str, kind: int = _TEXT, *, unit: str = "", step: int = 0) -> None:
        """Add a parameter, unless it is blank."""
        if value:
            parameter = {
                "parameter_id": ident,
                "name": name,
                "value": value[:_PARAMETER_MOST],
                "type": kind,
                "unit": unit,
            }
            self.parameters.append({"spindle": self._owner, "program": self.program, "step": step, **parameter})

    def add_figure(self, ident: int, name: str, text: str, step: int = 0) -> None:
        """Add a parameter as a number if it can be read as one."""
        if _FIGURE.fullmatch(text):
            whole, point, rest = text.lstrip("+-").partition(".")
            value = ("-" if text.startswith("-") else "") + (whole.lstrip("0") or "0") + point + rest
            self.add(ident, name, value, _REAL if point else _INTEGER, step=step)
        else:
            self.add(ident, name, text, step=step)

    def add_common(self) -> None:
        """Add what a result of one spindle has."""
        line = self.line
        ident = _text(line.get("tightening_id"))
        self.add(30, "Tightening ID", ident.zfill(10) if ident.isdigit() else ident)
        self.add(1500, "Job ID", _text(line.get("job")), _INTEGER)
        self.add(100, "Batch size", _digits(line.get("batch_size")), _INTEGER)
        self.add(101, "Batch counter", _digits(line.get("batch_counter")), _INTEGER)
        self.add(102, "Batch status", _BATCH.get(_text(line.get("batch_status")), ""), _INTEGER)
        self.add(1003, "Pset last change", _text(line.get("program_changed")).replace("T", ":", 1))
        if _text(line.get("program")) == "0":
            self.add(1000, "Program number", "0")
        serial = _text(line.get("tool_serial"))
        if len(serial) > _SERIAL_MOST:
            self.add(1202, "Tool serial number", serial)
        if line.get("torque_min") is None and line.get("torque_max") is None:
            self.add(60002, "Limits", "UNKNOWN")
        source = {"agent": "EDGE", "agent, clock unset": "EDGE, CLOCK UNSET"}.get(_text(line.get("time_source")))
        if source:
            self.add(60003, "Time source", source)
        is_percent = line.get("torque_unit") == UNIT_NAMES[PERCENT]
        if is_percent:
            self.add(60004, "Torque unit", "%")
        octets = octets_left_out(str(line.get("vin") or ""))
        for ident, name, start in zip(VIN_OCTETS, ("VIN, bytes", "VIN, more bytes"), (0, _PARAMETER_MOST), strict=True):
            self.add(ident, name, octets[start:])
        self.add(60006, "Odd fields", _text(line.get("odd")))
        self.add(60001, "Edge source", "RECOVERED" if line.get("fetched") is True else "LIVE")
        for ident, name, text, unit, most in (
            (2000, "Torque, final target", self._nm(line.get("torque_target")), "%" if is_percent else "Nm", 5),
            (2010, "Angle, target", _number(line.get("angle_target")), "deg", 6),
        ):
            if text:
                whole, _, rest = text.partition(".")
                self.add(ident, name, f"{whole.zfill(most)}.{rest or 0}", _REAL, unit=unit)

    def add_several(self, several: dict, each: list[dict]) -> None:
        """Add what a result of several spindles has beside that."""
        self._owner = 0
        if (_whole(several.get("told")) or 0) > len(each):
            self.add_figure(60007, "Spindles in all", _digits(several.get("told")))
        if several.get("press") is True:
            self.add(60008, "Press", "kN, mm")
        self.add_figure(60009, "PM status", _PM.get(_text(several.get("pm_status")), ""))
        self.add(60010, "Station", _text(several.get("station_name")))
        self.add(60011, "Mode", _text(several.get("mode_name")))
        if _whole(several.get("job_sequence"), 1):
            self.add_figure(1501, "Job sequence number", _digits(several.get("job_sequence")))
        self._add_specials(several.get("special"))
        for number, spindle in zip(_spindle_numbers(each), each, strict=True):
            self._owner = number
            if isinstance(spindle.get("bolt"), dict):
                self._add_bolt(spindle["bolt"])
            self.add_figure(60020, "Reference object", _digits(spindle.get("reference_object")))

    def _add_bolt(self, bolt: dict) -> None:
        number = _text(bolt.get("number"))
        self.add(1301, "Bolt number", number.zfill(4) if number else "")
        self.add(60014, "Bolt name", _text(bolt.get("name")))
        self.add(60015, "Program name", _text(bolt.get("program")))
        self.add(60016, "PM status", _PM.get(_text(bolt.get("pm_status")), ""))
        errors = _text(bolt.get("errors"), 2 * _PARAMETER_MOST)
        self.add(60017, "Errors", errors[:_PARAMETER_MOST].rstrip())
        self.add(60018, "Errors, more", errors[_PARAMETER_MOST:].strip())
        self.add(60019, "Customer error code", _text(bolt.get("customer_error")))
        for one in _dicts(bolt.get("values")):
            self.add_figure(60012, _text(one.get("name")) or "Value", _text(one.get("value")), _step(one))
        self._add_specials(bolt.get("special"))

    def _add_specials(self, specials: Any) -> None:
        for one in _dicts(specials):
            value = _text(one.get("value"), 99)
            for start in range(0, len(value), _PARAMETER_MOST):
                piece = value[start : start + _PARAMETER_MOST].rstrip()
                self.add(60012, _text(one.get("name")) or "Value", piece, step=_step(one))

    # -- spindles and VINs -----------------------------------------------------------------------------------------

    def spindles(self, each: list[dict]) -> list[dict]:
        """Return the spindles' parts; just one if the line has no list of spindles."""
        if not each:
            return [self._part(self._spindle, self.line, self._nm)]
        return [self._part(number, one, _number) for number, one in zip(_spindle_numbers(each), each, strict=True)]

    def _part(self, number: int, of: dict, torque: Any) -> dict:
        overall = int(of.get("status") != "OK")

        def limit(name: str, figure: Any) -> str:
            own = of.get(name)  # one that all spindles share is in the line itself
            return figure(own) if own is not None else (self._nm if "torque" in name else _number)(self.line.get(name))

        return {
            "spindle": number,
            "serial": self._serial[-_SERIAL_MOST:],
            "program": self.program,
            "overall": overall,
            "torque_low": limit("torque_min", torque) or "0",
            "torque": torque(of.get("torque")) or "0",
            "torque_high": limit("torque_max", torque) or "0",
            "torque_status": _judged(of.get("torque_status"), overall),
            "angle_low": limit("angle_min", _number) or "0",
            "angle": _number(of.get("angle")) or "0",
            "angle_high": limit("angle_max", _number) or "0",
            "angle_status": _judged(of.get("angle_status"), overall),
            "time_status": 0,
        }

    def vins(self, several: dict | None) -> list[dict]:
        """Return additional identifiers, and the rest of a Wp. Id."""
        numbered = [(number, _text(self.line.get(f"identifier_{number + 1}"))) for number in (1, 2, 3)]
        if several:
            numbered.append((1, _text(several.get("vin_rest"))))
        return [{"identifier": number, "vin": vin} for number, vin in numbered if vin]

    def _nm(self, value: Any) -> str:
        text = _number(value)
        if not text or self._factor is None:
            return text
        more, less = self._factor
        whole, _, rest = text.lstrip("-").partition(".")
        hundredths = int(whole + (rest + "00")[:2]) * more // less
        return f"{'-' if text.startswith('-') else ''}{hundredths // 100}.{hundredths % 100:02d}"


def event_of(line: dict, place: Place) -> dict:
    """Return the fields of telegram 09 for an event's line."""
    what = _text(line.get("event"))
    is_alarm = what.startswith("alarm")
    code = _text(line.get("code"))
    numbers = re.findall(r"\d{1,9}", code)
    fits = is_alarm and len(numbers) == 1 and int(numbers[0]) <= _CODE_NONE
    number = _whole(line.get("number"), 1)
    if number is None:
        raise Unreadable("an event without a number")
    return {
        **placed(place),
        "sequence": (number - 1) % _CODE_NONE + 1,
        "time": time_of(line.get("time")),
        "code": int(numbers[0]) if fits else _CODE_NONE if is_alarm else _CODES.get(what, _CODE_NONE),
        "level": _level(what, line),
        "parameters": _event_parameters(line, code),
    }


def _level(what: str, line: dict) -> int:
    if what == "results gone":
        return 2
    return 0 if what != "alarm" else 1 + (line.get("controller_ready") is False or line.get("tool_ready") is False)


# Parameters of telegram 09 (docs/outlets.md): the line's field, its first ID, whether it is a number.
_EVENT_FIELDS = (
    ("text", 4, False),
    ("program_changed", 10, False),
    ("batch_size", 22, True),
    ("batch_counter", 23, True),
    ("step", 24, True),
    ("steps", 25, True),
    ("step_type", 26, True),
    ("job_sequence", 28, True),
    ("identifier_2", 32, False),
    ("identifier_3", 34, False),
    ("identifier_4", 36, False),
    ("first_id", 40, False),
    ("last_id", 41, False),
    ("count", 42, True),
    ("total", 43, True),
    ("id_epoch", 44, True),
    ("outcome", 50, False),
    ("mid", 51, True),
    ("asked_by", 52, False),
)
_EVENT_WORDS = (("job_status", 20), ("batch_mode", 21), ("last_tightening", 27))
_EVENT_VALUE = 20


def _event_parameters(line: dict, code: str) -> list[dict]:
    parameters: list[dict] = []

    def put(ident: int, text: str, kind: int = _TEXT) -> None:
        for start in range(0, len(text), _EVENT_VALUE):  # a longer text goes on in the next IDs
            piece = text[start : start + _EVENT_VALUE].strip()
            parameters.append({"parameter_id": ident + start // _EVENT_VALUE, "type": kind, "value": piece})

    put(1, code)
    for name, ident in (("controller_ready", 2), ("tool_ready", 3)):
        if isinstance(line.get(name), bool):
            put(ident, str(int(line[name])), _INTEGER)
    is_vehicle = line.get("event") == "vehicle"
    for name, ident, is_number in _EVENT_FIELDS:
        if is_number:
            put(ident, _digits(line.get(name)), _INTEGER)
        else:
            put(30 if is_vehicle and name == "text" else ident, _text(line.get(name), 60))
    for name, ident in _EVENT_WORDS:
        put(ident, _text(line.get(name), _EVENT_VALUE))
    return parameters


def curve_of(line: dict, place: Place) -> dict | None:
    """Return the fields of telegram 13 for a curve's line, with its result's number as `sequence`; None if left out.

    As with ToolsNet, only curves of torque and angle whose result is known are taken.
    """
    kind = _CURVES.get(_text(line.get("curve")))
    result = _whole(line.get("result"), 1)
    samples = line.get("samples")
    if kind is None or result is None or not isinstance(samples, list) or not samples:
        return None
    if not all(type(one) is int and -0x8000 <= one <= 0x7FFF for one in samples):
        raise Unreadable("samples that are none")
    dom, nom = _whole(line.get("numerator"), 1) or 1, _whole(line.get("denominator"), 1) or 1
    shift, dom, nom = telegram13.scale(0, dom, nom, _UNIT_CODES.get(_text(line.get("unit")), 0))
    even, distance = telegram13.even(samples, _steps(line.get("steps")))
    return {
        **placed(place),
        "spindle": _whole(line.get("spindle")) or 0,
        "program": _whole(line.get("program"), 1) or PROGRAM_FOR_ZERO,
        "sequence": result,
        "time": time_of(line.get("result_time")),
        "graph_type": kind,
        "bit_shift": shift,
        "factor_dom": dom,
        "factor_nom": nom,
        "limit_min": _number(line.get("low")),
        "limit_max": _number(line.get("high")),
        "angle_offset": "0",
        "sample_ms": str(float(distance)),
        "samples": b"".join((one & 0xFFFF).to_bytes(2, "big") for one in even),
    }


def ident_of(line: dict) -> int | None:
    """Return the tightening ID of a curve's line; None if it has none that is a number."""
    ident = _text(line.get("tightening_id"))
    return int(ident) if ident.isdigit() else None


def _steps(value: Any) -> list[tuple[int, int, int]]:
    """Read pairs of a count and ms, the ms as whole millionths; zero if unknown."""
    steps = []
    for one in value if isinstance(value, list) else ():
        if isinstance(one, list) and len(one) == 2 and _whole(one[0]) is not None:
            ms = one[1] if isinstance(one[1], int | float) and 0 < one[1] < _WHOLE_MOST else 0
            steps.append((one[0], round(ms * 1_000_000), 1_000_000))
    return steps


def frame_text(line: dict) -> str:
    """Return the message that could not be read, in printable form."""
    frame = line.get("frame")
    return "".join(letter if " " <= letter <= "~" else f"\\x{ord(letter):02x}" for letter in str(frame or ""))


def time_of(value: Any) -> str:
    """Return a time's 14 digits."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    return "".join(match.groups()) if match else NO_TIME


def _spindle_numbers(each: list[dict]) -> list[int]:
    """Return the spindles' own numbers if all are valid and different; else number them in order."""
    numbers = [_whole(one.get("spindle"), 1) or 0 for one in each]
    return numbers if 0 not in numbers and len(set(numbers)) == len(numbers) else list(range(1, len(each) + 1))


def _judged(value: Any, overall: int) -> int:
    return _JUDGED.get(value, overall) if isinstance(value, str) else overall


def _step(one: dict) -> int:
    return min(_whole(one.get("step")) or 0, 99)


def _dicts(value: Any) -> list[dict]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any, most: int = 25) -> str:
    """Return the text without padding, cut to `most`; "" if it is not a text."""
    if not isinstance(value, str):
        return ""
    if not (value.isascii() and value.isprintable()) or "~" in value:
        return of_line(value, most)
    return value.strip()[:most]


def _whole(value: Any, least: int = 0) -> int | None:
    """Return a whole number from `least` on, also one given as digits; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    return value if type(value) is int and least <= value <= _WHOLE_MOST else None


def _digits(value: Any) -> str:
    whole = _whole(value)
    return "" if whole is None else str(whole)


def _number(value: Any) -> str:
    """Return a figure as decimal text; "" for anything else."""
    if type(value) is int or type(value) is float:
        value = str(value) if abs(value) < 1e9 else ""
        return value if "e" not in value else ""
    return value if isinstance(value, str) and _DECIMAL.fullmatch(value) else ""
