"""A record is taken for one only when it is one."""

from agent.base.words import get_u32
from agent.spool import record as rec

PORTABLE = True


def sealed(kind, payload, seq):
    buf = bytearray(rec.FRAME_BYTES + len(payload))
    buf[rec.HEAD_BYTES : rec.HEAD_BYTES + len(payload)] = payload
    assert rec.seal(buf, 0, kind, 0, len(payload), seq) == len(buf)
    return buf


def test_a_sealed_record_is_sound_and_says_its_length():
    buf = sealed(rec.KIND_RAW, b"0123456789", 77)
    assert rec.record_length(buf, 0, 100) == 22
    assert rec.is_sound(buf, 0, 22)
    assert get_u32(buf, 4) == 77


def test_every_single_bit_turned_over_is_noticed():
    buf = sealed(rec.KIND_RAW, b"0123456789", 77)
    for bit in range(len(buf) * 8):
        buf[bit >> 3] ^= 1 << (bit & 7)
        octets = rec.record_length(buf, 0, len(buf))
        assert octets <= 0 or not rec.is_sound(buf, 0, octets), bit
        assert octets != rec.RECORD_NONE, bit
        buf[bit >> 3] ^= 1 << (bit & 7)


def test_erased_flash_is_eight_octets_of_ff_and_nothing_less():
    assert rec.record_length(b"\xff" * 8, 0, 100) == rec.RECORD_NONE
    for index in range(8):
        buf = bytearray(b"\xff" * 8)
        buf[index] = 0xFE
        assert rec.record_length(buf, 0, 100) == rec.RECORD_BAD


def test_no_printable_octet_begins_a_record_but_that_of_a_head():
    for octet in range(0x80):
        if octet != rec.KIND_HEAD:
            assert rec.record_length(bytes([octet, 0, 16, 0, 1, 0, 0, 0]), 0, 4096) == rec.RECORD_BAD


def test_a_record_that_does_not_fit_its_block_or_is_too_short_for_its_kind_is_none():
    for kind, least in (
        (rec.KIND_CURSOR, rec.CURSOR_PAYLOAD),
        (rec.KIND_MEMORY, rec.MEMORY_PAYLOAD),
        (rec.KIND_GAP, rec.GAP_PAYLOAD),
        (rec.KIND_ASIDE, rec.ASIDE_PAYLOAD),
    ):
        octets = least + rec.FRAME_BYTES
        buf = sealed(kind, bytes(least), 5)
        assert rec.record_length(buf, 0, octets) == octets
        assert rec.record_length(buf, 0, octets - 1) == rec.RECORD_BAD
        assert rec.record_length(sealed(kind, bytes(least - 1), 5), 0, 100) == rec.RECORD_BAD
    assert rec.record_length(sealed(rec.KIND_SEAL, b"", 5), 0, 100) == 12


def test_a_sequence_number_of_more_than_30_bits_is_no_record():
    buf = sealed(rec.KIND_RESULT, bytes(4), 5)
    buf[7] = 0x40
    assert rec.record_length(buf, 0, 100) == rec.RECORD_BAD
