"""How a station's device is divided: state, quarantine, ring of curves if there is one, log.

The numbers of a snapshot say so, else any head of a block; both were written when the area was made.
"""

from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import AT_GRAPHS, AT_KEPT, HEAD_OCTETS, HEAD_SOUND, check_head, size_of, u16
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.snapshot import STATE_BLOCKS, STATE_FOUND, STATE_LOST, Snapshot


def divide(device, kept, graphs):
    """Return how many blocks the quarantine and the ring of curves have, and the state as the last session left it.

    In a new area these are `kept` and `graphs`; if the device cannot be read the first one is -1.
    """
    state = Snapshot(Partition(device, 0, STATE_BLOCKS))
    code = state.load()
    if code == STATE_LOST:
        return -1, 0, state
    if code == STATE_FOUND and state.numbers[field.AREA]:
        return state.kept_blocks(), state.graph_blocks(), state
    page = bytearray(HEAD_OCTETS)
    size = size_of(device)
    for block in range(STATE_BLOCKS, device.block_count):
        if device.read_into(block * device.block_bytes, page, HEAD_OCTETS) < 0:
            return -1, 0, state
        if check_head(page, size) == HEAD_SOUND and u16(page, AT_KEPT):
            return u16(page, AT_KEPT), u16(page, AT_GRAPHS), state
    return kept, graphs, state
