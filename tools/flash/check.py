"""`toolcart board check`: tests in steps on a real board what no simulator shows, with figures, for a report.

Rules
1. No spool loses anything: files are written beside it, and only blocks that are already erased are erased.
2. The board is held for the first steps, then restarted; the other steps ask the running agent.
3. A step that fails does not stop the others; one that has nothing to test is skipped, and says why.
4. `Tester` speaks with the person: it tells them what to do and waits until it is done. A report contains no secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from toolcart.board.uart import parse_device
from toolcart.tools.flash import plan
from toolcart.tools.flash.link import ANSWER_S, About, BoardError, ConsoleLink
from toolcart.tools.messages import connections, outlet_names

GOOD, BAD, SKIPPED = "good", "bad", "skipped"
UP_S = 90  # a start takes seconds; a radio that joins takes longer
NETWORK_S = 90
RESULT_S = 120  # for a person to walk to the tool
BAUDS = (9600, 115200)

_HEAP = """
import gc, json
gc.collect()
free = gc.mem_free()
n = 1024
try:
 while n < free:
  b = bytearray(n); b = None; n = n * 5 // 4
except MemoryError: pass
b = None; gc.collect()
print(json.dumps({'free_bytes': free, 'piece_bytes': n * 4 // 5}))
"""
_FILES = """
import os, time, json
b = bytearray(4096); most = 0
begin = time.ticks_ms()
with open('/check.tmp', 'wb') as f:
 for i in range(8):
  t = time.ticks_ms(); b[0] = i; f.write(b); f.flush()
  most = max(most, time.ticks_diff(time.ticks_ms(), t))
wrote = time.ticks_diff(time.ticks_ms(), begin)
good = True; begin = time.ticks_ms()
with open('/check.tmp', 'rb') as f:
 for i in range(8):
  good = good and f.readinto(b) == 4096 and b[0] == i
read = time.ticks_diff(time.ticks_ms(), begin)
os.remove('/check.tmp')
print(json.dumps({'right': good, 'write_32_kib_ms': wrote, 'most_4_kib_ms': most, 'read_32_kib_ms': read}))
"""
_RAW = """
import os, sys, time, json
d = None
if sys.platform == 'rp2':
 import rp2
 s = os.statvfs('/'); n = s[0] * s[2]
 if 0 < n < rp2.Flash().ioctl(4, 0) * 4096: d = rp2.Flash(start=n)
else:
 import esp32
 p = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='spool')
 d = p[0] if p else None
answer = {'blocks': d.ioctl(4, 0) if d else 0, 'erase_ms': []}
b = bytearray(256); e = b'\\xff' * 256
for i in range(answer['blocks'] - 1, -1, -1):
 blank = True
 for at in range(0, 4096, 256):
  d.readblocks(i, b, at)
  if b != e: blank = False
 if blank:
  t = time.ticks_ms(); d.ioctl(6, i); answer['erase_ms'].append(time.ticks_diff(time.ticks_ms(), t))
  if len(answer['erase_ms']) == 4: break
print(json.dumps(answer))
"""
_UART = """
import machine, time, json
u = machine.UART(%d, baudrate=%d, bits=8, parity=None, stop=1, rxbuf=1024, txbuf=512, timeout=0, timeout_char=0%s)
time.sleep_ms(20); u.read()
b = bytes(range(256)); got = b''
begin = time.ticks_ms(); u.write(b)
while len(got) < 256 and time.ticks_diff(time.ticks_ms(), begin) < 3000: got += u.read() or b''
took = time.ticks_diff(time.ticks_ms(), begin); u.deinit()
print(json.dumps({'received': len(got), 'right': got == b, 'ms': took}))
"""


@dataclass(frozen=True)
class Step:
    """One line of the report."""

    name: str
    verdict: str
    words: str
    figures: dict[str, Any]

    def text(self) -> str:
        """Return the line for people."""
        return f"{self.verdict:<8} {self.name:<12} {self.words}"


@dataclass(frozen=True)
class Tester:
    """What the person wants tested, and how to speak to them; `wait` lets a second pass."""

    instruct: Callable[[str], None]
    ask: Callable[[str], None]  # returns when it is done
    wait: Callable[[], None]
    uart: str = ""
    cuts: int = 0
    live: bool = True


Trial = Callable[[], tuple[str, str, dict]]


def steps(link: ConsoleLink, tester: Tester) -> Iterator[Step]:
    """Test everything in turn; yield each step as soon as it is over."""
    board = link.hold()
    try:
        yield from _run_trials((("firmware", lambda: _firmware(board)), ("heap", lambda: _heap(link, board))))
        yield from _run_trials((("files", lambda: _files(link)), ("raw flash", lambda: _raw(link))))
        yield from _run_trials((("uart", lambda: _uart(link, tester)),))
    finally:
        link.restart()
    up = next(_run_trials((("agent", lambda: _agent(link, tester)),)))
    yield up
    if up.verdict != GOOD:
        return
    yield from _run_trials((("network", lambda: _network(link, tester)), ("names", lambda: _names(link))))
    yield from _run_trials(
        (("connections", lambda: _connections(link, tester)), ("live result", lambda: _live(link, tester)))
    )
    yield from _run_trials((f"power cut {at}", lambda: _cut(link, tester)) for at in range(1, tester.cuts + 1))


def _run_trials(trials: Iterable[tuple[str, Trial]]) -> Iterator[Step]:
    for name, trial in trials:
        try:
            verdict, words, figures = trial()
        except BoardError as trouble:
            verdict, words, figures = BAD, str(trouble), {}
        except (ValueError, KeyError, IndexError, TypeError):
            verdict, words, figures = BAD, "the board's answer cannot be read", {}
        yield Step(name, verdict, words, figures)


# -- while it is held ----------------------------------------------------------------------------------------------


def _json_of(link: ConsoleLink, source: str) -> dict[str, Any]:
    return json.loads(link.run(source).strip().splitlines()[-1])


def _firmware(board: About) -> tuple[str, str, dict]:
    version = ".".join(map(str, board.version))
    figures = {"machine": board.machine, "version": version, "frozen": board.frozen, "tls": board.has_tls}
    agent_text = "with an agent in it" if board.frozen else "the agent comes as files"
    is_supported = board.version >= plan.OLDEST and board.mpy == plan.MPY_FORMAT
    return GOOD if is_supported else BAD, f"{board.machine}, MicroPython {version}, {agent_text}", figures


def _heap(link: ConsoleLink, board: About) -> tuple[str, str, dict]:
    figures = {"heap_bytes": board.heap_bytes, **_json_of(link, _HEAP)}
    needed = plan.FROZEN_HEAP_BYTES if board.frozen else plan.COPIED_HEAP_BYTES
    free = figures["free_bytes"]
    words = f"{board.heap_bytes} bytes, {free} free without the agent, which needs {needed} in all"
    return GOOD if board.heap_bytes >= needed else BAD, words, figures


def _files(link: ConsoleLink) -> tuple[str, str, dict]:
    figures = _json_of(link, _FILES)
    words = "32 KiB written in {write_32_kib_ms} ms (4 KiB in {most_4_kib_ms} at most), read in {read_32_kib_ms}"
    if not figures["right"]:
        return BAD, "what was written does not read back", figures
    return GOOD, words.format(**figures), figures


def _raw(link: ConsoleLink) -> tuple[str, str, dict]:
    figures = _json_of(link, _RAW)
    if not figures["blocks"]:
        return SKIPPED, "no raw flash or partition for the spool: it lies in files", figures
    if not figures["erase_ms"]:
        return SKIPPED, f"none of {figures['blocks']} blocks is blank, and others are not touched", figures
    erases = figures["erase_ms"]
    return GOOD, f"{figures['blocks']} blocks; an erase takes {min(erases)} to {max(erases)} ms", figures


def _uart(link: ConsoleLink, tester: Tester) -> tuple[str, str, dict]:
    if not tester.uart:
        return SKIPPED, "not asked for: --uart 1, with its transmit and receive pin connected", {}
    number, pins = parse_device(tester.uart)
    tester.ask(f"Connect the transmit and the receive pin of UART {tester.uart} with each other, nothing else.")
    named = "".join(f", {name}=machine.Pin({pin})" for name, pin in pins.items())
    figures = {str(baud): _json_of(link, _UART % (number, baud, named)) for baud in BAUDS}
    tester.ask("Take the wire away.")
    failed = [baud for baud, figure in figures.items() if not figure["right"]]
    words = ", ".join(f"{figure['received']} of 256 bytes at {baud} baud" for baud, figure in figures.items())
    return BAD if failed else GOOD, words + ("; they differ" if failed else ""), figures


# -- while the agent runs --------------------------------------------------------------------------------------------


def _answer(link: ConsoleLink) -> dict[str, Any]:
    """Return its status; BoardError if it does not answer."""
    status = _status(link)
    if status is None:
        raise BoardError("the agent does not answer")
    return status


def _status(link: ConsoleLink) -> dict[str, Any] | None:
    """Return the board's part of the status and its stations; None while it does not answer."""
    try:
        answers = link.ask("?status", ANSWER_S)
    except BoardError:  # without power the port is gone too
        return None
    status = status_tree(answers or [])
    return status if "board" in status else None


def status_tree(answers: list[dict]) -> dict[str, Any]:
    """Return the lines of an agent's status as one tree."""
    tree: dict[str, Any] = {"stations": []}
    for answer in answers:
        tree.update({"board": answer["board"]} if "board" in answer else {})
        tree["stations"] += [answer["station"]] if "station" in answer else []
        if "error" in answer:
            tree.setdefault("errors", []).append(answer["error"])
    return tree


def _wait_until(
    link: ConsoleLink, tester: Tester, seconds: int, met: Callable[[dict], bool]
) -> tuple[dict | None, int]:
    """Return the status that meets it and how many looks, one a second, that took; else the last status and -1."""
    status = None
    for look in range(seconds):
        status = _status(link) or status
        if status is not None and met(status):
            return status, look
        tester.wait()
    return status, -1


def _mounted(status: dict) -> bool:
    return bool(status["stations"]) and all(station.get("mounted") for station in status["stations"])


def _agent(link: ConsoleLink, tester: Tester) -> tuple[str, str, dict]:
    status, looks = _wait_until(link, tester, UP_S, _mounted)
    if status is None:
        return BAD, "no agent answers after the restart; is a version installed? `toolcart flash` does that", {}
    if looks < 0:
        return BAD, "the agent runs, and a spool of it does not come up", {"said": status["board"].get("said")}
    board = status["board"]
    figures = {key: board.get(key) for key in ("chip", "id", "firmware", "free_bytes", "said", "clock", "watchdog")}
    return GOOD, f"up, with {board.get('free_bytes', 0)} bytes of heap free; watchdog {board.get('watchdog')}", figures


def _has_network(status: dict) -> bool:
    network = status["board"].get("network") or {}
    is_up = network.get("state") == "up" if network.get("kind") == "wifi" else network.get("up")
    return bool(is_up) and network.get("address") not in ("", "0.0.0.0", None)


def _network(link: ConsoleLink, tester: Tester) -> tuple[str, str, dict]:
    status, looks = _wait_until(link, tester, NETWORK_S, _has_network)
    figures = (status or {"board": {}})["board"].get("network") or {}
    if figures.get("kind") == "none":
        return SKIPPED, "board.network is none", figures
    if looks < 0:
        return BAD, f"no {figures.get('kind', 'network')} within {NETWORK_S} s", figures
    level = f", {figures['level_dbm']} dBm" if "level_dbm" in figures else ""
    return GOOD, f"{figures['kind']} up{level}, address {figures['address']}", figures


def _names(link: ConsoleLink) -> tuple[str, str, dict]:
    figures = _answer(link)["board"].get("resolver")
    if not figures or not figures["names"]:
        return SKIPPED, "the configuration has addresses alone", {}
    figures = {**figures, "names": sorted(bool(address) for address in figures["names"].values())}
    if not all(figures["names"]):
        return BAD, f"not every name is found: {figures['answers']} answers, {figures['silent']} without", figures
    return GOOD, f"{len(figures['names'])} found, {figures['silent']} questions without an answer", figures


def _connected(status: dict) -> bool:
    return all(
        station.get("mounted")
        and station["controller"]["state"] == "ready"
        and outlet_names.first_outlet(station)["is_up"]
        for station in status["stations"]
    )


def _connections(link: ConsoleLink, tester: Tester) -> tuple[str, str, dict]:
    status, looks = _wait_until(link, tester, NETWORK_S, _connected)
    if looks >= 0 and status:
        return GOOD, f"every controller and {outlet_names.common_name(status['stations'])} are connected", {}
    for station in (status or {"stations": []})["stations"]:
        reason = connections.reason_of(station["controller"]) or connections.reason_of(
            outlet_names.first_outlet(station)
        )
        if reason:
            return BAD, f"station {station['number']}: {reason.text()}", {"why": reason.slug}
    return BAD, f"not all are connected within {NETWORK_S} s", {}


def _count(status: dict, name: str) -> int:
    """Return the figure of all stations; where a first outlet keeps no count, what does not wait is delivered."""
    if name == "delivered":
        delivered = (station.get("stored", 0) - station.get("backlog", 0) for station in status["stations"])
        return sum(station.get(name, rest) for station, rest in zip(status["stations"], delivered, strict=True))
    return sum(station.get(name, 0) for station in status["stations"])


def _live(link: ConsoleLink, tester: Tester) -> tuple[str, str, dict]:
    if not tester.live:
        return SKIPPED, "not asked for (--no-live)", {}
    before = _answer(link)
    tester.instruct(f"Tighten once now, within {RESULT_S} s.")
    delivered = _count(before, "delivered")
    status, looks = _wait_until(link, tester, RESULT_S, lambda status: _count(status, "delivered") > delivered)
    stored = _count(status or before, "stored") - _count(before, "stored")
    figures = {"stored": stored, "delivered": _count(status or before, "delivered") - delivered}
    if looks < 0:
        outlet = outlet_names.common_name((status or before)["stations"])
        outcome = f"was stored and did not reach {outlet}" if stored else "came"
        return BAD, f"no result {outcome} within {RESULT_S} s", figures
    return (
        GOOD,
        f"{figures['delivered']} acknowledged by {outlet_names.common_name((status or before)['stations'])}",
        figures,
    )


def _cut(link: ConsoleLink, tester: Tester) -> tuple[str, str, dict]:
    """Check that everything stored is still there after the plug was pulled."""
    before = _answer(link)
    tester.ask("Pull the board's plug, with all that feeds it; count to five, put it back.")
    status, looks = _wait_until(link, tester, UP_S, _mounted)
    if status is None or looks < 0:
        return BAD, f"it did not come back within {UP_S} s", {}
    up_ms, earlier_ms = status["board"]["up_ms"], before["board"]["up_ms"]
    names = ("stored", "delivered")
    figures = {name: [_count(before, name), _count(status, name)] for name in names} | {"up_ms": [earlier_ms, up_ms]}
    damaged = sum(station["spool"]["damaged"] for station in status["stations"])
    if up_ms >= earlier_ms:
        return BAD, "it was never without power: something else feeds it (a battery, another cable)", figures
    if figures["stored"][1] < figures["stored"][0] or damaged:
        return BAD, f"stored {figures['stored']}, {damaged} damaged: a result may be lost", figures
    return GOOD, f"back {up_ms // 1000} s after its start, all of {figures['stored'][0]} stored are counted", figures
