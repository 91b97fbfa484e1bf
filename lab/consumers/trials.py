"""Plays the outlet to test a consumer over a broker, and judges it by its receipts (docs/library/consumers.md).

Rules
1. It has its own topic and identities, so that each run starts from nothing, whatever ran before.
2. What the consumer has to say is known before a batch is sent: `have` is kept here as a consumer has to keep it.
3. A receipt that is due comes within `wait_s`. Where none may come, the next good batch shows that the consumer lives.
4. What a receipt does not show, how many results the database has, is counted by a command of the user's.
"""

from __future__ import annotations

import json
import secrets
import shlex
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from toolcart.archive.consume.broker import Address, Broker, Delivery

SYSTEM_TYPE, SYSTEM, STATION = 3, 1, 9999
COMMAND_LIMIT_S = 120.0
BATCH = 8
AT_ONCE = 20  # batches, as after a long outage


class NotPossible(Exception):
    """It cannot be tried; the text says why."""


@dataclass(frozen=True)
class Finding:
    """What one trial showed; `right` is None if it was not tried."""

    name: str
    right: bool | None
    text: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How to try a consumer."""

    wait_s: float = 5.0
    restart: str = ""  # a command that kills and starts the consumer
    count: str = ""  # a command that prints how many results it has stored


class _Listening:
    """Subscribes to a topic's receipts, and publishes there; the broker's thread brings them."""

    def __init__(self, address: Address, topic: str, like: Broker | None = None) -> None:
        self.log: list[str] = []
        self.receipts: list[tuple[float, bytes, bool]] = []
        self.more = threading.Condition()
        self._topic = f"{topic}/receipt"
        named = replace(address, filters=(self._topic,), client_id=f"toolcart-check-{secrets.token_hex(4)}")
        self.broker = Broker(named, self.log.append, keeps=False, like=like)
        self._thread = threading.Thread(target=self.broker.serve, args=(self,), daemon=True)

    def tick(self) -> None:
        """Nothing is ever due."""

    def has_room(self) -> bool:
        """Always true."""
        return True

    def take(self, mark: Delivery, topic: str, payload: bytes, retained: bool) -> None:
        """Keep a receipt; ignore other messages."""
        if topic == self._topic:
            with self.more:
                self.receipts.append((time.monotonic(), payload, retained))
                self.more.notify_all()
        self.broker.done(mark)

    def __enter__(self) -> _Listening:
        self._thread.start()
        until_s = time.monotonic() + 30.0
        while not self.broker.is_subscribed:
            if time.monotonic() > until_s or self.broker.connections > 2:  # with either version of MQTT
                self.__exit__()
                raise NotPossible(self.log[-1] if self.log else f"{self.broker.address} does not answer")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.broker.close()
        self._thread.join()


def check(address: Address, topic: str, plan: Plan) -> Iterator[Finding]:
    """Try one thing after another; NotPossible if the broker cannot be reached."""
    with _Listening(address, topic) as listening:
        yield from _Check(listening, address, topic, plan).run()


class _Check:
    """One run."""

    def __init__(self, listening: _Listening, address: Address, topic: str, plan: Plan) -> None:
        self._receiver = listening
        self._broker = listening.broker
        self._address = address
        self._topic = topic
        self._plan = plan
        self._identity = secrets.token_hex(4)
        self._have: Counter[str] = Counter()  # by the spool's identity
        self._stored = 0  # results that a correct consumer has by now
        self._seen = 0  # receipts looked at so far
        self._times: list[float] = []

    def run(self) -> Iterator[Finding]:
        """Try everything; a consumer that does not answer the first batch is not tried further."""
        before = self._counted()
        first = self._answered("first", "answers the first batch", 0, BATCH)
        yield first
        if not first.right:
            return
        yield self._retained()
        yield self._answered("repeat", "answers a repeat with the same receipt", 0, BATCH)
        yield self._gap()
        yield self._answered("on", "goes on behind a gap once what was missing has come", BATCH, 3 * BATCH)
        yield self._answered("overlap", "takes what is new of a batch that overlaps", 2 * BATCH, 4 * BATCH)
        have = self.have
        jump = range(have + 5, have + 5 + BATCH)
        yield self._answered("overwritten", "takes a batch whose first numbers are gone", have, jump[-1], list(jump))
        have = self.have
        yield self._answered("empty", "takes a batch without records, which moves the number alone", have, have + 3, [])
        yield from self._garbage()
        yield self._at_once()
        yield from self._identities()
        yield self._restarted()
        yield self._never_above()
        yield self._count(before)
        yield self._speed()

    # -- what is tried ---------------------------------------------------------------------------------------------

    def _answered(self, name: str, does: str, after: int, last: int, numbers: list[int] | None = None) -> Finding:
        """Send a batch that can be stored, and wait for its receipt."""
        self._send(after, last, numbers)
        return self._expect(name, does)

    def _expect(self, name: str, does: str) -> Finding:
        """Wait for the receipt that is due; if it does not come in time, the finding quotes the last other one."""
        wanted = {"identity": self._identity, "number": self.have}
        began_s = time.monotonic()
        until_s = began_s + self._plan.wait_s
        other = ""
        while True:
            with self._receiver.more:
                if self._seen == len(self._receiver.receipts):
                    self._receiver.more.wait(max(0.0, until_s - time.monotonic()))
                new, self._seen = self._receiver.receipts[self._seen :], len(self._receiver.receipts)
            for at_s, payload, _ in new:
                if _receipt(payload) == wanted:
                    self._times.append(at_s - began_s)
                    return Finding(name, True, f"It {does}.", at_s - began_s)
                other = payload[:120].decode("ascii", "backslashreplace")
            if time.monotonic() >= until_s:
                break
        happened = f"the last receipt was {other}" if other else f"no receipt came within {self._plan.wait_s:g} s"
        expected = json.dumps(wanted, separators=(",", ":"))
        text = f"A consumer that {does} publishes {expected}; {happened}."
        return Finding(name, False, text, time.monotonic() - began_s)

    def _retained(self) -> Finding:
        with _Listening(self._address, self._topic, self._broker) as later, later.more:
            until_s = time.monotonic() + self._plan.wait_s
            while not later.receipts and time.monotonic() < until_s:
                later.more.wait(until_s - time.monotonic())
            receipts = later.receipts[:1]
        expected = {"identity": self._identity, "number": BATCH}
        right = bool(receipts) and receipts[0][2] and _receipt(receipts[0][1]) == expected
        if right:
            return Finding("retained", True, "Its receipt is retained: an outlet that starts again finds it.")
        text = "The receipt is not retained: an outlet that starts again does not know how far the consumer is."
        return Finding("retained", False, text)

    def _gap(self) -> Finding:
        self._send(self.have + BATCH, self.have + 2 * BATCH)
        return self._expect("gap", "stores nothing behind a gap, and says what it has")

    def _garbage(self) -> Iterator[Finding]:
        """Send each piece of garbage, and after it a good batch."""
        for name, make in _GARBAGE.items():
            have = self.have
            self._broker.send(f"{self._topic}/results", make(self, have))
            finding = self._answered(name, f"lives on behind {name}, and stores nothing of it", have, have + 2)
            yield finding
            if not finding.right:
                return

    def _at_once(self) -> Finding:
        for _ in range(AT_ONCE):
            self._send(self.have, self.have + BATCH)
        return self._expect("at once", f"takes {AT_ONCE} batches that come at once")

    def _identities(self) -> Iterator[Finding]:
        old, self._identity = self._identity, secrets.token_hex(4)
        self._send(5, 9)
        does = "knows nothing of a new spool, and says 0 to a batch that begins further on"
        yield self._expect("new spool, gap", does)
        yield self._answered("new spool", "begins at 0 with a new spool", 0, BATCH)
        new, self._identity = self._identity, old
        yield self._answered("old spool", "still knows how far the old spool was", self.have - 2, self.have)
        self._identity = new
        yield self._answered("newer spool", "goes on with the new spool", BATCH, 2 * BATCH)

    def _restarted(self) -> Finding:
        if not self._plan.restart:
            return Finding("restart", None, "Not tried: a restart of the consumer (--restart COMMAND).")
        have = self.have
        self._send(have, have + BATCH)
        _run(self._plan.restart)
        until_s = time.monotonic() + 6 * self._plan.wait_s
        while True:  # as an outlet does: without a receipt it sends again
            self._send(have, have + BATCH)
            finding = self._expect("restart", "knows after a restart how far it was")
            if finding.right or time.monotonic() > until_s:
                return finding

    def _never_above(self) -> Finding:
        """Check that no receipt says more than was sent and could be stored."""
        for _, payload, _ in self._receiver.receipts:
            receipt = _receipt(payload)
            if receipt is None:
                text = f"A receipt is no JSON with identity and number: {payload[:80]!r}."
                return Finding("receipts", False, text)
            number = receipt["number"]
            if number > self._have.get(receipt["identity"], number):  # other identities: an earlier run
                text = f"A receipt said {json.dumps(receipt)}, more than could be stored: an outlet would lose results."
                return Finding("receipts", False, text)
        return Finding("receipts", True, "No receipt said more than could be stored.")

    def _count(self, before: int | None) -> Finding:
        if before is None:
            return Finding("database", None, "Not tried: what is in the database (--count COMMAND).")
        count = (self._counted() or 0) - before
        if count == self._stored:
            return Finding("database", True, f"The database has {count} results more, each of them once.")
        return Finding("database", False, f"The database has {count} results more; {self._stored} were to be stored.")

    def _counted(self) -> int | None:
        if not self._plan.count:
            return None
        printed = _run(self._plan.count).strip()
        if not printed.isdigit():
            raise NotPossible(f"{self._plan.count}: it printed {printed[:80]!r}, not a number")
        return int(printed)

    def _speed(self) -> Finding:
        times = sorted(self._times)
        median, most = times[len(times) // 2] * 1000, times[-1] * 1000
        return Finding("speed", True, f"Its receipts came after {median:.0f} ms (median), {most:.0f} ms at most.")

    # -- batches ---------------------------------------------------------------------------------------------------

    @property
    def have(self) -> int:
        """What a correct consumer has of this spool by now."""
        return self._have[self._identity]

    def _send(self, after: int, last: int, numbers: list[int] | None = None) -> None:
        """Send a batch, and note what a correct consumer has then."""
        self._broker.send(f"{self._topic}/results", self.batch(after, last, numbers))
        if after <= self.have < last:
            sent = range(after + 1, last + 1) if numbers is None else numbers
            self._stored += sum(number > self.have for number in sent)
            self._have[self._identity] = last

    def batch(self, after: int, last: int, numbers: list[int] | None = None, **head: object) -> bytes:
        """Return a batch with these numbers; by default all from after + 1 to last."""
        return sample(after, last, numbers, self._identity, **head)


def sample(
    after: int, last: int, numbers: list[int] | None = None, identity: str = "0000000a", **head: object
) -> bytes:
    """Return a batch of sample results as the outlet publishes it."""
    sent = list(range(after + 1, last + 1)) if numbers is None else numbers
    place = {"schema": 1, "system_type": SYSTEM_TYPE, "system": SYSTEM, "station": STATION}
    whole = {**place, "identity": identity, "after": after, "last": last, "count": len(sent), **head}
    lines = (_line(number, identity) for number in sent)
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in (whole, *lines))


_GARBAGE: dict[str, Callable[[_Check, int], bytes]] = {
    "an empty message": lambda run, have: b"",
    "binary": lambda run, have: bytes(range(256)),
    "what is no JSON": lambda run, have: b"{hello\n",
    "half a batch": lambda run, have: run.batch(have, have + BATCH)[:-90],
    "a batch with a line too few": lambda run, have: run.batch(have, have + BATCH, count=BATCH + 1),
    "numbers that do not ascend": lambda run, have: run.batch(have, have + 3, [have + 3, have + 1, have + 2]),
    "a number beyond the last": lambda run, have: run.batch(have, have + 3, [have + 1, have + 4]),
    "an unknown schema": lambda run, have: run.batch(have, have + 3, schema=99),
}


def _line(number: int, identity: str) -> dict:
    """Return a result as the file outlet writes it (docs/outlets.schema.json)."""
    absent = ("job", "batch_size", "batch_counter", "batch_status", "program_changed", "tool_serial", "torque_target")
    absent += ("angle_target", "odd", "spindles", "identifier_2", "identifier_3", "identifier_4")
    return {
        "schema": 1,
        "type": "result",
        "station": STATION,
        "number": number,
        "spindle": 1,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "time_source": "controller",
        "tightening_id": str(int(identity, 16) % 100_000 * 10_000 + number),
        "vin": "CHECK OF A CONSUMER",
        "program": "1",
        "status": "OK",
        "torque": "42.00",
        "torque_unit": "Nm",
        "torque_status": "OK",
        "angle": 90,
        "angle_status": "OK",
        "id_epoch": 0,
        "torque_min": "40.00",
        "torque_max": "45.00",
        "angle_min": 60,
        "angle_max": 120,
        **dict.fromkeys(absent),
        "fetched": False,
        "again": False,
    }


def _receipt(payload: bytes) -> dict | None:
    """Return identity and number of a receipt; None if it is not one."""
    try:
        data = json.loads(payload)
        return {"identity": str(data["identity"]), "number": int(data["number"])}
    except (ValueError, TypeError, KeyError):
        return None


def _run(command: str) -> str:
    """Return what a command of the user's prints; NotPossible."""
    try:
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_LIMIT_S, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as wrong:
        raise NotPossible(f"{command}: {wrong}") from None
    return done.stdout.decode(errors="replace")
