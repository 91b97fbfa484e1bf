"""What an option of a simulated controller, and a field of its results, may be: whoever gives another is told in words.

Rules
1. `wrong` and `wrong_field` return what is allowed, empty if a value will do. Nothing is sent that means nothing.
2. What this simulator can send is allowed: a revision that it has no layout of is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_model import Identity, Tightening

_REVISIONS = range(1, 1000)
_MIDS = range(1, 10000)
_PERCENT = range(101)
_SIGNED = range(-(2**31), 2**31)
_COUNT = range(2**31)
_MILLISECONDS = range(432_000_001)  # five days: a clock of milliseconds compares moments up to six days apart

# Of a number, or of each in a list: those that it may be.
NUMBERS: dict[str, Any] = {
    "start_revisions": sorted(frames.STARTED),
    "answer_start_revision": sorted(frames.STARTED),
    "result_revisions": sorted([*frames.PUSHED, 999]),
    "pushed_revision": sorted([*frames.PUSHED, 999]),
    "recover_revisions": sorted(frames.OLD),
    "answer_recover_revision": sorted(frames.OLD),
    "pset_data_revisions": sorted(frames.PSET),
    "job_command_revisions": (1, 2),
    "alarm_revisions": (1, 2, 3),
    "pset_revisions": (1, 2),
    "job_revisions": sorted(frames.JOB),
    "vin_revisions": (1, 2),
    "generic_alarm_revisions": _REVISIONS,
    "operations": (1, 2, 3),
    "cycles": _REVISIONS,
    "sync": _REVISIONS,
    "traces": (1, 2, 3),
    "trace_types": range(1, 7),
    "blank_start_revision": range(1000),
    "commands": _MIDS,
    "unknown_mids": _MIDS,
    "header_spindles": range(1, 100),
    "light_statuses": range(10),
    "drop_after_received": range(1, 2**31),
    "drop_after_sent": range(1, 2**31),
    "link_lost": range(1, 2**31),
    "nok_percent": _PERCENT,
    "torque_unit": (1, 12, 90),
    "spindles": range(1, 100),
    "window": range(1, 2**31),
    "clock_ahead_s": _SIGNED,
    "ids_off_by": _SIGNED,
    "seed": _SIGNED,
    "start_refusal_code": _PERCENT,
    "result_refusal_code": _PERCENT,
    "history_refusal_code": _PERCENT,
    "ack_refusal_code": _PERCENT,
    "busy_code": _PERCENT,
}
_OR_NONE = ("answer_start_revision", "pushed_revision", "answer_recover_revision")


def wrong(kind: type, name: str, value: Any) -> str:
    """Return what this option of such settings may be, empty if this value is it."""
    allowed = getattr(kind, "ALLOWED", {}).get(name)
    if allowed is not None:
        good = any(type(value) is type(one) and value == one for one in allowed)
        return "" if good else "one of " + ", ".join(str(one) for one in allowed)
    check = _OF_NAME.get(name)
    if check is not None:
        return check(name, value)
    default = kind.DEFAULTS[name]  # type: ignore[attr-defined]
    for one, wanted in _OF_KIND:
        if isinstance(default, one):
            return wanted(name, value)
    return "" if value is None or isinstance(value, str) else "text, or None"


def wrong_field(kind: type, name: str, value: Any) -> str:
    """Return what a field of Tightening or Identity may be, empty if this value is it; None leaves it blank."""
    default = getattr(kind, name, None)
    if name.startswith("_") or not hasattr(kind, name):
        return "one of the fields " + ", ".join(one for one in vars(kind) if not one.startswith("_"))
    if value is None:
        return ""
    if isinstance(default, str | bytes):
        return "" if isinstance(value, str | bytes) else "text, or None"
    most = 10 ** frames.ROOM.get(name, 10) - 1
    return "" if _is_in(value, range(most + 1)) else f"a whole number, 0 to {most}, or None"


def _is_in(value: Any, allowed: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _said(allowed: Any) -> str:
    if not isinstance(allowed, range):
        return "one of " + ", ".join(map(str, allowed))
    return f"{allowed[0]} or more" if allowed[-1] == 2**31 - 1 and allowed[0] >= 0 else f"{allowed[0]} to {allowed[-1]}"


def _flag(_: str, value: Any) -> str:
    return "" if isinstance(value, bool) else "True or False"


def _number(name: str, value: Any) -> str:
    allowed = NUMBERS.get(name, _MILLISECONDS if name.endswith("_ms") else _COUNT)
    if value is None and name in _OR_NONE:
        return ""
    or_none = ", or None" if name in _OR_NONE else ""
    return "" if _is_in(value, allowed) else f"a whole number, {_said(allowed)}{or_none}"


def _numbers(name: str, value: Any) -> str:
    allowed = NUMBERS.get(name, _COUNT)
    if isinstance(value, tuple | list) and all(_is_in(one, allowed) for one in value):
        return ""
    return f"a list of whole numbers, {_said(allowed)} each"


def _text(_: str, value: Any) -> str:
    return "" if isinstance(value, str) else "text"


def _dictionary(_: str, value: Any) -> str:
    return "" if isinstance(value, dict) else "a dictionary"


def _octets(_: str, value: Any) -> str:
    return "" if isinstance(value, bytes) else "bytes"


def _code(value: Any) -> bool:
    return value is None or _is_in(value, range(1000))


def _refusals(_: str, value: Any) -> str:
    if isinstance(value, dict) and all(_is_in(mid, _MIDS) and _code(value[mid]) for mid in value):
        return ""
    return "a dictionary of MIDs, 1 to 9999, and the code of each, 0 to 999, or None for no answer"


def _refusals_once(_: str, value: Any) -> str:
    if isinstance(value, tuple | list) and all(
        isinstance(one, tuple | list) and len(one) == 2 and _is_in(one[0], _MIDS) and _code(one[1]) for one in value
    ):
        return ""
    return "a list of (MID, code): 1 to 9999, and 0 to 999, or None for no answer"


def _ends(_: str, value: Any) -> str:
    if isinstance(value, dict) and all(_is_in(mid, range(10000)) and _is_in(value[mid], _SIGNED) for mid in value):
        return ""
    return "a dictionary of MIDs, 0 for any, and milliseconds"


def _fields(kind: type) -> Callable[[str, Any], str]:
    def check(_: str, value: Any) -> str:
        if not isinstance(value, dict):
            return "a dictionary of fields"
        for field in value:
            allowed = wrong_field(kind, str(field), value[field])
            if allowed:
                is_field = hasattr(kind, str(field))
                return (
                    f"a dictionary whose {field} is {allowed}" if is_field else f"a dictionary whose keys are {allowed}"
                )
        return ""

    return check


def _characters(_: str, value: Any) -> str:
    return "" if isinstance(value, str) and len(value) == 2 and value.isascii() else "two characters"


def _expected(_: str, value: Any) -> str:
    return "" if value is None or (isinstance(value, bytes) and len(value) == 2) else "two bytes, or None"


def _pad(_: str, value: Any) -> str:
    return "" if value in (b" ", b"\0") and isinstance(value, bytes) else "b' ' or b'\\0'"


_OF_NAME: dict[str, Callable[[str, Any], str]] = {
    **dict.fromkeys(_OR_NONE, _number),
    "refuse": _refusals,
    "refuse_once": _refusals_once,
    "ends_refused": _ends,
    "identity": _fields(Identity),
    "pushed_as": _fields(Tightening),
    "fetched_as": _fields(Tightening),
    "station": _characters,
    "spindle": _characters,
    "expected_station": _expected,
    "pad": _pad,
}
_OF_KIND: tuple[tuple[Any, Callable[[str, Any], str]], ...] = (
    (bool, _flag),
    (int, _number),
    ((tuple, list), _numbers),
    (str, _text),
    (bytes, _octets),
    (dict, _dictionary),
)
