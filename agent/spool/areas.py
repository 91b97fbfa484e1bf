"""How a device is divided: the quarantine in front, the ring of graphs behind it if there is one, then the main log.

(docs/spool.md, part 1)
"""

from agent.base.compat import const
from agent.spool.fold import ROLE_GRAPHS, ROLE_MAIN
from agent.spool.record import AT_BLOCK_COUNT, AT_FIRST_BLOCK, AT_ROLE, HEAD_BYTES, KIND_HEAD, RECORD_NONE, is_head
from agent.spool.walk import READ_BYTES, Walk

QUARANTINE_BLOCKS_LEAST = const(2)


def divide(device, parked, graphs):
    """Return how many blocks the quarantine and the ring of graphs have: as HEADs say, else `parked` and `graphs`.

    A main HEAD tells the sum of the two, and each of them its own share. A ring in which nothing was ever written
    becomes what the sum leaves. (-1, 0) if the device cannot be read.
    """
    walk = Walk(device, READ_BYTES, None)
    page = walk.page
    in_front = quarantine = own = -1
    for block in range(device.block_count):
        kind = walk.first(block)
        if kind < RECORD_NONE:
            return -1, 0
        if kind != KIND_HEAD or not is_head(page, HEAD_BYTES):
            continue
        role = page[HEAD_BYTES + AT_ROLE]
        if role == ROLE_MAIN:
            in_front = _u16(page, HEAD_BYTES + AT_FIRST_BLOCK)
            break
        if role == ROLE_GRAPHS:
            quarantine = _u16(page, HEAD_BYTES + AT_FIRST_BLOCK)
            own = _u16(page, HEAD_BYTES + AT_BLOCK_COUNT)
        elif quarantine < 0:
            quarantine = _u16(page, HEAD_BYTES + AT_BLOCK_COUNT)
    if in_front < 0:
        if quarantine < 0:
            return parked, graphs
        return quarantine, graphs if own < 0 else own
    if quarantine < 0:
        quarantine = in_front - graphs
    if not QUARANTINE_BLOCKS_LEAST <= quarantine <= in_front:
        quarantine = in_front
    return quarantine, in_front - quarantine


def _u16(page, at):
    return page[at] | page[at + 1] << 8
