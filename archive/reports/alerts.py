"""What people should hear of, sent to them: a silent station, too many not OK, a wrong clock.

Rules
1. A cause is reported when it begins and when it is over. It must be clearly over: the share of NOK below half the
   limit, a clock within half of what it may be off.
2. A station's clock is judged by the results that arrived soonest after their time: results delayed on their way cause
   no alert as long as one of the last DRIFT_OF was not delayed. Stations have this machine's time zone.
3. A message is bounded: CAUSES_MOST causes, and how many more there are.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, select

from toolcart.archive.database import tables as t
from toolcart.base import private_files
from toolcart.toolsnet_rows import moment

# Sends alerts to a webhook and by mail (toolcart.archive.reports.mail_commands), each once.
#
# What was sent is kept in a file, so a restart repeats nothing.
#
# Rules
# 1. A channel that fails is tried again at the next check with what is true then; the others are not held up.
# 2. A message takes DEADLINE_S at most. While one hangs beyond that, its channel sends no other.
# 3. A webhook gets a POST of JSON: {"subject": ..., "text": ..., "causes": {cause: sentence}}; redirects are not
#    followed.

DEADLINE_S = 20.0
_ANSWER_MOST = 65536


class Channel(Protocol):
    """A way to reach people; any exception means that it failed."""

    def send(self, subject: str, text: str, causes: dict[str, str]) -> object: ...


class _Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl) -> None:
        return None


@dataclass(frozen=True)
class Webhook:
    """A POST of JSON."""

    url: str

    def send(self, subject: str, text: str, causes: dict[str, str]) -> None:
        body = json.dumps({"subject": subject, "text": text, "causes": causes}).encode()
        asked = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.build_opener(_Still).open(asked, timeout=DEADLINE_S / 2) as answer:
            answer.read(_ANSWER_MOST)


class Alerting:
    """Sends each channel what is new."""

    def __init__(self, channels: dict[str, Channel], kept: str, say: Callable[[str], None]) -> None:
        self._channels = channels
        self._kept = kept
        self._say = say
        self._told: dict[str, dict[str, str]] = {name: {} for name in channels}
        self._hangs: dict[str, threading.Thread] = {}
        with suppress(FileNotFoundError), open(kept, encoding="utf-8") as file:
            self._told.update({name: dict(told) for name, told in json.load(file).items() if name in channels})

    def told(self) -> set[str]:
        """Return the causes that were sent and are not over."""
        return {cause for one in self._told.values() for cause in one}

    def tell(self, found: dict[str, str]) -> None:
        """Send what has begun or is over, given the causes there are now."""
        before = json.dumps(self._told)
        for name, channel in self._channels.items():
            told = message(found, self._told[name])
            if told and self._is_sent(name, channel, *told, found):
                self._told[name] = dict(found)
        if json.dumps(self._told) != before:
            private_files.put(self._kept, json.dumps(self._told))

    def _is_sent(self, name: str, channel: Channel, subject: str, text: str, found: dict[str, str]) -> bool:
        why = ["no answer in time"]

        def send() -> None:
            try:
                channel.send(subject, text, found)
                why.clear()
            except Exception as wrong:  # whatever the other side may do
                why[:] = [str(wrong) or type(wrong).__name__]

        if name in self._hangs and self._hangs[name].is_alive():
            return False
        thread = self._hangs[name] = threading.Thread(target=send, daemon=True)
        thread.start()
        thread.join(DEADLINE_S)
        if not thread.is_alive() and not why:
            self._say(f"told by {name}: {subject}")
            return True
        self._say(f"{name} failed, it is tried again: {why[0] if why else 'no answer in time'}")
        return False


DRIFT_OF = 20
OLD_S = 3600.0  # results that arrived earlier say nothing about now
CAUSES_MOST = 50
_DIGITS = "%Y%m%d%H%M%S"


@dataclass(frozen=True)
class Limits:
    """Limits; None: not watched."""

    silent_s: float | None = 600.0
    nok_percent: float | None = None
    nok_of: int = 100  # how many of a station's newest results
    drift_s: float | None = 120.0


def causes(connection: Connection, limits: Limits, told: Collection[str], now: datetime) -> dict[str, str]:
    """Return each current cause with a sentence; `told` are those reported and not yet over."""
    found = {}
    stations = select(*t.STATION.primary_key.columns, t.STATION.c.Name, t.STATION.c.Heard)
    for *key, name, heard in connection.execute(stations).fetchall():
        place = "/".join(map(str, key))
        who = f"{name} ({place})"
        if silence := _silence(heard, limits, now):
            found[f"silent {place}"] = f"{who}: silent since {silence}"
        rows = _newest(connection, key, max(limits.nok_of, DRIFT_OF), now)
        if sentence := _too_many(rows, limits, f"nok {place}" in told):
            found[f"nok {place}"] = f"{who}: {sentence}"
        if sentence := _drift(rows, limits, f"clock {place}" in told):
            found[f"clock {place}"] = f"{who}: {sentence}"
    return found


def message(now: Mapping[str, str], told: Mapping[str, str]) -> tuple[str, str] | None:
    """Return subject and text of what has begun or is over since `told`; None if nothing has changed."""
    new = [text for cause, text in now.items() if cause not in told]
    over = [f"over: {text}" for cause, text in told.items() if cause not in now]
    lines = new + over
    if not lines:
        return None
    subject = (
        f"toolcart archive: {lines[0]}" if len(lines) == 1 else f"toolcart archive: {len(new)} new, {len(over)} over"
    )
    more = [f"and {len(lines) - CAUSES_MOST} more"] if len(lines) > CAUSES_MOST else []
    return subject, "\n".join([*lines[:CAUSES_MOST], *more])


def _silence(heard: str, limits: Limits, now: datetime) -> str | None:
    then = moment(heard)
    if then is None or limits.silent_s is None:
        return None
    silence = abs(now - then.replace(tzinfo=UTC))  # one that will be heard spoke last before the clock was set back
    if silence <= timedelta(seconds=limits.silent_s):
        return None
    return f"{then:%Y-%m-%d %H:%M} UTC"


def _newest(connection: Connection, key: list[int], most: int, now: datetime) -> list[tuple]:
    """Return verdict, station's time and arrival of the newest results that arrived within OLD_S."""
    r = t.RESULT.c
    since = (now - timedelta(seconds=OLD_S)).strftime(_DIGITS)
    asked = select(r.Overall, r.Time, r.Arrived).where(t.is_row(t.RESULT, t.RESULT_KEY, key), r.Arrived >= since)
    return [tuple(row) for row in connection.execute(asked.order_by(r.Time.desc()).limit(most))]


def _too_many(rows: list[tuple], limits: Limits, was_told: bool) -> str | None:
    some = rows[: limits.nok_of]
    if limits.nok_percent is None or len(some) < limits.nok_of:
        return None
    percent = 100 * sum(row[0] for row in some) / len(some)
    if percent <= (limits.nok_percent / 2 if was_told else limits.nok_percent):
        return None
    return f"{percent:.1f} % of the last {len(some)} results are not OK"


def _drift(rows: list[tuple], limits: Limits, was_told: bool) -> str | None:
    pairs = [(moment(arrived), moment(time)) for _, time, arrived in rows[:DRIFT_OF]]
    late = [(a.replace(tzinfo=UTC).astimezone().replace(tzinfo=None) - b).total_seconds() for a, b in pairs if a and b]
    if not late or limits.drift_s is None:
        return None
    off = min(late)
    if abs(off) <= (limits.drift_s / 2 if was_told else limits.drift_s):
        return None
    return f"its clock is {abs(off):.0f} s {'behind' if off > 0 else 'ahead'}, or its results come so late"
