"""Puts curves together again from their pieces, one after the other, for an outlet with a cursor in their log.

A curve with missing pieces is returned up to the first gap. A piece without those in front of it is skipped: the log
counts it as missed. What a start finds last is settled before anything is read, as in the log of results: else the last
curve would wait for the next one.
"""

from struct import unpack, unpack_from

from toolcart.agent.base.fields import get_u32
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.record import RECORD_NONE
from toolcart.agent.record import graph as gr

CPYTHON_ONLY = True  # no board sends curves anywhere


class Curves:
    """The curves in `log` from the cursor `index` on; `flags` are those of the one read last."""

    def __init__(self, log, index):
        self.log = log
        self.index = index
        self.cursor = log.cursors[index]
        self.flags = 0
        self._scout = Cursor()
        self._behind = Cursor()  # the curve read last
        self._scout.wants = self._behind.wants = self.cursor.wants

    def is_certain(self):
        """True if nothing in the log is in doubt, or that could be settled now."""
        return not self.log.doubtful or self.log.settle()

    def restart(self):
        """Begin again at the cursor."""
        self._scout.stand_at(self.cursor)

    def advance(self):
        """Pass the curve read last: its line was taken."""
        self._scout.stand_at(self._behind)

    def settle(self):
        """Move the cursor: all that was taken is durable."""
        self.cursor.stand_at(self._scout)

    def save(self):
        """Make the cursor durable; True if it is."""
        state = self.log.state
        return state.durable[self.cursor.slot] == self.cursor.number or state.save()

    def read(self):
        """Read the next curve; return its first piece up to the data, all its data, and True if that is complete.

        (None, b"", False) if there is none. Afterwards `_behind` is behind the curve.
        """
        log = self.log
        behind = self._behind
        behind.stand_at(self._scout)
        lead = None
        data = b""
        awaited = 0
        while True:
            kind = log.peek(behind)
            if kind < RECORD_NONE:
                return None, b"", False  # it cannot be read now
            if kind == RECORD_NONE:
                break
            number, piece, octets = self._piece()
            if lead is None:
                if piece == 0:
                    lead = bytes(log.page[log.at : gr.data_at(log.page, log.at)])
                    self.flags = log.flags
                    data = octets
                    awaited = 1
                behind.advance()
            elif piece == awaited and number == get_u32(lead, 0) + awaited:
                data += octets
                awaited += 1
                behind.advance()
            else:
                break
            if lead is not None and awaited == lead[gr.PIECES]:
                return lead, data, True
        if lead is None:
            self._scout.stand_at(behind)  # pieces of no use
        if log.doubtful:
            return None, b"", False  # the last piece follows when it is settled
        return lead, data, False

    def _piece(self):
        """Return the piece in the page: its number, which one of its curve it is (-1: none), and its data."""
        page = self.log.page
        at = self.log.at
        length = self.log.length
        if not gr.is_piece(page, at, length):
            return 0, -1, b""
        return get_u32(page, at), page[at + gr.PIECE], bytes(page[gr.data_at(page, at) : at + length])


def samples_in(data):
    """Return a curve's samples."""
    count = len(data) // 2
    return list(unpack(">%dh" % count, data[: 2 * count]))


def steps_in(lead):
    """Return of each step how many samples it has, and the ms between two: numerator and denominator."""
    return [unpack_from("<HII", lead, gr.FIRST_STEP + index * gr.STEP_BYTES) for index in range(lead[gr.STEPS])]
