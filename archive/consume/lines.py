"""A line of an outlet (docs/outlets.schema.json) as the fields of the telegram that ToolsNet gets for the same record.

What becomes a row is decided after that, in one place for all input (toolcart.toolsnet.rows).

Rules
1. Every field is read by toolcart.archive.consume.line_fields. A measured value or limit that the line does not have,
   or that cannot be read, is unknown; nothing stands in its place.
2. A torque in another unit is converted to Nm by the agent's own factors; decimals beyond the telegram's stay.
3. Text is cut to its column; beyond plain ASCII it is as toolcart.archive.database.unescaping has it: a database
   takes no NUL.
4. What cannot be read is in the result's parameter `Odd fields` as it came, and in `breaches`. A result without a
   readable time, spindle or list of spindles cannot be stored under its name: it is kept as it came, like a frame.
5. A line that has no time gets what telegram 09 has then, NO_TIME; a result says so in `Odd fields`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from toolcart.agent.linux import telegram13
from toolcart.agent.linux.curve_assembly import UNITS as GRAPH_UNITS
from toolcart.agent.record.malformed import unique_numbers
from toolcart.agent.record.text import _UNITS
from toolcart.agent.toolsnet.result04 import _UNITS as NM_OF_UNIT
from toolcart.agent.toolsnet.result04 import PERCENT
from toolcart.archive.consume.line_fields import LineFields, Unreadable
from toolcart.archive.database.unescaping import VIN_OCTETS, octets_left_out
from toolcart.toolsnet.layouts import REAL_MOST

NO_TIME = "20000101000000"  # what telegram 09 says if there is no time
PROGRAM_FOR_ZERO = 9999
_PARAMETER_MOST = 25
_SERIAL_MOST = 10
_FIGURE = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
UNIT_NAMES = dict(enumerate(_UNITS, 0x31))
_FACTORS = {name: NM_OF_UNIT.get(code) for code, name in UNIT_NAMES.items()}
_JUDGED = {"OK": 0, "NOK": 1, "low": 2, "high": 3}
_VERDICTS = {"OK": 0, "NOK": 1}
_TIME_SOURCES = {"controller": "", "agent": "EDGE", "agent, clock unset": "EDGE, CLOCK UNSET"}
_BATCH = {"not completed": "0", "OK": "1", "not used": "2", "running": "0"}
_PM = {"OK": "0", "OKR": "1", "NOK": "2", "TERMNOK": "3"}
_TEXT, _INTEGER, _REAL = range(3)
_CODES = {"parameter set": 60003, "job": 60004, "vehicle": 60005, "results gone": 60016, "command": 60017}
_CODE_NONE = 99999
_SPINDLE_MOST = 9999
_STEP_MOST = 2**31 - 1
_KEPT_MOST = 10_000  # of a line that is kept as it came
_CURVES = {"torque": 0, "angle": 1}
_UNIT_CODES: dict[str | None, int] = {name: code for code, name in GRAPH_UNITS.items() if code != 90}

Place = tuple[int, int, int]


def placed(place: Place) -> dict:
    """Return the fields that say which station a telegram is from."""
    return dict(zip(("system_type", "system", "station"), place, strict=True))


def record_of(line: dict, place: Place) -> dict | str:
    """Return a result's fields (`result_of`); the line as it came if it cannot be stored under its name."""
    try:
        return result_of(line, place)
    except Unreadable:
        return json.dumps(line)[:_KEPT_MOST]


def result_of(line: dict, place: Place) -> dict:
    """Return the fields of telegram 04 (toolcart.toolsnet.telegrams) for a result's line, still without `sequence`.

    `unread` and `breaches` say what could not be read. Raises Unreadable if that is whose result it is, or when it was.
    """
    of = LineFields(line)
    time = time_of(of, "time")
    several = of.part("spindles")
    of.must("spindles")
    each = several.parts("each", apart=True) if several else []
    if several:
        several.must("each")
    builder = _Result(of, each)
    builder.add_common()
    if several and each:
        builder.add_several(several)
    fields = {
        **placed(place),
        "time": time,
        "vin": of.text("vin"),
        "spindles": builder.spindles(),
        "vins": builder.vins(several),
        "parameters": builder.parameters,
        "unread": builder.unread,
        "breaches": of.breaches,
    }
    builder.add_odd(time == NO_TIME)
    return fields


