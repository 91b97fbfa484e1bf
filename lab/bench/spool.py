"""Measures the spool: wear and bytes of a result, start-up, appends on a real file.

Rules
1. 1,000 light results, each durable before the next one and delivered; the state is counted with them: a snapshot
   before each batch goes out.
2. Flash is counted on the simulated chip (erases, bytes programmed), a file on the disk that holds it.
3. A stored byte is one of a record (126 bytes for a light result). Bytes of 0xFF that fill up a unit program no cell;
   they are counted anyway, and a second time without, because a chip does not program them.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from toolcart.agent.base.crc import crc30
from toolcart.agent.log import block_head
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.framing import FRAME_BYTES, seal
from toolcart.agent.log.log import LOG_DONE, Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.snapshot import STATE_BLOCKS, Snapshot
from toolcart.agent.record import KIND_RESULT, PAYLOAD_MAX
from toolcart.board.linux.flash import FileFlash
from toolcart.board.linux.spool_header import BLOCK_BYTES
from lab.bench.report import Report, measured
from lab.harness.flash import Nor

RESULTS = 1000
PAYLOAD = 114
RECORD = PAYLOAD + FRAME_BYTES
START_SIZES_KIB = (64, 1024, 65536)
APPENDS = 400


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    return measured([_wear, _start, _file], progress)


def payload(number: int) -> bytes:
    """Return one light result as the spool keeps it."""
    return number.to_bytes(4, "little") + b"\x0a\x00\x01\x00" + b"%-96sVIN%07d" % (b"0" * 96, number)


BATCH = 48  # as toolcart.agent.outlets.toolsnet.forward.CURSOR_BATCH


def logged(device) -> tuple[Snapshot, Log]:
    """Return state and log of results on this device, as a board has them."""
    state = Snapshot(Partition(device, 0, STATE_BLOCKS))
    part = Partition(device, STATE_BLOCKS, device.block_count - STATE_BLOCKS)
    log = Log(part, state, field.LOG, payload_most=PAYLOAD_MAX)
    if mount(state, (log,), 1) != MOUNT_DONE:
        raise AssertionError("the log is not mounted")
    return state, log


def append(log: Log, number: int, octets: bytes) -> int:
    log.stage[log.payload_at : log.payload_at + PAYLOAD] = octets
    return log.append(KIND_RESULT, 0, PAYLOAD)


class _Counting(Nor):
    """Also counts the bytes that are not 0xFF."""

    def __init__(self, unit_bytes: int):
        super().__init__(32 + STATE_BLOCKS, BLOCK_BYTES, unit_bytes)
        self.cells_programmed = 0

    def program(self, address, buf, n):
        self.cells_programmed += n - bytes(buf[:n]).count(0xFF)
        return super().program(address, buf, n)


def _wear(report: Report) -> None:
    for unit, erases_most in ((64, 0.035), (256, 0.066)):
        flash = _Counting(unit)
        state, log = logged(flash)
        cursor = log.cursors[0]
        for number in range(1, RESULTS + 1):
            log.maintain()
            if append(log, number, payload(number)) != LOG_DONE:
                raise AssertionError("the log takes no result")
            if number > state.numbers[field.SEND_LIMIT]:
                state.numbers[field.SEND_LIMIT] = number + BATCH - 1
                state.save()
            if not log.peek_staged(cursor):
                log.peek(cursor)
            cursor.advance()
        erases = sum(flash.wear) / RESULTS
        stored = RESULTS * RECORD
        report.add(
            f"erases per light result, units of {unit}",
            round(erases, 4),
            "erases",
            f"<= {erases_most}",
            "simulated chip, 4 KiB blocks, delivered as it comes, state included",
        )
    name = "octets programmed per stored octet, units of 256"
    how = "fill included: a durable record of 126 octets takes a unit of 256, so 2 is the least possible here"
    report.add(name, round(flash.octets_programmed / stored, 3), "octets", "<= 1.3", how)
    how = "octets of 0xFF program no cell"
    report.add(name + " without fill", round(flash.cells_programmed / stored, 3), "octets", "<= 1.3", how)


class _OneBlock:
    """A full area of any size out of one block: every block of the log reads like the first except for its numbers."""

    def __init__(self, kib: int):
        self.unit_bytes = 16
        self.block_bytes = BLOCK_BYTES
        self.block_count = kib * 1024 // BLOCK_BYTES
        self.reads = 0
        self.octets_read = 0
        flash = Nor(STATE_BLOCKS + 3, BLOCK_BYTES, 16)
        state, log = logged(flash)
        number = 0
        while log.used_blocks() < 2:
            number += 1
            append(log, number, payload(number))
        state.save()
        self.state = bytes(flash.cells[: STATE_BLOCKS * BLOCK_BYTES])
        start = (STATE_BLOCKS + log.place_of(1)) * BLOCK_BYTES
        self.a_block = bytearray(flash.cells[start : start + BLOCK_BYTES])
        self.per_block = number - 1
        self._head_block = self._filled = -1

    def read_into(self, address: int, buf: bytearray, n: int) -> int:
        self.reads += 1
        self.octets_read += n
        block, offset = divmod(address, BLOCK_BYTES)
        if block < STATE_BLOCKS:
            buf[:n] = self.state[address : address + n]
            return 0
        if block != self._head_block:
            self._renumber_head(block)
        if offset + n > block_head.HEAD_OCTETS and block != self._filled:
            self._renumber_records(block)
        buf[:n] = self.a_block[offset : offset + n]
        return 0

    def _renumber_head(self, block: int) -> None:
        index = block - STATE_BLOCKS
        page = self.a_block
        page[block_head.AT_NUMBER : block_head.AT_NUMBER + 4] = (index + 1).to_bytes(4, "little")
        page[block_head.AT_FIRST : block_head.AT_FIRST + 4] = (index * self.per_block + 1).to_bytes(4, "little")
        page[block_head.AT_CRC : block_head.AT_CRC + 4] = crc30(page, 0, block_head.AT_CRC).to_bytes(4, "little")
        self._head_block = block

    def _renumber_records(self, block: int) -> None:
        number = (block - STATE_BLOCKS) * self.per_block
        at = block_head.HEAD_OCTETS
        while number < (block - STATE_BLOCKS + 1) * self.per_block:
            number += 1
            seal(self.a_block, at, KIND_RESULT, 0, PAYLOAD, number)
            at = -(-(at + RECORD) // 16) * 16
        self._filled = block


def _start(report: Report) -> None:
    for kib in START_SIZES_KIB:
        device = _OneBlock(kib)
        start = time.perf_counter()
        logged(device)
        seconds = time.perf_counter() - start
        report.add(
            f"start-up, {kib} KiB full: reads",
            device.reads,
            "reads",
            f"<= {device.block_count + 160}",
            f"the state, one a block and one block; {device.octets_read // 1024} KiB in {seconds:.2f} s here",
        )


def _file(report: Report) -> None:
    """Measure the log against a bare loop of the same system calls, in turns so that a slow disk slows both."""
    with tempfile.TemporaryDirectory(prefix="toolcart-", dir=os.environ.get("TOOLCART_BENCH_FOLDER")) as folder:
        flash = FileFlash(str(Path(folder, "spool")), 4096 * 1024)
        _, log = logged(flash)
        bare = os.open(Path(folder, "bare"), os.O_RDWR | os.O_CREAT)
        os.posix_fallocate(bare, 0, 4096 * 1024)
        os.pwrite(bare, b"\xff" * 4096 * 1024, 0)
        os.fsync(bare)
        of_log, of_bare = [], []
        address = 0
        for number in range(1, APPENDS + 1):
            octets = payload(number)
            start = time.perf_counter()
            append(log, number, octets)
            of_log.append(time.perf_counter() - start)
            piece = bytes(128 if number % 31 else 256)
            start = time.perf_counter()
            if not number % 31:
                os.pwrite(bare, b"\xff" * BLOCK_BYTES, address // BLOCK_BYTES * BLOCK_BYTES)
            os.pwrite(bare, piece, address)
            os.fdatasync(bare)
            of_bare.append(time.perf_counter() - start)
            address += len(piece)
        os.close(bare)
        flash.close()
    # Medians: one append that waits for the disk's own housekeeping would dominate a sum.
    log_s, bare_s = statistics.median(of_log), statistics.median(of_bare)
    share = round(100 * bare_s / log_s, 1)
    how = f"{1 / log_s:.0f} durable appends a second on a file, {1 / bare_s:.0f} by the same calls alone; medians"
    report.add("appends, share of the bare loop", share, "%", ">= 90", how)
