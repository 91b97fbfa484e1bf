"""Runs on the RP2040 image: brings a ring on the chip's own flash up, checks all that is in it, then appends.

Arguments: kind of a result, blocks, records. Prints what it finds, then `LOG first last blocks-in-use`, then
`ACK number` for each record that is durable; the power may go at any flash word of it.
"""

import sys
from struct import pack

from agent.log.flash import Part
from agent.spool.mount import mount
from agent.spool.ring import Ring
from board import rp2_flash

KIND, BLOCKS, RECORDS = [int(word) for word in sys.argv[1:4]]
PAYLOAD_BYTES = 114
FRAME_HEAD = 8
OVERWRITE = 1
TABLE = bytes([(at * 37 + 11) & 0xFF for at in range(400)])


def contents(number):
    """A result's payload begins with its number; the rest differs from number to number."""
    return pack("<I", number) + TABLE[number % 251 : number % 251 + PAYLOAD_BYTES - 4]


def check(ring):
    """Read everything and print what is not there or not as it was written; the first and last number."""
    first = last = 0
    ring.rewind(0, 0)
    while ring.peek_from(ring.cursors[0]) > 0:
        number = ring.cursors[0].peek_number
        if bytes(ring.walk.page[FRAME_HEAD : FRAME_HEAD + PAYLOAD_BYTES]) != contents(number):
            print("WRONG", number)
        if last and number <= last:
            print("DISORDER", last, number)
        for missing in range(last + 1 if last else number, number):
            print("MISSING", missing)
        first = first or number
        last = number
        ring.advance(0)
    return first, last


def blocks_in_use(device):
    """How many blocks do not begin with erased octets."""
    start = bytearray(16)
    used = 0
    for block in range(BLOCKS):
        device.read_into(block * device.block_bytes, start, 16)
        used += start != b"\xff" * 16
    return used


device = Part(rp2_flash.ring(), 0, BLOCKS)
used = blocks_in_use(device)
ring = Ring(device, 1, OVERWRITE)  # by place: a frozen program has no names of arguments
print("MOUNT", mount(ring))
print("LOG", *check(ring), used)
for turn in range(RECORDS):
    at = ring.begin(KIND, PAYLOAD_BYTES)
    if at < 0:
        raise RuntimeError("no place: %d" % at)
    ring.stage[at : at + PAYLOAD_BYTES] = contents(ring.number + 1)
    code = ring.commit(KIND, 0, PAYLOAD_BYTES)
    if code != 0:
        raise RuntimeError("not kept: %d" % code)
    print("ACK", ring.number)
    if turn % 5 == 4:
        while ring.peek_from(ring.cursors[0]) > 0:
            ring.advance(0)
        ring.save_cursors(ring.number + 10)
print("END", *check(ring))