class _Result:
    """A result's line while its telegram is made; `each` are its spindles, empty if it has no list of them."""

    def __init__(self, line: LineFields, each: list[LineFields]) -> None:
        self.line = line
        self.program = program_of(line)
        self.parameters: list[dict] = []
        self.unread: set[str] = set()
        self._each = each
        self._numbers = _spindle_numbers(each) if each else [line.needed("spindle", 1, _SPINDLE_MOST)]
        self._owner = 0 if each else self._numbers[0]  # of several spindles: they belong to all
        self._serial = "" if each else line.text("tool_serial")
        unit = line.word("torque_unit", _FACTORS, is_needed=True)
        self._factor = _FACTORS.get(unit) if unit else None
        self._has_unit = unit is not None

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
        ident = line.text("tightening_id", is_whole=True)
        self.add(30, "Tightening ID", ident.zfill(10) if ident.isdigit() else ident)
        self.add(1500, "Job ID", line.digits("job"), _INTEGER)
        self.add(100, "Batch size", line.digits("batch_size"), _INTEGER)
        self.add(101, "Batch counter", line.digits("batch_counter"), _INTEGER)
        self.add(102, "Batch status", _BATCH.get(line.word("batch_status", _BATCH) or "", ""), _INTEGER)
        self.add(1003, "Pset last change", line.text("program_changed").replace("T", ":", 1))
        if line.digits("program") == "0":
            self.add(1000, "Program number", "0")
        serial = line.text("tool_serial")
        if len(serial) > _SERIAL_MOST:
            self.add(1202, "Tool serial number", serial)
        if not (self._nm("torque_min") or self._nm("torque_max")):
            self.add(60002, "Limits", "UNKNOWN")
        self.add(60003, "Time source", _TIME_SOURCES.get(line.word("time_source", _TIME_SOURCES) or "", ""))
        is_percent = line.values.get("torque_unit") == UNIT_NAMES[PERCENT]
        if is_percent:
            self.add(60004, "Torque unit", "%")
        vin = line.values.get("vin")
        octets = octets_left_out(vin if isinstance(vin, str) else "")
        for ident, name, start in zip(VIN_OCTETS, ("VIN, bytes", "VIN, more bytes"), (0, _PARAMETER_MOST), strict=True):
            self.add(ident, name, octets[start:])
        is_fetched = line.flag("fetched")
        if not line.is_unread("fetched"):
            self.add(60001, "Edge source", "RECOVERED" if is_fetched else "LIVE")
        for ident, name, text, unit, most in (
            (2000, "Torque, final target", self._nm("torque_target"), "%" if is_percent else "Nm", 5),
            (2010, "Angle, target", line.number("angle_target"), "deg", 6),
        ):
            if text:
                whole, _, rest = text.partition(".")
                self.add(ident, name, f"{whole.zfill(most)}.{rest or 0}", _REAL, unit=unit)

    def add_several(self, several: LineFields) -> None:
        """Add what a result of several spindles has beside that."""
        self._owner = 0
        if (several.whole("told") or 0) > len(self._each):
            self.add_figure(60007, "Spindles in all", several.digits("told"))
        if several.flag("press"):
            self.add(60008, "Press", "kN, mm")
        self.add_figure(60009, "PM status", _PM.get(several.word("pm_status", _PM) or "", ""))
        self.add(60010, "Station", several.text("station_name"))
        self.add(60011, "Mode", several.text("mode_name"))
        if several.whole("job_sequence"):
            self.add_figure(1501, "Job sequence number", several.digits("job_sequence"))
        self._add_specials(several)
        for number, spindle in zip(self._numbers, self._each, strict=True):
            self._owner = number
            bolt = spindle.part("bolt")
            if bolt:
                self._add_bolt(bolt)
            self.add_figure(60020, "Reference object", spindle.digits("reference_object"))

    def _add_bolt(self, bolt: LineFields) -> None:
        number = bolt.text("number")
        self.add(1301, "Bolt number", number.zfill(4) if number else "")
        self.add(60014, "Bolt name", bolt.text("name"))
        self.add(60015, "Program name", bolt.text("program"))
        self.add(60016, "PM status", _PM.get(bolt.word("pm_status", _PM) or "", ""))
        errors = bolt.text("errors", 2 * _PARAMETER_MOST)
        self.add(60017, "Errors", errors[:_PARAMETER_MOST].rstrip())
        self.add(60018, "Errors, more", errors[_PARAMETER_MOST:].strip())
        self.add(60019, "Customer error code", bolt.text("customer_error"))
        for one in bolt.parts("values"):
            self.add_figure(60012, one.text("name") or "Value", one.text("value"), _step(one))
        self._add_specials(bolt)

    def _add_specials(self, of: LineFields) -> None:
        for one in of.parts("special"):
            value = one.text("value", 99)
            for start in range(0, len(value), _PARAMETER_MOST):
                piece = value[start : start + _PARAMETER_MOST].rstrip()
                self.add(60012, one.text("name") or "Value", piece, step=_step(one))

    def add_odd(self, is_without_time: bool) -> None:
        """Add what was odd: what the station says of it, and what could not be read here, each with its spindle."""
        self._owner = 0 if self._each else self._numbers[0]
        texts = [self.line.text("odd"), "no time" if is_without_time else "", *self.line.marks]
        self.add(60006, "Odd fields", ", ".join(text for text in texts if text))
        for number, spindle in zip(self._numbers, self._each, strict=False):
            self._owner = number
            self.add(60006, "Odd fields", ", ".join(spindle.marks))

    # -- spindles and VINs -----------------------------------------------------------------------------------------

    def spindles(self) -> list[dict]:
        """Return the spindles' parts; just one if the line has no list of spindles."""
        if not self._each:
            return [self._part(0, self._numbers[0], self.line, self._nm)]
        pairs = zip(self._numbers, self._each, strict=True)
        return [self._part(index, number, one, one.number) for index, (number, one) in enumerate(pairs)]

    def _part(self, index: int, number: int, of: LineFields, torque: Callable[[str], str]) -> dict:
        verdict = of.word("status", _VERDICTS, is_needed=True)
        overall = _VERDICTS[verdict] if verdict else 1

        def limit(name: str) -> str:
            if of.values.get(name) is not None:
                return (torque if "torque" in name else of.number)(name)
            return (self._nm if "torque" in name else self.line.number)(name)  # one that all share is in the line

        def judged(name: str) -> int:
            word = of.word(name, _JUDGED)
            if of.is_unread(name):
                self.unread.add(f"spindles[{index}].{name}")
            return _JUDGED[word] if word else overall

        return {
            "spindle": number,
            "serial": self._serial[-_SERIAL_MOST:],
            "program": self.program,
            "overall": overall,
            "torque_low": limit("torque_min"),
            "torque": torque("torque"),
            "torque_high": limit("torque_max"),
            "torque_status": judged("torque_status"),
            "angle_low": limit("angle_min"),
            "angle": of.number("angle"),
            "angle_high": limit("angle_max"),
            "angle_status": judged("angle_status"),
            "time_status": 0,
        }

    def vins(self, several: LineFields | None) -> list[dict]:
        """Return additional identifiers, and the rest of a Wp. Id."""
        numbered = [(number, self.line.text(f"identifier_{number + 1}")) for number in (1, 2, 3)]
        if several:
            numbered.append((1, several.text("vin_rest")))
        return [{"identifier": number, "vin": vin} for number, vin in numbered if vin]

    def _nm(self, name: str) -> str:
        """Return a torque of the line in Nm; "" if it is unknown, as all are in a unit that is."""
        text = self.line.number(name) if self._has_unit else ""
        if not text or self._factor is None:
            return text
        more, less = self._factor
        whole, _, rest = text.lstrip("-").partition(".")
        hundredths = (int(whole + (rest + "00")[:2]) * more + less // 2) // less
        if hundredths > 100 * REAL_MOST:
            self.line.note(name, f"{-REAL_MOST:.0f} to {REAL_MOST:.0f} Nm")
            return ""
        return f"{'-' if text.startswith('-') else ''}{hundredths // 100}.{hundredths % 100:02d}"


def event_of(line: dict, place: Place) -> dict:
    """Return the fields of telegram 09 for an event's line; `breaches` say what could not be read. Unreadable."""
    of = LineFields(line)
    what = of.text("event", is_needed=True)
    is_alarm = what.startswith("alarm")
    code = of.text("code", is_needed=True)
    numbers = re.findall(r"\d{1,9}", code)
    fits = is_alarm and len(numbers) == 1 and int(numbers[0]) <= _CODE_NONE
    return {
        **placed(place),
        "sequence": (of.needed("number", 1) - 1) % _CODE_NONE + 1,
        "time": time_of(of, "time"),
        "code": int(numbers[0]) if fits else _CODE_NONE if is_alarm else _CODES.get(what, _CODE_NONE),
        "level": _level(what, of),
        "parameters": _event_parameters(of, code),
        "breaches": of.breaches,
    }


def _level(what: str, of: LineFields) -> int:
    if what == "results gone":
        return 2
    return 0 if what != "alarm" else 1 + (of.flag("controller_ready") is False or of.flag("tool_ready") is False)


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


def _event_parameters(of: LineFields, code: str) -> list[dict]:
    parameters: list[dict] = []

    def put(ident: int, text: str, kind: int = _TEXT) -> None:
        for start in range(0, len(text), _EVENT_VALUE):  # a longer text goes on in the next IDs
            piece = text[start : start + _EVENT_VALUE].strip()
            parameters.append({"parameter_id": ident + start // _EVENT_VALUE, "type": kind, "value": piece})

    put(1, code)
    for name, ident in (("controller_ready", 2), ("tool_ready", 3)):
        is_ready = of.flag(name)
        if is_ready is not None:
            put(ident, str(int(is_ready)), _INTEGER)
    is_vehicle = of.text("event") == "vehicle"
    for name, ident, is_number in _EVENT_FIELDS:
        if is_number:
            put(ident, of.digits(name), _INTEGER)
        else:
            put(30 if is_vehicle and name == "text" else ident, of.text(name, 60))
    for name, ident in _EVENT_WORDS:
        put(ident, of.text(name, _EVENT_VALUE))
    return parameters


def curve_of(line: dict, place: Place) -> dict | None:
    """Return the fields of telegram 13 for a curve's line, with its result's number as `sequence`; None if left out.

    As with ToolsNet, only curves of torque and angle whose result is known are taken, and one whose scale or samples
    cannot be read is none. Raises Unreadable; `breaches` say what else could not be read.
    """
    of = LineFields(line)
    kind = _CURVES.get(of.text("curve"))
    result = of.whole("result", 1)
    samples = of.numbers("samples", -0x8000, 0x7FFF)
    unit = of.text("unit")
    if (
        unit and unit not in _UNIT_CODES and not unit.startswith("unit ")
    ):  # as toolcart.agent.linux.curve_assembly has others
        of.note("unit", "a unit")
    steps = _steps(of)
    of.must("curve", "result", "samples", "unit", "steps")
    if kind is None or result is None or not samples:
        return None
    dom, nom = of.whole("numerator", 1) or 1, of.whole("denominator", 1) or 1
    of.must("numerator", "denominator")
    shift, dom, nom = telegram13.scale(0, dom, nom, _UNIT_CODES.get(unit, 0))
    evened, distance = telegram13.even(samples, steps)
    return {
        **placed(place),
        "spindle": of.needed("spindle", 0, _SPINDLE_MOST),
        "program": program_of(of),
        "sequence": result,
        "time": time_of(of, "result_time"),
        "graph_type": kind,
        "bit_shift": shift,
        "factor_dom": dom,
        "factor_nom": nom,
        "limit_min": of.number("low"),
        "limit_max": of.number("high"),
        "angle_offset": "0",
        "sample_ms": str(float(distance)),
        "samples": b"".join((one & 0xFFFF).to_bytes(2, "big") for one in evened),
        "breaches": of.breaches,
    }


def ident_of(line: dict) -> int | None:
    """Return the tightening ID of a curve's line; None if it has none that is a number."""
    ident = LineFields(line).text("tightening_id", is_whole=True)
    return int(ident) if ident.isdigit() else None


def _steps(of: LineFields) -> list[tuple[int, int, int]]:
    """Read pairs of a count and ms, the ms as whole millionths; zero if unknown."""
    steps = []
    for one in of.pairs("steps"):
        count, ms = one
        if type(count) is not int or not 0 <= count <= _STEP_MOST:
            of.note("steps", "pairs of a count and ms")
        elif ms is None:
            steps.append((count, 0, 1_000_000))
        elif type(ms) in (int, float) and 0 <= ms < _STEP_MOST:
            steps.append((count, round(ms * 1_000_000), 1_000_000))
        else:
            of.note("steps", "pairs of a count and ms")
    return steps


def frame_text(line: dict) -> str:
    """Return the message that could not be read, in printable form."""
    frame = line.get("frame")
    return "".join(letter if " " <= letter <= "~" else f"\\x{ord(letter):02x}" for letter in str(frame or ""))


def program_of(of: LineFields) -> int:
    """Return the program as a telegram has it; as there, one that cannot be read is 0, which is none."""
    program = of.whole("program")
    return 0 if of.is_unread("program") else program or PROGRAM_FOR_ZERO


def time_of(of: LineFields, name: str) -> str:
    """Return a time's 14 digits, NO_TIME if there is none; Unreadable."""
    time = of.time(name)
    of.must(name)
    return time or NO_TIME


def _spindle_numbers(each: list[LineFields]) -> list[int]:
    """Return the spindles' numbers, all different: the same that their telegram has. Unreadable."""
    numbers = [one.whole("spindle", 0, _SPINDLE_MOST) or 0 for one in each]
    for one in each:
        one.must("spindle")
    return unique_numbers(numbers)


def _step(one: LineFields) -> int:
    return min(one.whole("step") or 0, 99)
