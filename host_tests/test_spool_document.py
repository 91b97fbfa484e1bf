"""docs/spool.md is enough to write a reader: this one is written from it and uses nothing of the product."""

import struct

import pytest

from agent.outlets.toolsnet.position import SET_ASIDE
from agent.quarantine import Quarantine
from agent.record.result import TAKEN
from agent.log.flash import Part
from agent.spool.fold import ROLE_QUARANTINE
from board.linux_flash import FileFlash
from host_tests.support_graphs import Bench, samples_for, trace_message
from host_tests.support_outlet import outlet_of
from host_tests.support_spool import append, mounted, read_all
from tools.sim.flash import ALL, BITS, PowerCut, SimFlash


def crc(octets):
    value = 0x3FFFFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0x38E74301 if value & 1 else value >> 1
    return value


def record_at(block, at, unit):
    """(seq, kind, flags, payload, next) of the sound record at an offset, or None."""
    if at + 12 > len(block):
        return None
    kind, flags, n, seq = struct.unpack_from("<BBHI", block, at)
    if kind not in (0x48, 0xD2, 0xD7, 0xC5, 0xC9, 0xC7, 0xC1, 0xC3, 0xCD, 0xD3) or at + 12 + n > len(block):
        return None
    if kind == 0x48 and at != 0:
        return None
    if struct.unpack_from("<I", block, at + 8 + n)[0] != crc(block[at : at + 8 + n]):
        return None
    step = 8 if kind == 0x48 else max(unit, 8)
    return seq, kind, flags, block[at + 8 : at + 8 + n], (at + 12 + n + step - 1) // step * step


def read_block(block, unit):
    records, at, last = [], 0, 0
    while at + 12 <= len(block):
        found = record_at(block, at, unit)
        if found is None:
            at += 8
            continue
        at = found[4]
        if found[0] > last:
            last = found[0]
            records.append(found)
    return records


def counted(octets, unit, block_bytes, first, count):
    """(blocks with the records that count, how many records are damaged)."""
    blocks = [read_block(octets[n * block_bytes : (n + 1) * block_bytes], unit) for n in range(first, first + count)]
    blocks = sorted((b for b in blocks if b), key=lambda b: b[0][0])
    while blocks and len(blocks[-1]) == 1 and blocks[-1][0][1] == 0x48:
        blocks.pop()
    afters = [struct.unpack_from("<I", b[0][3], 12)[0] if b[0][1] == 0x48 else b[0][0] - 2 for b in blocks]
    damaged, last, kept = 0, None, []
    for place, block in enumerate(blocks):
        if last is not None and afters[place] > last:
            damaged += afters[place] - last
        kept.append([])
        for index, one in enumerate(block):
            if place + 1 < len(blocks) and one[0] > afters[place + 1]:
                continue
            if index and one[0] - 1 > last:
                damaged += one[0] - 1 - last - (one[2] if one[1] == 0xC3 else 0)
            last = one[0]
            kept[-1].append(one)
    return kept, damaged


def read_log(octets, unit, block_bytes, first, count):
    """Every result of one log as (number, tightening ID), and how many records are damaged."""
    blocks, damaged = counted(octets, unit, block_bytes, first, count)
    results = {}
    for _, kind, _, payload, _ in (one for block in blocks for one in block):
        if kind == 0xD2:
            results.setdefault(struct.unpack_from("<I", payload)[0], payload[8 + 82 : 8 + 92].decode())
    return sorted(results.items()), damaged


