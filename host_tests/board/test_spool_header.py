"""The header page of a spool's file is read as it was written, from either of its copies, and nothing else is one."""

from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.spool_header import COPY_AT, PAGE_BYTES, Header

PORTABLE = True


def page(**other):
    settings = {"unit_bytes": 64, "block_bytes": 4096, "block_count": 256, "owner": (3, 17, 9999)}
    settings.update(other)
    return Header(identity=bytes(range(16)), **settings).page()


def test_the_page_lies_as_its_drawing_says():
    octets = bytes(page())
    assert octets[:8] == b"toolcart" and octets[8:12] == b"\x02\x00\x40\x00"
    assert octets[12:20] == b"\x00\x10\x00\x00\x00\x01\x00\x00"
    assert octets[20:28] == b"\x03\x00\x11\x00\x0f\x27\x00\x00"
    assert octets[28:44] == bytes(range(16))
    assert octets[COPY_AT : COPY_AT + 48] == octets[:48]


def test_other_octets_are_no_header():
    for octets in (b"", b"toolcart", b"\xff" * PAGE_BYTES, bytes(PAGE_BYTES), b"Dear ToolsNet" * 400):
        assert linux_header.read(octets) is None
    assert not linux_header.is_ours(b"") and not linux_header.is_ours(b"\xff" * PAGE_BYTES)


def test_blocks_of_a_file_follow_its_header():
    blocks = b"\x48" + bytes(4095) + b"\xff" * 4096
    assert linux_header.blocks_of(bytes(page()) + blocks) == blocks
    assert linux_header.blocks_of(blocks) == blocks
