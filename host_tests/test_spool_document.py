"""docs/spool.md is enough to write a reader: this one is written from it and uses nothing of the product."""

import struct

from agent.spool.flash import Part  # only to make the image
from agent.spool.ring import ROLE_QUARANTINE
from board.linux_flash import FileFlash
from host_tests.support_spool import append, mounted, read_all
from tools.sim.flash import BITS, PowerCut, SimFlash


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
    if kind not in (0x48, 0xD2, 0xD7, 0xC5, 0xC7, 0xC3, 0xCD, 0xD3) or at + 12 + n > len(block):
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


def read_log(octets, unit, block_bytes, first, count):
    """Every result of one log as (number, tightening ID), and how many records are damaged."""
    blocks = [read_block(octets[n * block_bytes : (n + 1) * block_bytes], unit) for n in range(first, first + count)]
    blocks = sorted((b for b in blocks if b), key=lambda b: b[0][0])
    afters = [struct.unpack_from("<I", b[0][3], 20)[0] if b[0][1] == 0x48 else b[0][0] - 2 for b in blocks]
    results, damaged, last = {}, 0, None
    for place, block in enumerate(blocks):
        if last is not None and afters[place] > last:
            damaged += afters[place] - last
        for index, (seq, kind, _, payload, _) in enumerate(block):
            if place + 1 < len(blocks) and seq > afters[place + 1]:
                continue
            if index and seq - 1 > last:
                damaged += seq - 1 - last
            last = seq
            if kind == 0xD2:
                results.setdefault(struct.unpack_from("<I", payload)[0], payload[8 + 82 : 8 + 92].decode())
    return sorted(results.items()), damaged


def image_with_a_cut():
    flash = SimFlash(10, 4096, 16)
    ring = mounted(Part(flash, 2, 8))
    for ident in range(1, 60):
        append(ring, ident)
    flash.cut_at = flash.operations + 1
    flash.cut_shape = BITS
    try:
        append(ring, 999)
    except PowerCut:
        flash.restart()
    ring = mounted(Part(flash, 2, 8))
    for ident in range(60, 80):
        append(ring, ident)
    append(mounted(Part(flash, 0, 2), role=ROLE_QUARANTINE), 500, extra=8)
    return flash


def test_a_reader_written_from_the_document_finds_what_the_ring_finds():
    flash = image_with_a_cut()
    octets = bytes(flash.cells)
    head = octets[2 * 4096 + 8 :]
    assert head[:5] == b"TCSP\x02"
    unit, block_bytes, count, first, role = struct.unpack_from("<HIIHB", head, 6)
    assert (unit, block_bytes, count, first, role) == (16, 4096, 8, 2, 0)
    results, damaged = read_log(octets, unit, block_bytes, first, count)
    expected = [(number, "%010d" % ident) for number, ident in read_all(mounted(Part(flash.clone(), 2, 8)))]
    assert results == expected
    assert [int(ident) for _, ident in results] == list(range(1, 80))
    assert damaged == 0
    parked, _ = read_log(octets, unit, block_bytes, 0, first)
    assert parked == [(1, "0000000500")]


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
