"""A message of a results topic: a head and `count` lines, all read or all refused (docs/library/consumers.md).

    {"schema":1,"system_type":1,"system":3,"station":7,"identity":"3fa9c1d2","after":1200,"last":1208,"count":8}
    {"schema":1,"type":"result","station":7,"number":1201, ..                                         count times

Rules
1. ASCII, a JSON object on each line, finite numbers. Anything else raises Unreadable, which says why.
2. A line has the head's station and a number in (after, last], higher than the one before it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from toolcart.archive.consume.line_fields import Unreadable
from toolcart.archive.consume.lines import Place, frame_text, record_of

SCHEMA = 1
PAYLOAD_MOST = 4 * 2**20  # a batch of 64 results of 32 spindles with their bolts' data has 1.5 MiB
TOPIC_MOST = 500  # characters of the database's column
_IDENTITY = re.compile(r"[0-9a-f]{8}", re.ASCII)
_NUMBER_MOST = 2**32 - 1
_PLACE_MOST = 9999


@dataclass(frozen=True, slots=True)
class Batch:
    """What a message brings; `waits` is False if nothing is sent again, so that a gap is final."""

    topic: str  # what comes before /results
    place: Place
    identity: str
    after: int
    last: int
    waits: bool
    records: tuple[tuple[int, dict | str], ...]  # number, and a result's fields, or what came in their place as text


def read(topic: str, payload: bytes) -> Batch:
    """Return a message's batch; raises only Unreadable, so one message never holds up those behind it."""
    try:
        return _batch(topic, payload)
    except Unreadable:
        raise
    except Exception as wrong:
        raise Unreadable(f"{type(wrong).__name__}: {wrong}") from wrong


def _batch(topic: str, payload: bytes) -> Batch:
    if len(topic) > TOPIC_MOST:
        raise Unreadable(f"a topic of {len(topic)} characters")
    first, *lines = _lines(payload)
    head = _object(first, "head")
    system_type, system, station = (_whole(head, name, 1, _PLACE_MOST) for name in ("system_type", "system", "station"))
    place = (system_type, system, station)
    identity = head.get("identity")
    if not (isinstance(identity, str) and _IDENTITY.fullmatch(identity)):
        raise Unreadable(f"identity {identity!r:.40}: eight lower-case hex digits")
    after = _whole(head, "after", 0, _NUMBER_MOST)
    last = _whole(head, "last", after, _NUMBER_MOST)
    if _whole(head, "count", 0, _NUMBER_MOST) != len(lines):
        raise Unreadable(f"count {head['count']}, but {len(lines)} lines")
    confirm = head.get("confirm", "consumer")
    if confirm not in ("consumer", "broker"):
        raise Unreadable(f"confirm {confirm!r:.40}")
    records = _records(lines, place, after, last)
    return Batch(topic, place, identity, after, last, confirm == "consumer", records)


def read_line(payload: bytes, kinds: tuple[str, ...]) -> dict:
    """Return the line of a message that has just one; Unreadable."""
    lines = _lines(payload)
    if len(lines) != 1:
        raise Unreadable(f"{len(lines)} lines")
    line = _object(lines[0], "line")
    if line.get("type") not in kinds:
        raise Unreadable(f"type {line.get('type')!r:.40}")
    _whole(line, "station", 1, _PLACE_MOST)
    return line


def read_state(payload: bytes) -> bool:
    """True if a message of B/state says that the station is online; Unreadable."""
    state = _object(_lines(payload)[0], "state")
    if not isinstance(state.get("online"), bool):
        raise Unreadable(f"online {state.get('online')!r:.40}")
    return state["online"]


def _records(lines: list[bytes], place: Place, after: int, last: int) -> tuple[tuple[int, dict | str], ...]:
    records: list[tuple[int, dict | str]] = []
    before = after
    for index, octets in enumerate(lines, 1):
        line = _object(octets, f"line {index}")
        number = _whole(line, "number", 0, _NUMBER_MOST)
        if not before < number <= last:
            raise Unreadable(f"line {index}: number {number} behind {before}, in a batch up to {last}")
        before = number
        if line.get("station") != place[2]:
            raise Unreadable(f"line {index}: station {line.get('station')!r:.40} in a batch of {place[2]}")
        if line.get("type") == "result":
            records.append((number, record_of(line, place)))
        elif line.get("type") == "frame":
            records.append((number, frame_text(line)))
        else:
            raise Unreadable(f"line {index}: type {line.get('type')!r:.40}")
    return tuple(records)


def _lines(payload: bytes) -> list[bytes]:
    if len(payload) > PAYLOAD_MOST:
        raise Unreadable(f"{len(payload)} bytes; {PAYLOAD_MOST} at most")
    if not payload.isascii():
        raise Unreadable("not ASCII")
    return (payload[:-1] if payload.endswith(b"\n") else payload).split(b"\n")


def _object(octets: bytes, what: str) -> dict:
    try:
        decoded = json.loads(octets, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as wrong:
        raise Unreadable(f"{what}: no JSON: {wrong}"[:120]) from None
    if not isinstance(decoded, dict):
        raise Unreadable(f"{what}: no object")
    if decoded.get("schema") != SCHEMA or isinstance(decoded["schema"], bool):
        raise Unreadable(f"{what}: schema {decoded.get('schema')!r:.40}; {SCHEMA} is known")
    return decoded


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits:.20} is too large")
    return value


def _whole(decoded: dict, name: str, least: int, most: int) -> int:
    value = decoded.get(name)
    if type(value) is not int or not least <= value <= most:
        raise Unreadable(f"{name} {value!r:.40}: {least} to {most}")
    return value
