"""Parses a correct telegram 04 with three patterns: as toolcart.toolsnet.telegrams does, in a fifth of the time.

Rules
1. Only a telegram without any breach is read here; for any other the answer is None, and the careful reader says what
   is wrong.
2. Both give the same result (a test compares them).
"""

from __future__ import annotations

import re

from toolcart.toolsnet.telegrams import time_ok

_TEXT = rb"([ -~]{%d})"
_HUNDREDTHS = rb"([-0-9]\d{4}\.\d\d)"
_TENTHS = rb"([-0-9]\d{5}\.\d)"
_GENERAL = re.compile(
    rb"04(\d{5})80(\d{4})(\d{4})(\d{4})(\d{14})(\d{5})" + _TEXT % 25 + rb"(\d{4})70(\d\d)29(\d{3})72"
)  # 004:120-145
_SPINDLE = re.compile(
    rb"(\d{4})"
    + _TEXT % 10
    + rb"(\d{4})([01])"
    + _HUNDREDTHS * 2
    + rb"([0-3])"
    + _HUNDREDTHS
    + _TENTHS * 2
    + rb"([0-3])"
    + _TENTHS
    + rb"([0-3])"
)  # 004:147-160
_VIN = re.compile(rb"(\d{4})" + _TEXT % 25)
_PARAMETER = re.compile(
    rb"(\d{4})(\d{4})(\d{5})" + _TEXT % 25 * 2 + rb"([012])" + _TEXT % 6 + rb"(\d\d)"
)  # 004:163-173
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_GENERAL_BYTES, _SPINDLE_BYTES, _VIN_BYTES, _PARAMETER_BYTES = 80, 70, 29, 72
_IDS_MOST = 65535
_INTEGERS = range(-(2**31), 2**31)


def result_of(telegram: bytes) -> dict | None:
    """Return the fields of a telegram 04 without its length; None for other telegrams and incorrect ones."""
    general = _GENERAL.match(telegram)
    if general is None:
        return None
    one = general.groups()
    identifier, system_type, system, station, sequence = (int(one[at]) for at in (0, 1, 2, 3, 5))
    spindles, vins, parameters = int(one[7]), int(one[8]), int(one[9])
    first_vin = _GENERAL_BYTES + spindles * _SPINDLE_BYTES
    first_parameter = first_vin + vins * _VIN_BYTES
    if not (identifier and system_type and system and station and spindles and time_ok(one[4])):
        return None
    if len(telegram) != first_parameter + parameters * _PARAMETER_BYTES:
        return None
    found = {
        "system_type": system_type,
        "system": system,
        "station": station,
        "time": one[4].decode(),
        "sequence": sequence,
        "vin": one[6].decode().rstrip(),
        "spindle_count": spindles,
        "spindle_bytes": _SPINDLE_BYTES,
        "vin_count": vins,
        "vin_bytes": _VIN_BYTES,
        "parameter_count": parameters,
        "parameter_bytes": _PARAMETER_BYTES,
        "spindles": [_spindle(telegram, at) for at in range(_GENERAL_BYTES, first_vin, _SPINDLE_BYTES)],
        "vins": [_vin(telegram, at) for at in range(first_vin, first_parameter, _VIN_BYTES)],
        "parameters": [_parameter(telegram, at) for at in range(first_parameter, len(telegram), _PARAMETER_BYTES)],
        "id": "04",
        "identifier": identifier,
    }
    if None in found["spindles"] or None in found["vins"] or None in found["parameters"]:
        return None
    return found


def _spindle(telegram: bytes, at: int) -> dict | None:
    read = _SPINDLE.match(telegram, at)
    if read is None:
        return None
    one = read.groups()
    number, program = int(one[0]), int(one[2])
    if not (number and program):
        return None
    return {
        "spindle": number,
        "serial": one[1].decode().rstrip(),
        "program": program,
        "overall": int(one[3]),
        "torque_low": one[4].decode(),
        "torque": one[5].decode(),
        "torque_status": int(one[6]),
        "torque_high": one[7].decode(),
        "angle_low": one[8].decode(),
        "angle": one[9].decode(),
        "angle_status": int(one[10]),
        "angle_high": one[11].decode(),
        "time_status": int(one[12]),
    }


def _vin(telegram: bytes, at: int) -> dict | None:
    read = _VIN.match(telegram, at)
    if read is None or not int(read[1]):
        return None
    return {"identifier": int(read[1]), "vin": read[2].decode().rstrip()}


def _parameter(telegram: bytes, at: int) -> dict | None:
    read = _PARAMETER.match(telegram, at)
    if read is None:
        return None
    one = read.groups()
    program, number, kind = int(one[1]), int(one[2]), int(one[5])
    name, value = one[3].decode().rstrip(), one[4].decode().rstrip()
    if not (program and name) or number > _IDS_MOST:
        return None
    text = value.strip()
    if kind == 1 and not (_INTEGER.fullmatch(text) and int(text) in _INTEGERS):
        return None
    if kind == 2 and not _NUMBER.fullmatch(text):
        return None
    return {
        "spindle": int(one[0]),
        "program": program,
        "parameter_id": number,
        "name": name,
        "value": value,
        "type": kind,
        "unit": one[6].decode().rstrip(),
        "step": int(one[7]),
    }
