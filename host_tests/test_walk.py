"""The walk returns sound records of one block in order and nothing else, whatever lies between them."""

from agent.spool import record as rec
from agent.spool.walk import Walk
from tools.sim.flash import SimFlash

PORTABLE = True
HEAP = "512k"


def put(flash, at, kind, payload, seq):
    buf = bytearray(rec.FRAME_BYTES + len(payload))
    buf[rec.HEAD_BYTES : rec.HEAD_BYTES + len(payload)] = payload
    rec.seal(buf, 0, kind, 0, len(payload), seq)
    flash.cells[at : at + len(buf)] = buf


def seqs(flash, first=0, until=rec.SEQ_TOP, offset=0):
    walk = Walk(flash, 700, None)
    walk.begin(0, offset, first, until)
    found = []
    while True:
        kind = walk.next()
        if kind <= rec.RECORD_NONE:
            assert kind == rec.RECORD_NONE
            return found
        found.append(walk.seq)


def block(count=6):
    flash = SimFlash(2, 1024, 16)
    for index in range(count):
        put(flash, index * 64, rec.KIND_RAW, b"%040d" % index, index + 1)
    return flash


def test_records_come_in_order_and_then_the_end():
    assert seqs(block()) == [1, 2, 3, 4, 5, 6]


def test_only_the_window_between_two_numbers_is_returned():
    assert seqs(block(), 2, 5) == [3, 4]


def test_damage_to_one_record_costs_that_record_only():
    for at in range(52):
        flash = block()
        flash.cells[128 + at] ^= 0x10
        assert seqs(flash) == [1, 2, 4, 5, 6], at


def test_a_damaged_length_field_hides_nothing_behind_it():
    for length in (0, 1, 600, 0xFFFF):
        flash = block()
        flash.cells[64 + 2] = length & 255
        flash.cells[64 + 3] = length >> 8
        assert seqs(flash) == [1, 3, 4, 5, 6], length


def test_older_numbers_are_stepped_over():
    flash = block()
    put(flash, 128, rec.KIND_RAW, b"%040d" % 9, 1)
    assert seqs(flash) == [1, 2, 4, 5, 6]


def test_a_head_inside_a_block_is_no_record():
    flash = block()
    put(flash, 512, rec.KIND_HEAD, b"TCSP" + bytes(112), 7)
    assert seqs(flash) == [1, 2, 3, 4, 5, 6]


def test_a_record_may_end_with_its_block():
    flash = SimFlash(2, 1024, 1)
    put(flash, 1024 - 48, rec.KIND_RAW, b"%036d" % 9, 7)
    put(flash, 0, rec.KIND_RAW, b"%040d" % 9, 6)
    assert seqs(flash) == [6, 7]


def test_a_device_that_cannot_be_read_is_not_the_end():
    flash = block()
    walk = Walk(flash, 700, None)
    walk.begin(0, 0, 0)
    assert walk.next() == rec.KIND_RAW
    flash.unreadable = True
    assert walk.next() == rec.RECORD_BAD
    flash.unreadable = False
    assert walk.next() == rec.KIND_RAW and walk.seq == 2


def test_the_first_record_is_found_behind_a_damaged_head():
    flash = SimFlash(2, 1024, 16)
    put(flash, 0, rec.KIND_HEAD, b"TCSP\x03\x00" + bytes(110), 30)
    put(flash, 128, rec.KIND_RAW, b"%040d" % 1, 31)
    walk = Walk(flash, 700, None)
    assert walk.first(0) == rec.KIND_HEAD and walk.seq == 30 and walk.after == 0
    flash.cells[20] ^= 1
    assert walk.first(0) == rec.KIND_RAW and walk.seq == 31 and walk.after == 29
    assert walk.first(1) == rec.RECORD_NONE
