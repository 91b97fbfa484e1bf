"""Which of the IDs that are gone no event tells yet: kept as a few ranges until agent.gone has written them down.

Rules
1. A part of the fold: what counts IDs as gone notes them here, and an event takes them away, at a start as ever.
2. FLAG_UNTOLD stands beside the count from the first of them to the event behind which none is left. Where a start
   finds it and not which IDs they were, as the block is another one by now, it knows at least that there are some
   (`told` is -1): each event says how many were told with it, so the log has their number.
3. What goes for one reason, one after the other, is one entry: the first ID and the last one, and how many of these.
"""

from agent.base.compat import const
from agent.base.words import put_u32
from agent.openprotocol.ids import ID_PERIOD, id_of, is_ahead
from agent.record import event as ev
from agent.spool.memory import EPOCH, GONE, NoOwner

UNTOLD_AT = const(18)  # the top octet of the count, which ends below 2**30
FLAG_KNOWN = const(1)  # of the flags of the IDs (agent.openprotocol.known): a controller was met
FLAG_EMPTY = const(8)  # it had no result yet when it was asked: wherever its IDs begin, all of them are ours
FLAG_UNTOLD = const(128)  # no event says yet which IDs are gone
GONE_MOST = const(0x3FFFFFFF)  # what a number in the memory can say

# Why IDs are gone.
WHY_NONE = const(0)  # the controller has none under them
WHY_ANEW = const(1)  # its IDs began anew, or it is another one, before they were fetched
WHY_NEVER = const(2)  # it cannot be asked
WHY_MANY = const(3)  # more was missing than can be noted
WHY_UNKNOWN = const(4)  # several of these, or a power cut came before it was told

UNTOLD_MOST = const(4)
ANY_ID = const(-1)

# Of an entry.
FIRST = const(0)
LAST = const(1)
COUNT = const(2)
WHY = const(3)
IN_EPOCH = const(4)


class Untold(NoOwner):
    """The account of what is gone, over the ring's memory."""

    def __init__(self, memory):
        self.memory = memory
        self.told = 0  # so many of those that are gone stand in events; -1 where only the log can say
        self.untold = []  # of the others: first ID, last ID, how many of these, WHY_, epoch
        self._going = None  # ranges and WHY_ of what a MEMORY record that is being written counts as gone

    def gone(self):
        """Return how many IDs of this controller could not be had, ever."""
        return _count_at(self.memory, GONE)

    def has_untold(self):
        """Tell whether something is to be written down."""
        return self.memory[UNTOLD_AT] & FLAG_UNTOLD != 0

    def untold_ids(self):
        """Return how many IDs the entries speak of."""
        return sum([entry[COUNT] for entry in self.untold])

    def commit_memory(self, ring, lost, why):
        """Make the changed copy of the memory durable, which counts the ranges `lost` as gone; 0 when it is."""
        self._going = (lost, why)
        code = ring.commit_memory()
        self._going = None
        return code

    def happened(self, buf, at):
        """The event whose payload lies at buf[at:] counts: if it tells which IDs are gone these are told."""
        if buf[at + ev.WHAT] != ev.GONE:
            return
        self.told = id_of(buf, at + ev.TEXT + ev.GONE_TOTAL)
        rest = self.gone() - self.told
        while self.untold and self.untold_ids() > rest:
            self.untold.pop(0)
        if rest <= 0:
            self.untold = []
            self.memory[UNTOLD_AT] &= ~FLAG_UNTOLD & 0xFF

    def _compare_untold(self):
        """The memory was read anew."""
        if self._going is not None:
            for first, count in self._going[0]:
                self._note(first, count, self._going[1])
        count = self.gone() - self.told
        while self.untold and self.untold_ids() > count:
            self.untold.pop()
        if not self.memory[UNTOLD_AT] & FLAG_UNTOLD:
            self.told = self.gone()
            self.untold = []
        elif self.told >= 0 and (not self.untold or self.untold_ids() != count):
            self.told = -1
            self.untold = []

    def _count_lost(self, gaps, why):
        """Count the ranges that had no room."""
        for first, count in gaps.lost:
            self.count_gone(first, count, why)
        gaps.lost = []

    def count_gone(self, first, count, why):
        """These will not come, for this reason: count them, and keep what is to be told."""
        add_gone(self.memory, GONE, count)
        self._note(first, count, why)

    def _note(self, first, count, why):
        """Keep what is to be told (rule 3)."""
        untold = self.untold
        last = (first + count - 1) % ID_PERIOD
        epoch = (self.memory[EPOCH] - (1 if why == WHY_ANEW else 0)) & 0xFF  # it counts the new one already
        if not untold:
            untold.append([first, last, count, why, epoch])
            return
        entry = untold[-1]
        if entry[WHY] == why and entry[IN_EPOCH] == epoch and why != WHY_UNKNOWN:
            if is_ahead(entry[FIRST], first):
                entry[FIRST] = first
            if is_ahead(last, entry[LAST]):
                entry[LAST] = last
        elif len(untold) < UNTOLD_MOST:
            untold.append([first, last, count, why, epoch])
            return
        else:
            entry[FIRST] = entry[LAST] = ANY_ID
            entry[WHY] = WHY_UNKNOWN
        entry[COUNT] += count


def add_gone(memory, at, count):
    """Add to the count at memory[at:], to be told; it stays at its highest, as one jump may be wider than all of it."""
    if count:
        count += _count_at(memory, at)
        put_u32(memory, at, count if count < GONE_MOST else GONE_MOST)
        memory[at + 3] |= FLAG_UNTOLD


def _count_at(memory, at):
    return memory[at] | memory[at + 1] << 8 | memory[at + 2] << 16 | (memory[at + 3] & 0x3F) << 24


assert UNTOLD_AT == GONE + 3
