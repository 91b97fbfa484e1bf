"""How a station's device is divided: state, quarantine, ring of curves if there is one, log; and who had its cursors.

The numbers of a snapshot say so, else any head of a block; both were written when the area was made.
"""

from toolcart.agent.log import numbers as n
from toolcart.agent.log.flash import Part
from toolcart.agent.log.head import AT_GRAPHS, AT_KEPT, HEAD_OCTETS, HEAD_SOUND, check_head, size_of, u16
from toolcart.agent.log.log import RETAINED_MAX
from toolcart.agent.log.reader import WORN
from toolcart.agent.log.state import STATE_BLOCKS, STATE_FOUND, STATE_LOST, State


def divide(device, kept, graphs):
    """Return how many blocks the quarantine and the ring of curves have, and the state's `owners`.

    In a new area these are `kept`, `graphs` and 0; if the device cannot be read -1, 0, 0.
    """
    state = State(Part(device, 0, STATE_BLOCKS))
    code = state.load()
    if code == STATE_LOST:
        return -1, 0, 0
    if code == STATE_FOUND and state.numbers[n.KEPT_BLOCKS]:
        return state.numbers[n.KEPT_BLOCKS], state.numbers[n.GRAPH_BLOCKS], state.owners
    page = bytearray(HEAD_OCTETS)
    size = size_of(device)
    for block in range(STATE_BLOCKS, device.block_count):
        if device.read_into(block * device.block_bytes, page, HEAD_OCTETS) < 0:
            return -1, 0, 0
        if check_head(page, size) == HEAD_SOUND and u16(page, AT_KEPT):
            return u16(page, AT_KEPT), u16(page, AT_GRAPHS), state.owners
    return kept, graphs, state.owners


def floor(log):
    """Return up to which number the log's records may go, so that a quarter of its room is free."""
    firsts = [first for first in log.firsts if 0 < first < WORN]
    firsts.sort()
    over = len(firsts) - log.device.block_count * 3 // 4
    return max(firsts[over] - 1 if over > 0 else 0, log.number - RETAINED_MAX * 3 // 4)