class State:
    """What the records of a main log say, applied as the document tells."""

    def __init__(self, blocks):
        newest = max(n for n, block in enumerate(blocks) if block[0][1] == 0x48)
        records = [one for block in blocks[newest:] for one in block]
        for seq, kind, flags, payload, _ in records:
            self.apply(seq, kind, flags, payload)

    def apply(self, seq, kind, flags, payload):
        if kind == 0x48:
            self.number, _, self.overwritten = struct.unpack_from("<III", payload, 20)
            self.load_cursors(seq, payload[32:56])
            self.load(payload[56:])
        elif kind == 0xC3:
            self.load_cursors(seq, payload)
            self.overwritten = struct.unpack_from("<I", payload, 24)[0]
            self.load_outlet(payload[28:])
        elif kind == 0xCD:
            self.load(payload)
        elif kind == 0xC1:
            first, last, _, _ = struct.unpack_from("<IIHH", payload)
            if self.aside[1] == 0:
                self.aside = (first, last - first + 1, 0)
            else:
                self.aside = (*self.aside[:2], self.aside[2] + 1)
            self.apply(seq, 0xC3, flags, payload[12:])
        elif kind == 0xC7 and payload[0] == self.epoch:
            ids = set(range(int(payload[4:14]), int(payload[14:24]) + 1))
            self.missing -= ids
            self.gone += 0 if payload[1] else len(ids)
            self.untold = self.untold or not payload[1]
        elif kind == 0xC5 and payload[6] == 16 and int(payload[22 + 30 : 22 + 40]) == self.gone:
            self.untold = 0
        elif kind in (0xD2, 0xD7) and struct.unpack_from("<I", payload)[0] > self.number:
            self.number = struct.unpack_from("<I", payload)[0]
            if kind == 0xD2:
                self.see(int(payload[90:100]))

    def see(self, ident):
        if self.top is None or ident > self.top:
            if self.top is not None:
                self.missing |= set(range(self.top + 1, ident))
            self.top = ident
        self.missing.discard(ident)

    def load_cursors(self, seq, octets):
        self.cursor = struct.unpack_from("<III", octets)
        lows = [int.from_bytes(octets[at : at + 3], "little") for at in (12, 15, 18)]
        self.others = [max(0, seq - (seq - low) % (1 << 24)) for low in lows]
        self.missed = int.from_bytes(octets[21:24], "little")

    def load_outlet(self, memory):
        self.delivered = struct.unpack_from("<I", memory)[0]
        self.base, self.flags = int.from_bytes(memory[4:7], "little"), memory[7]

    def load(self, memory):
        self.load_outlet(memory)
        self.aside = struct.unpack_from("<IHB", memory, 8)
        self.gone, flags, _, self.epoch, _ = struct.unpack_from("<IBBBI", memory, 15)
        self.untold = self.gone >> 31
        self.gone &= 0x7FFFFFFF
        self.top = int(memory[26:31].hex()) if flags & 1 else None
        self.missing, at = set(), 42
        first = struct.unpack_from("<I", memory, 38)[0]
        while at < 60 and (length := struct.unpack_from("<H", memory, at)[0]):
            self.missing |= set(range(first, first + length))
            if at < 58:
                first += length + struct.unpack_from("<H", memory, at + 2)[0]
            at += 4


def image_with_a_cut(unit=16):
    flash = SimFlash(10 if unit < 512 else 20, 4096, unit)
    blocks = flash.block_count - 2
    ring = mounted(Part(flash, 2, blocks))
    for ident in range(1, 60):
        append(ring, ident)
    flash.cut_at = flash.operations + 1
    flash.cut_shape = BITS
    try:
        append(ring, 999)
    except PowerCut:
        flash.restart()
    ring = mounted(Part(flash, 2, blocks))
    for ident in range(60, 80):
        append(ring, ident)
    append(mounted(Part(flash, 0, 2), role=ROLE_QUARANTINE), 500, extra=8)
    return flash


@pytest.mark.parametrize("unit_log", [4, 9])
def test_a_reader_written_from_the_document_finds_what_the_ring_finds(unit_log):
    flash = image_with_a_cut(1 << unit_log)
    blocks = flash.block_count - 2
    octets = bytes(flash.cells)
    head = octets[2 * 4096 + 8 :]
    magic, version, role, unit, size, count, first = struct.unpack_from("<4sBBBBHH", head)
    assert (magic, version, role, 1 << unit, 1 << size, count, first) == (b"TCSP", 3, 0, 1 << unit_log, 4096, blocks, 2)
    results, damaged = read_log(octets, 1 << unit, 1 << size, first, count)
    expected = [(number, "%010d" % ident) for number, ident in read_all(mounted(Part(flash.clone(), 2, blocks)))]
    assert results == expected
    assert [int(ident) for _, ident in results] == list(range(1, 80))
    assert damaged == 0
    parked, _ = read_log(octets, 1 << unit, 1 << size, 0, first)
    assert parked == [(1, "0000000500")]


