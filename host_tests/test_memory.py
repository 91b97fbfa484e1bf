"""The memory's sixty octets: every field has a name, none lies over another, nothing is left over."""

from agent.openprotocol import known
from agent.openprotocol.gaps import GAPS_MAX
from agent.record.result import ID_BYTES, TIME_BYTES
from agent.spool import memory as m
from agent.spool.record import AT_MEMORY, HEAD_PAYLOAD, MEMORY_BYTES

PORTABLE = True

FIELDS = (
    (m.DELIVERED, 4),
    (m.BASE, 3),
    (m.OUTLET_FLAGS, 1),
    (m.ASIDE_FIRST, 4),
    (m.ASIDE_LENGTH, 2),
    (m.ASIDE_RANGES, 1),
    (m.GONE, 4),
    (m.ID_FLAGS, 1),
    (m.INDEXES, 1),
    (m.EPOCH, 1),
    (m.IDENTITY, 4),
    (m.TOP, ID_BYTES // 2),
    (m.TIME_KNOWN, TIME_BYTES),
    (m.GAPS, m.GAPS_BYTES),
)


def test_the_fields_fill_the_memory_and_none_lies_over_another():
    end = 0
    for first, octets in FIELDS:
        assert first == end
        end += octets
    assert end == MEMORY_BYTES == HEAD_PAYLOAD - AT_MEMORY
    assert m.OUTLET_OWN == m.DELIVERED and m.OUTLET_OWN_BYTES == m.ASIDE_FIRST, "what a CURSOR record repeats"
    assert m.GAPS_BYTES == 4 + 2 * GAPS_MAX + 2 * (GAPS_MAX - 1), "the first ID, counts, and what lies between"


def test_known_uses_the_fields_of_the_table():
    memory = bytearray(MEMORY_BYTES)
    ids = known.Known(memory)
    ids.stored(known.KIND_RESULT, 0, result(b"0000000041"), 0, 114)
    ids.stored(known.KIND_RESULT, 0, result(b"0000000044"), 0, 114)
    for index in range(MEMORY_BYTES):
        assert index >= m.GONE or memory[index] == 0, "octets of another owner"
    assert bytes(memory[m.TOP : m.TOP + 5]) == b"\x00\x00\x00\x00\x44"
    assert memory[m.GAPS] == 42 and memory[m.GAPS + 4] == 2


def result(digits):
    payload = bytearray(114)
    payload[90:100] = digits
    payload[64:71] = b"\x20\x24\x03\x14\x09\x26\x53"
    return payload
