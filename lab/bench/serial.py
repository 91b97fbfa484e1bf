"""Measures the serial links: results per second against the line's limit, faults, memory, work, what the BCC misses.

Rules
1. The whole agent runs over a line simulated byte by byte; its own computing takes no simulated time there, so the
   shares of the limit are the procedure's. The cost of computing is measured separately (work per byte).
2. The limit counts bytes: 155 for MID 0061 revision 999 and its MID 0062 in form V0, both handshakes included.
3. Misses of the block check are counted exhaustively over one message, through the agent's own reader and checks.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from toolcart.agent.link.block import BlockReader
from toolcart.agent.link.payload import NO_MESSAGE, begin_of, tail_fits
from toolcart.agent.openprotocol.light import LIGHT_BYTES, read_light
from toolcart.agent.openprotocol.plausible import plausible
from toolcart.agent.record.result import BODY_BYTES, RESULT_READ
from toolcart.base.cache import Unavailable
from toolcart.base.clock import Dice
from toolcart.base.report import Report, measured
from toolcart.sim.controller_frames import result_data
from toolcart.sim.controller_model import Tightening
from toolcart.sim.r3964_peer import block_of
from lab import runtimes
from lab.firmware import cortex
from lab.harness.serial_cart import SerialCart
from lab.harness.serial_line import StallFlash
from lab.runtimes.harness import Machine

OCTETS_A_RESULT = 155
BITS = 10
BAUDS = (9600, 19200, 115200)
RP2_STALLS_US = (700, 45000)  # page program and sector erase of a Pico's flash, typical
RP2_WORST_US = (3000, 400000)
RESULTS = {9600: 100, 19200: 100, 115200: 320}
DISTURBED_RESULTS = 300
# 1,000 instructions of a Cortex-M3 take 15 to 20 us on an RP2040 at 133 MHz (bytecode, measured on its image).
RP2040_US_A_1000 = 20
RUN_TIMEOUT_S = 120
BURSTS_BITS = range(9, 17)

ALLOCATION = """
from host_tests.link.test_r3964 import allocated_by_exchanges
got, used = allocated_by_exchanges()
print("figure", used / (got * 2))
"""
# Counts twice with different numbers of rounds: the difference is free of one-time work.
WORK = """
import time
from toolcart.agent.link.r3964 import R3964
from toolcart.sim.r3964_peer import block_of, wire_form
wire = block_of(wire_form(b"01210061999         " + b"x" * 101, "v0"))
link = R3964(payload="v0")
def once(step, link, inlet, wire, take):
    link.reset()
    inlet[0] = 2
    if take:
        link.receive(1)
        link.next_message(0)
        link.sent(1)
    at = 0
    end = len(wire)
    while at < end:
        n = 0
        while n < step and at < end:
            inlet[n] = wire[at]
            at += 1
            n += 1
        if take:
            link.receive(n)
            link.next_message(0)
            link.tick(0)
def ticks(step, rounds, take):
    start = time.ticks_cpu()
    for _ in range(rounds):
        once(step, link, link.inlet(), wire, take)
    return time.ticks_diff(time.ticks_cpu(), start)
def cost(step, take):
    ticks(step, 1, take)
    return ticks(step, 4, take) - ticks(step, 2, take)
def per_octet(step):
    return (cost(step, True) - cost(step, False)) / 2 / len(wire)
