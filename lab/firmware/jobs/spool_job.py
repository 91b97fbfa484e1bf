"""Runs on the RP2040 image: mounts a log on the chip's own flash, checks all that is in it, then appends.

Arguments: kind of a result, blocks, records. Prints what it finds, then `LOG first last blocks-in-use`, then
`ACK number` for each record that is durable; the power may fail at any flash word of it.
"""

import sys
from struct import pack

from toolcart.agent.log.flash import Partition
from toolcart.agent.log.log import Log
from toolcart.agent.log.mount import mount
from toolcart.agent.log.snapshot import Snapshot
from toolcart.board.rp2 import flash as rp2_flash

KIND, BLOCKS, RECORDS = [int(word) for word in sys.argv[1:4]]
PAYLOAD_BYTES = 114
STATE_BLOCKS = 4
OVERWRITE = 1
LOG, CURSOR = 0, 9  # of toolcart.agent.log.snapshot_fields: on a chip constants have no names
TABLE = bytes([(at * 37 + 11) & 0xFF for at in range(400)])


def contents(number):
    """Return a result's payload: it begins with its number; the rest differs from number to number."""
    return pack("<I", number) + TABLE[number % 251 : number % 251 + PAYLOAD_BYTES - 4]


def check(log):
    """Read everything and print what is missing or not as written; return the first and last number."""
    first = last = 0
    cursor = log.cursors[0]
    log.seek(cursor, 0)
    while log.peek(cursor) > 0:
        number = cursor.found
        if bytes(log.page[log.at : log.at + PAYLOAD_BYTES]) != contents(number):
            print("WRONG", number)
        if last and number <= last:
            print("DISORDER", last, number)
        for missing in range(last + 1 if last else number, number):
            print("MISSING", missing)
        first = first or number
        last = number
        cursor.advance()
    return first, last


def blocks_in_use(device):
    """Return how many blocks do not begin with erased bytes."""
    start = bytearray(16)
    used = 0
    for block in range(device.block_count):
        device.read_into(block * device.block_bytes, start, 16)
        used += start != b"\xff" * 16
    return used


area = rp2_flash.ring()
device = Partition(area, STATE_BLOCKS, BLOCKS)
used = blocks_in_use(device)
state = Snapshot(Partition(area, 0, STATE_BLOCKS))
# By position: a frozen program has no argument names.
log = Log(device, state, LOG, 1, CURSOR, OVERWRITE)
print("MOUNT", mount(state, (log,), 1))
log.settle()
print("LOG", *check(log), used)
for turn in range(RECORDS):
    log.stage[log.payload_at : log.payload_at + PAYLOAD_BYTES] = contents(log.next)
    code = log.append(KIND, 0, PAYLOAD_BYTES)
    if code != 0:
        raise RuntimeError("not kept: %d" % code)
    print("ACK", log.number)
    if turn % 5 == 4:
        cursor = log.cursors[0]
        while log.peek(cursor) > 0:
            cursor.advance()
        state.save()
print("END", *check(log))
