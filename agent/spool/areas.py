"""How a device is divided: the quarantine in front, the main log behind it (docs/spool.md, part 1)."""

from agent.spool.blocks import SPOOL_FAILED
from agent.spool.fold import ROLE_MAIN
from agent.spool.record import AT_BLOCK_COUNT, AT_FIRST_BLOCK, AT_ROLE, HEAD_BYTES, KIND_HEAD, RECORD_NONE, is_head
from agent.spool.walk import READ_BYTES, Walk


def quarantine_blocks(device, wanted):
    """Return how many blocks in front of the device are the quarantine: as a main HEAD says, else `wanted`.

    SPOOL_FAILED if the device cannot be read.
    """
    walk = Walk(device, READ_BYTES)
    for block in range(device.block_count):
        kind = walk.first(block)
        if kind < RECORD_NONE:
            return SPOOL_FAILED
        page = walk.page
        if kind != KIND_HEAD or not is_head(page, HEAD_BYTES):
            continue
        at = HEAD_BYTES + (AT_FIRST_BLOCK if page[HEAD_BYTES + AT_ROLE] == ROLE_MAIN else AT_BLOCK_COUNT)
        return page[at] | page[at + 1] << 8
    return wanted