print("figure", per_octet(128), per_octet(16), per_octet(1))
"""


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    steps: list[Callable[[Report], None]] = [
        *[lambda report, baud=baud: _speed(report, baud, None, "no flash stalls", ">= 98") for baud in BAUDS],
        *[
            lambda report, baud=baud: _speed(report, baud, RP2_STALLS_US, "RP2 flash, typical", ">= 95")
            for baud in BAUDS
        ],
        lambda report: _speed(report, 115200, RP2_WORST_US, "RP2 flash, worst of the data sheet", ""),
        *[lambda report, percent=percent: _disturbed(report, percent) for percent in (1, 5)],
        lambda report: _allocation(report, "wasm32"),
        lambda report: _allocation(report, "unix32"),
        _work,
        _misses,
    ]
    return measured(steps, progress)


# -- speed ---------------------------------------------------------------------------------------------------------


def _cart(baud: int, stalls: tuple[int, int] | None) -> SerialCart:
    settings = {"controller": {"payload": "v0"}}
    cart = SerialCart(baud=baud, blocks=32, stalls=stalls, settings=settings, peer={"form": "v0"})
    if not cart.run(60000, cart.is_ready):
        raise RuntimeError("the simulated controller was not met")
    cart.controller.produce()
    cart.run(5000)  # newest result, tool data: done before the measurement begins
    return cart


def _tighten(cart: SerialCart, count: int) -> float:
    """Let the controller tighten whenever the last result was taken; return seconds."""
    start_us = cart.clock.total_us
    for _ in range(count):
        cart.controller.produce()
        wanted = len(cart.controller.produced)
        if not cart.run(120000, lambda wanted=wanted: len(cart.controller.acknowledged) >= wanted):
            raise RuntimeError("a result was not acknowledged")
    return (cart.clock.total_us - start_us) / 1e6


def _speed(report: Report, baud: int, stalls: tuple[int, int] | None, what: str, target: str) -> None:
    cart = _cart(baud, stalls)
    count = RESULTS[baud]
    per_s = count / _tighten(cart, count)
    limit = baud / BITS / OCTETS_A_RESULT
    how = f"{per_s:.2f} acknowledged results/s of {limit:.2f}; {cart.line.port.overruns} octets lost"
    flash = cart.flash_device
    if stalls is not None and isinstance(flash, StallFlash):
        how += f"; program {stalls[0] / 1000:g} ms, erase {stalls[1] / 1000:g} ms ({flash.erases} erases)"
    report.add(
        f"3964R at {baud} baud, {what}: share of the line's limit", round(per_s / limit * 100, 2), "%", target, how
    )


def _disturbed(report: Report, percent: int) -> None:
    """Flip one byte in that percentage of the blocks, in each direction."""
    cart = _cart(9600, None)
    dice = Dice(percent)
    state = {"blocks": 0, "hit": 0}

    def disturb(wire):
        place = {"in_block": 0, "at": -1}

        def script(octet, index):
            # A run of more than 20 bytes is a block; which of its bytes is hit was decided at its start.
            place["in_block"] += 1
            if octet in (0x02, 0x10) and place["in_block"] > 24:
                place["in_block"] = 0
            if place["in_block"] == 1:
                state["blocks"] += 1
                place["at"] = dice.randrange(3, 24) if dice.randrange(100) < percent else -1
            if place["in_block"] == place["at"]:
                state["hit"] += 1
                return [octet ^ (1 << dice.randrange(8))]
            return [octet]

        wire.script = script

    disturb(cart.line.to_agent)
    disturb(cart.line.to_peer)
    seconds = _tighten(cart, DISTURBED_RESULTS)
    cart.line.to_agent.script = cart.line.to_peer.script = None
    cart.run(120000, cart.is_drained)
    archived = cart.ids()
    lost = len(set(cart.controller.produced) - set(archived))
    wrong = len(archived) - len(set(archived)) + len(set(archived) - set(cart.controller.produced))
    how = f"at 9600 baud; one bit flipped in {state['hit']} places"
    per_s = round(DISTURBED_RESULTS / seconds, 2)
    report.add(f"3964R with {percent} % of blocks disturbed: results a second", per_s, "results/s", "", how)
    report.add(f"3964R with {percent} % of blocks disturbed: lost", lost, "results", "<= 0", how)
    report.add(f"3964R with {percent} % of blocks disturbed: wrong or double", wrong, "results", "<= 0", how)


# -- memory and work -----------------------------------------------------------------------------------------------


def _figure(name: str, source: str) -> list[float]:
    """Run a script on a MicroPython; return the numbers of its line that begins with `figure`."""
    runtime = runtimes.named(name)
    reason = runtime.fetch()
    if reason:
        raise RuntimeError(reason)
    return _figures_in(Machine(runtime).run_source(source, heap="600k", timeout_s=RUN_TIMEOUT_S).stdout)


def _figures_in(text: str) -> list[float]:
    for line in text.splitlines():
        if line.startswith("figure"):
            return [float(word) for word in line.split()[1:]]
    raise RuntimeError(text.strip()[-300:])


def _allocation(report: Report, name: str) -> None:
    what = f"heap allocated for one block, {name}"
    try:
        (octets,) = _figure(name, ALLOCATION)
    except RuntimeError as reason:
        report.add(what, None, "bytes", "<= 0", str(reason))
        return
    report.add(what, octets, "bytes", "<= 0", "gc.mem_alloc() over 200 results received and acknowledged, GC off")


def _work(report: Report) -> None:
    names = ("a whole block at once", "16 octets a step", "each octet in a step of its own")
    try:
        figures = _count_instructions(WORK)
    except (Unavailable, RuntimeError, subprocess.TimeoutExpired) as reason:
        for what in names:
            report.add(f"work per octet, {what}", None, "instructions", "", str(reason))
        return
    for what, ticks in zip(names, figures, strict=True):
        instructions = ticks * cortex.INSTRUCTIONS_PER_TICK
        baud = BITS * 1000000000 / (instructions * RP2040_US_A_1000)
        report.add(f"work per octet, {what}", round(instructions), "instructions", "", "Cortex-M3 under QEMU, exact")
        how = "estimated from it, at 133 MHz, for the link alone"
        report.add(f"baud that allows on an RP2040, {what}", round(baud, -3), "baud", "", how)


def _count_instructions(source: str) -> list[float]:
    runtime = runtimes.named("cortex")
    reason = runtime.fetch()
    if reason:
        raise Unavailable(reason)
    with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as folder:
        script = Path(folder, "count.py")
        script.write_text(source, encoding="utf-8")
        command = cortex.command(script, 160 * 1024, (), Machine(runtime).tree, exact=True)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_TIMEOUT_S)
    return _figures_in(done.stdout)


# -- what the block check misses -----------------------------------------------------------------------------------


class _Judge:
    """Judges a disturbed block: refused by the block check, refused by the fields, or taken for another result."""

    def __init__(self) -> None:
        result = Tightening()
        result.tightening_id = 1234567
        result.torque, result.angle = 4237, 95
        result.time, result.pset_change = "2024-03-14:09:26:53", "2024-02-01:08:00:00"
        data = result_data(result, 999, b" ")
        self.message = b"%04d0061999 010100  " % (20 + len(data))
        self.message = (self.message[:16] + b"    " + data)[: 20 + len(data)]
        self.wire = block_of(self.message + b"\0")
        self._reader = BlockReader(600)
        self._body = bytearray(BODY_BYTES)

    def passes_check(self, wire: bytearray) -> bool:
        self._reader.begin(len(self._reader.buf))
        return self._reader.take(wire, 0, len(wire)) == -len(wire) and self._reader.good

    def passes_fields(self) -> bool:
        buf, end = self._reader.buf, self._reader.fill
        at = begin_of(buf, end)
        if at == NO_MESSAGE or not tail_fits(buf, at + int(buf[at : at + 4]), end):
            return False
        if buf[at + 4 : at + 11] != b"0061999" or int(buf[at : at + 4]) != LIGHT_BYTES:
            return False  # another message: it gets no 0062, and the controller repeats
        read = read_light(self._body, 0, buf, at, LIGHT_BYTES) == RESULT_READ
        return read and plausible(self._body, 0, buf, at, LIGHT_BYTES)


def _misses(report: Report) -> None:
    judge = _Judge()
    if not judge.passes_check(bytearray(judge.wire)) or not judge.passes_fields():
        raise RuntimeError("the undisturbed message is not taken")
    bits = len(judge.wire) * 8
    single = _count(judge, ((bit,) for bit in range(bits)))
    _tell(report, "single", bits, single)
    doubles = bits * (bits - 1) // 2
    _tell(report, "double", doubles, _count(judge, _suspect_pairs(judge.wire)))
    for length in BURSTS_BITS:
        patterns = [p for p in range(1 << (length - 2)) if _cancels(p << 1 | 1 | 1 << (length - 1))]
        starts = bits - length + 1
        errors = (
            tuple(start + offset for offset in range(length) if (pattern << 1 | 1 | 1 << (length - 1)) >> offset & 1)
            for pattern in patterns
            for start in range(starts)
        )
        _tell(report, f"burst of {length} bits", starts << (length - 2), _count(judge, errors))


def _suspect_pairs(wire: bytes):
    """Yield pairs of bits that the XOR cannot see, and those that move the block's end; no other pair can pass."""
    framing = {len(wire) - 3, len(wire) - 2}
    for one, other in combinations(range(len(wire) * 8), 2):
        if one % 8 == other % 8:
            yield one, other
            continue
        for bit in (one, other):
            at = bit // 8
            if at in framing or wire[at] ^ 1 << bit % 8 in (0x10, 0x03):
                yield one, other
                break


def _cancels(pattern: int) -> bool:
    """True if each column of eight bits holds an even number of the errors."""
    check = 0
    while pattern:
        check ^= pattern & 0xFF
        pattern >>= 8
    return check == 0


def _count(judge: _Judge, errors) -> tuple[int, int]:
    """Return how many errors the block check misses, and how many of those the fields miss as well."""
    missed = unnoticed = 0
    wire = bytearray(judge.wire)
    for error in errors:
        for bit in error:
            wire[bit // 8] ^= 1 << bit % 8
        if judge.passes_check(wire):
            missed += 1
            unnoticed += judge.passes_fields()
        for bit in error:
            wire[bit // 8] ^= 1 << bit % 8
    return missed, unnoticed


def _tell(report: Report, kind: str, errors: int, counted: tuple[int, int]) -> None:
    missed, unnoticed = counted
    caught = missed - unnoticed
    share = f"{missed / errors * 100:.3f} %" if errors else "none"
    how = f"of {errors} ({share}); field checks catch {caught} of these, {unnoticed} pass as another result"
    report.add(f"{kind} errors missed by the BCC", missed, "errors", "", how)