def used(flash):
    """A main log in which everything has happened that its memory speaks of, and its quarantine."""
    ring = mounted(Part(flash, 2, 8), best_effort=(2,), recover=True, outlets=3)
    known = ring.owner
    outlet = outlet_of(ring)
    assert outlet.resume(700, 0)
    for ident in [*range(1, 20), *range(30, 40), 35, *range(60, 75)]:
        assert append(ring, ident) == 0
        if ring.number < 12:
            outlet.next()
            assert outlet.allow(ring.number)
            outlet.next()
            outlet.deliver(ring.number)
    for first, last, why in ((21, 24, 0), (42, 42, 1)):
        at = ring.begin(0xC7, 24)
        struct.pack_into("<BBH", ring.stage, at, 0, why, 0)
        ring.stage[at + 4 : at + 24] = b"%010d%010d" % (first, last)
        assert ring.commit(0xC7, 0, 24) == 0
    return ring, known, outlet


def test_what_the_log_remembers_follows_from_its_records_as_the_document_says():
    flash = SimFlash(10, 4096, 16)
    ring, known, outlet = used(flash)

    def same():
        state = State(counted(bytes(flash.cells), 16, 4096, 2, 8)[0])
        cursor = ring.cursors[0]
        assert (state.number, state.overwritten, state.top) == (ring.number, ring.overwritten, known.top())
        assert state.cursor == (cursor.seq, cursor.number, cursor.limit)
        assert state.others == [ring.cursors[1].seq, ring.cursors[2].seq, 0] and state.missed == ring.missed
        assert (state.delivered, state.base + 1, state.flags) == (
            cursor.delivered,
            outlet.sequence_of(1),
            ring.memory[7],
        )
        assert state.gone == known.gone() and state.untold == known.has_untold()
        gaps = known.gaps
        ranges = [range(gaps.firsts[n], gaps.firsts[n] + gaps.counts[n]) for n in range(gaps.count)]
        assert state.missing == {one for each in ranges for one in each}
        assert state.aside == struct.unpack_from("<IHB", ring.memory, 8)
        return state

    for _ in range(7):
        assert ring.peek(1) > 0
        ring.advance(1)
    assert outlet.save()
    assert same().missing == {20, *range(25, 30), 40, 41, *range(43, 60)} and known.gone() == 4
    at = ring.begin(0xC5, 65)
    text = b"%010d%010d%010d%010d%03d" % (21, 24, 4, 4, 0)
    ring.stage[at : at + 65] = struct.pack("<IHBB7s5s2s", 1, 10, 16, 43, bytes(7), b"none ", b"  ") + text
    assert known.has_untold() and ring.commit(0xC5, 2, 65) == 0
    assert same().untold == 0 and not known.has_untold() and ring.event_number == 1
    assert outlet.set_aside(14, 43, 0) == outlet.set_aside(16, 43, 0) == SET_ASIDE
    assert same().aside[2] == 1
    assert outlet.begin_sweep(3)
    assert same().flags == 3
    for ident in range(75, 120):  # into the next block: its HEAD says all of it again
        assert append(ring, ident) == 0
    assert same().number == 90
    quarantine = Quarantine(mounted(Part(flash, 0, 2), role=ROLE_QUARANTINE))
    while quarantine.take_oldest(ring) == TAKEN:
        pass
    assert same().aside == (0, 0, 0)
    kept, _ = counted(bytes(flash.cells), 16, 4096, 0, 2)
    tails = [struct.unpack("<IHH", one[3][-8:]) for block in kept for one in block if one[1] == 0xD2]
    assert tails == [(number, 43, 0) for number in range(12, 16)]
    assert quarantine.drop(2)
    memory = [one[3] for block in counted(bytes(flash.cells), 16, 4096, 0, 2)[0] for one in block if one[1] == 0xCD][-1]
    assert memory[4] == 1 << 2 and struct.unpack_from("<I", memory)[0] == 15


