"""docs/internals/spool.md is enough to write a reader: this one is written from it and uses nothing of the product."""

import re
import struct

import pytest

from toolcart.agent.cart.outlet_places import OutletPlaces
from toolcart.agent.log import snapshot
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.openprotocol import id_ledger
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.quarantine.quarantine import ADMITTED, Quarantine
from toolcart.base.clock import Dice
from toolcart.board.linux.flash import FileFlash
from host_tests.portable import LONG
from host_tests.support.graphs import Bench, samples_for, trace_message
from host_tests.support.log import Area, append, held
from lab.cache import CHECKOUT
from lab.harness.flash import PowerCut


def crc(octets):
    value = 0x3FFFFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0x38E74301 if value & 1 else value >> 1
    return value


def is_sound(octets):
    return struct.unpack_from("<I", octets, len(octets) - 4)[0] == crc(octets[:-4])


class Reader:
    """A station's area."""

    def __init__(self, octets, unit, block_bytes=4096):
        self.blocks = [octets[at : at + block_bytes] for at in range(0, len(octets), block_bytes)]
        self.unit = unit
        self.numbers = None
        self._read_state()

    def _read_state(self):
        best = -1
        size = max(256, self.unit)
        for place, block in enumerate(self.blocks[:4]):
            for slot in range(len(block) // size):
                one = block[slot * size : slot * size + 256]
                if one[:2] != b"TS" or not is_sound(one):
                    continue
                version, own, generation, self_identity, sizes = struct.unpack_from("<BBIIB", one, 2)
                assert version == 5 and 1 << (sizes >> 4) == self.unit and 256 << (sizes & 15) == len(block)
                counts = slot > 0 or block[size : size + 256] != b"\xff" * 256
                if own == slot and generation % 4 == place and generation >= best and counts:
                    best = generation
                    self.identity = self_identity
                    words = struct.unpack_from("<48I", one, 16)
                    self.numbers = [word & 0x3FFFFFFF for word in words]
                    bits = sum((word >> 30) << 2 * at for at, word in enumerate(words))
                    self.names = [bits >> 24 * place & 0xFFFFFF for place in range(4)]
                    self.places = int.from_bytes(one[13:16], "little")
                    self.octets = one[208:252]

    def _head(self, block, ring):
        """Number, first, flags and the number before of a block of this log; None if it is none."""
        one = block[:52]
        if one[:2] != b"TL" or not is_sound(one):
            return None
        version, own, identity, number, first, flags = struct.unpack_from("<BBIIIB", one, 2)
        assert version == 4
        before = struct.unpack_from("<I", one, 24)[0]
        return (number, first, flags, before) if own == ring and identity == self.identity else None

    def _records(self, block):
        at, last, step = 52, 0, max(self.unit, 8)
        while at + 12 <= len(block):
            kind, flags, count, number = struct.unpack_from("<BBHI", block, at)
            if kind in (0xD2, 0xD7, 0xC5, 0xC9) and at + 12 + count <= len(block):
                if is_sound(block[at : at + 12 + count]):
                    if number > last:
                        last = number
                        yield number, kind, flags, block[at + 8 : at + 8 + count]
                    at = -(-(at + 12 + count) // step) * step
                    continue
            at += 4

    def log(self, ring):
        """Every record that counts and is certain: number, kind, flags, payload."""
        begun = []
        for block in self.blocks[4:]:
            head = self._head(block, ring)
            records = list(self._records(block))
            if head is None or not records or (head[2] & 1 and head[0] > self.numbers[ring + 2]):
                continue
            begun.append((head[0], head[1], head[3], records))
        begun.sort()
        counting, bound, highest = [], 1 << 30, 1 << 30
        passed = self.numbers[14 if ring == 3 else 9]  # by the only outlet
        for number, first, before, records in reversed(begun):
            if number > highest or first >= bound or (number < highest < 1 << 30 and bound <= passed + 1):
                continue
            highest = before
            counting[:0] = [one for one in records if first <= one[0] < bound]
            bound = min(bound, first)
        if counting and counting[-1][0] >= self.numbers[ring + 1]:
            counting.pop()  # in doubt
        return counting

    def results(self):
        return [(number, int(payload[90:100])) for number, kind, _, payload in self.log(0) if kind == 0xD2]

    def kept(self):
        """Number in the log of results, reason and ID of what the quarantine holds."""
        gaps = [self.numbers[index : index + 2] for index in range(27, 35, 2)]
        entries = []
        for number, _, _, payload in self.log(3):
            if number > self.numbers[14] and not any(first <= number <= last for first, last in gaps if first):
                of, reason, _ = struct.unpack("<IHH", payload[-8:])
                entries.append((of, reason, int(payload[90:100])))
        return entries


def expected(flash, unit):
    """What the agent finds at a start, on a copy."""
    area = Area(flash=flash.clone())
    area.mount()
    assert area.mount_result == 0
    if area.log.last_was_durable:  # the snapshot says so; the session relies on it from its own first snapshot on
        area.log.visible = area.log.number
    return [(number, int(payload[90:100])) for number, kind, _, payload in held(area.log) if kind == 0xD2]


def test_the_check_value_of_the_document_is_right():
    assert crc(b"123456789") == 0x1790FBF6


@pytest.mark.parametrize("unit", [16, 64, 256, 512])
def test_a_reader_written_from_the_document_finds_what_a_start_finds(unit):
    area = Area(16, 4096, unit)
    area.mount()
    for ident in range(1, 80):
        assert append(area.log, ident) == 0
        if ident == 40:
            area.log.cursors[0].number = 30
            assert area.state.save()
            area.mount()
    assert area.state.save()
    reader = Reader(bytes(area.flash.cells), unit)
    assert reader.results() == expected(area.flash, unit)
    assert [ident for _, ident in reader.results()][-49:] == list(range(31, 80))
    assert reader.numbers == area.state.numbers and reader.identity == area.state.identity
    assert reader.numbers[45] & 0x7FFF == 3 and reader.numbers[45] >> 15 == 0 and reader.numbers[9] == 30


@pytest.mark.parametrize("seed", range(1, 33 if LONG else 3))
def test_so_it_does_after_cuts_of_every_kind_refusals_and_many_starts(seed):
    dice = Dice(seed * 7919)
    unit = (16, 64, 256)[seed % 3]
    area = Area(12 + dice.randrange(4), 4096, unit)
    area.mount()
    ident = 0
    for _ in range(25):
        area.flash.cut_after, area.flash.look, area.flash.refused_look = dice.randrange(40), None, None
        area.flash.code = FLASH_DONE
        try:
            for _ in range(dice.randrange(60)):
                if append(area.log, ident + 1) == FLASH_DONE:
                    ident += 1
                log = area.log
                if dice.randrange(3) == 0 and log.peek(log.cursors[0]) > 0:
                    log.cursors[0].advance()
                if dice.randrange(9) == 0:
                    area.state.save()
                area.flash.code = FLASH_IO if dice.randrange(12) == 0 else FLASH_DONE
        except PowerCut:
            pass
        area.flash.restart()
        area.flash.code = FLASH_DONE
        if area.state.found or area.state.saves:
            reader = Reader(bytes(area.flash.cells), unit)
            if reader.numbers is not None:
                assert reader.results() == expected(area.flash, unit), seed
        area.mount()
        assert area.mount_result == 0
    assert ident >= 30


def test_quarantine_and_known_ids_lie_as_the_document_says():
    area = Area(16, 4096, 16)
    state, log = area.mount()
    quarantine = Quarantine(area.kept, state, log)
    quarantine.start()
    ledger = IdLedger(state)
    for ident in [*range(1, 10), *range(30, 34)]:
        assert append(log, ident) == 0
        assert log.peek(log.cursors[0]) == 0xD2
        ledger.stored(0xD2, 0, log.page, log.at, log.length)
        if ident > 4:
            log.cursors[0].advance()
        elif quarantine.admit(ident, 43) == ADMITTED:
            log.cursors[0].advance()
    assert quarantine.remove([2], field.DROPPED) == 1
    assert state.save()
    reader = Reader(bytes(area.flash.cells), 16)
    assert reader.kept() == [(1, 43, 1), (3, 43, 3), (4, 43, 4)]
    assert reader.numbers[field.QUARANTINE_LAST] == 4
    assert reader.octets[:5].hex() == "%010d" % ledger.top()
    if ledger.is_met() and ledger.ranges:
        assert [int(reader.octets[at : at + 5].hex()) for at in (16, 21)] == ledger.ranges[0]


def test_places_and_names_lie_as_the_document_says():
    area = Area(16, 4096, 16)
    state, _ = area.mount()
    settings = [{"kind": "mqtt", "name": "line-7"}, {"kind": "toolsnet"}, {"kind": "file"}]
    OutletPlaces(state, settings).put(state)
    OutletPlaces(state, settings[:2]).put(state)  # the file goes
    assert state.save()
    reader = Reader(bytes(area.flash.cells), 16)
    assert [reader.places >> 6 * place & 63 for place in range(4)] == [1, 4, 2 | 1 << 4, 0]
    assert reader.names == [crc(name) & 0xFFFFFF if name else 0 for name in (b"toolsnet", b"line-7", b"file", b"")]


def test_page_in_front_of_file_s_blocks_lies_as_the_document_says(tmp_path):
    path = tmp_path / "spool"
    FileFlash(str(path), 65536, 64, (3, 17, 7)).close()
    octets = path.read_bytes()
    for at in (0, 2048):
        form = "<8sHHIIHHHH16sI"
        magic, version, unit, block_bytes, count, kind, system, station, zeros, identity, check = struct.unpack_from(
            form, octets, at
        )
        assert (magic, version, unit, block_bytes, count) == (b"toolcart", 2, 64, 4096, 16)
        assert (kind, system, station, zeros, check) == (3, 17, 7, 0, crc(octets[at : at + 44]))
        assert any(identity) and octets[at + 48 : at + 2048] == bytes(2000)
    assert octets[4096:] == b"\xff" * 65536


def read_curves(area):
    """Every whole curve of a log of curves: result, ID, time, what, unit, scale, steps, samples."""
    pieces = {}
    for number, kind, _, payload in area.log(6):
        if kind == 0xC9:
            pieces[number] = payload
    curves = []
    for number, payload in sorted(pieces.items()):
        if payload[6]:
            continue
        steps = [struct.unpack_from("<HII", payload, 74 + 10 * index) for index in range(payload[39])]
        data = payload[74 + 10 * payload[39] :]
        for piece in range(1, payload[7]):
            data += pieces[number + piece][8:]
        shift, top, bottom, announced, samples = struct.unpack_from("<bIIIH", payload, 59)
        assert len(data) == 2 * samples == 2 * announced
        curves.append(
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
    return curves


@pytest.mark.parametrize("unit", [16, 256, 512])
def test_a_reader_of_the_document_finds_every_curve(unit):
    bench = Bench(unit_bytes=unit, graphs=8)
    append(bench.main, 3)
    for ident in (1, 2, 3):
        for what in (2, 1):
            assert bench.put_curve(ident, what, 500) == 0
    bench.start()
    assert bench.put(trace_message(4, samples=samples_for(4))) == 0
    assert bench.main.state.save()
    curves = read_curves(Reader(bytes(bench.flash.cells), unit))
    assert [(one[0], int(one[1]), one[3]) for one in curves] == [
        *((0, ident, what) for ident in (1, 2, 3) for what in (2, 1)),
        (0, 4, 2),
    ]
    for result in curves:
        count = 500 if int(result[1]) < 4 else 300
        assert result[2] == "20240314092653" and result[4:7] == (1, 0.01, [(count, 2, 1)])
        assert result[7] == samples_for(int(result[1]), result[3], count)


DOCUMENT = (CHECKOUT / "docs/internals/spool.md").read_text(encoding="utf-8")


def bits_of(table):
    """The bits in the first column of the document's table with this head."""
    rows = DOCUMENT.split(f"| {table} | says |\n|---|---|\n")[1].split("\n\n")[0].split("\n")
    first = [row.split(" | ")[0].strip("| ") for row in rows]
    return {int(bit, 0) for cell in first for bit in cell.split(", ") if re.fullmatch(r"0x[0-9A-F]+|\d+", bit)}


def single_bits(values):
    return {value for value in values if value & value - 1 == 0}


def test_the_document_has_every_bit_and_every_version():
    sent = single_bits(value for name, value in vars(field).items() if name.startswith("SENT_"))
    assert bits_of("bit") == sent and len(sent) == 10
    names = "_MET _EMPTY _SHARED _DOUBTED _UNANSWERING _OTHER_UNIT _UNNAMED _SUCCESSOR".split()
    assert bits_of("flag") == {getattr(id_ledger, name) for name in names} == {1 << bit for bit in range(8)}
    versions = {value for name, value in vars(snapshot).items() if name.lstrip("_").startswith("VERSION")}
    part = DOCUMENT.split("### Version\n")[1].split("\n\n")[0]
    said = {int(number) for number in re.findall(r"\b(?:\d|10)\b", part)}
    assert versions == {4, 5, 6, 7} and said - {3} == versions | {8, 10}, "3 more: 8 to 10"