def test_neither_a_head_with_nothing_behind_it_counts_nor_its_after():
    flash = SimFlash(10, 4096, 16)
    ring = mounted(Part(flash, 2, 8))
    for ident in range(1, 6):
        append(ring, ident)
    flash.refuses, flash.refused_shape = True, ALL
    assert append(ring, 6) < 0  # void as soon as another block says so
    flash.refuses = False
    assert append(ring, 7) == 0
    whole = [(number, int(ident)) for number, ident in read_log(bytes(flash.cells), 16, 4096, 2, 8)[0]]
    assert [ident for _, ident in whole] == [1, 2, 3, 4, 5, 7]
    start = (2 + ring.block) * 4096 + 128
    flash.cells[start : start + 128] = b"\xff" * 128
    torn = [(number, int(ident)) for number, ident in read_log(bytes(flash.cells), 16, 4096, 2, 8)[0]]
    assert [ident for _, ident in torn] == [1, 2, 3, 4, 5, 6]
    assert torn == read_all(mounted(Part(flash, 2, 8)))


def test_the_page_in_front_of_a_file_s_blocks_lies_as_the_document_says(tmp_path):
    path = tmp_path / "spool"
    FileFlash(str(path), 65536, 64, (3, 17, 7)).close()
    octets = path.read_bytes()
    for at in (0, 2048):
        form = "<8sHHIIHHHH16sI"
        magic, version, unit, block_bytes, count, kind, system, station, zeros, identity, check = struct.unpack_from(
            form, octets, at
        )
        assert (magic, version, unit, block_bytes, count) == (b"toolcart", 1, 64, 4096, 16)
        assert (kind, system, station, zeros, check) == (3, 17, 7, 0, crc(octets[at : at + 44]))
        assert any(identity) and octets[at + 48 : at + 2048] == bytes(2000)
    assert octets[4096:] == b"\xff" * 65536


def test_the_reader_counts_what_is_damaged():
    octets = bytearray(image_with_a_cut().cells)
    octets[3 * 4096 + 700] ^= 1
    results, damaged = read_log(bytes(octets), 16, 4096, 2, 8)
    assert damaged == 1 and len(results) == 78


def test_the_check_value_of_the_document_is_right():
    assert crc(b"123456789") == 0x1790FBF6


def read_curves(octets, unit, block_bytes, first, count):
    """Every whole curve of a ring of graphs: result, ID, time, what, unit, scale, steps, samples."""
    pieces = {}
    for block in counted(octets, unit, block_bytes, first, count)[0]:
        for _, kind, _, payload, _ in block:
            if kind == 0xC9:
                pieces.setdefault(struct.unpack_from("<I", payload)[0], payload)
    found = []
    for number, payload in sorted(pieces.items()):
        if payload[6]:
            continue
        steps = [struct.unpack_from("<HII", payload, 74 + 10 * index) for index in range(payload[39])]
        data = payload[74 + 10 * payload[39] :]
        for piece in range(1, payload[7]):
            data += pieces[number + piece][8:]
        shift, top, bottom, announced, samples = struct.unpack_from("<bIIIH", payload, 59)
        assert len(data) == 2 * samples == 2 * announced
        found.append(
            (
                struct.unpack_from("<I", payload, 8)[0],
                payload[12:22],
                payload[22:29].hex(),
                payload[37],
                struct.unpack_from("<H", payload, 40)[0],
                2.0**shift * top / bottom,
                steps,
                struct.unpack(f">{samples}h", data),
            )
        )
    return found


@pytest.mark.parametrize("unit", [16, 256, 512])
def test_a_reader_of_the_document_finds_every_curve(unit):
    bench = Bench(SimFlash(16, 4096, unit), graphs=8)
    append(bench.main, 3)
    for ident in (1, 2, 3):
        for what in (2, 1):
            assert bench.put_curve(ident, what, 500) == 0
    bench.start()
    assert bench.put(trace_message(4, samples=samples_for(4))) == 0
    found = read_curves(bytes(bench.flash.cells), unit, 4096, 0, 8)
    assert [(one[0], int(one[1]), one[3]) for one in found] == [
        *((0, ident, what) for ident in (1, 2, 3) for what in (2, 1)),
        (0, 4, 2),
    ]
    for result in found:
        count = 500 if int(result[1]) < 4 else 300
        assert result[2] == "20240314092653" and result[4:7] == (1, 0.01, [(count, 2, 1)])
        assert result[7] == samples_for(int(result[1]), result[3], count)
