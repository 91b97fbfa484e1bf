"""Tells what is set aside, in words: the kept records one by one, then those that found no room and stay in the log.

Rules
1. Reads only, and one record a call: whoever lists lets the agent have its turn in between.
2. What a record tells is what `agent.record.text.describe` tells of any other, and beside it `refused_number` (its
   number in the main log), `refused_code`, `reason` in words, and for a frame that nobody could read its octets.
3. Loaded when somebody asks, and given back.
"""

from agent.base.compat import const
from agent.base.words import get_u32
from agent.quarantine import PRESSURE_FULL, PRESSURE_NONE
from agent.record import result as res
from agent.record.text import describe
from agent.spool import aside
from agent.spool.record import HEAD_BYTES, KIND_RAW, RECORD_NONE

IN_PLACE_TOLD = const(200)  # one line each; more are only counted
COMMAND = "toolcart quarantine list"

_REASONS = {
    res.PARKED_UNREADABLE: "could not be read",
    res.PARKED_SILENT: "ToolsNet did not answer it on three connections",
    res.PARKED_MOVED: "refused by ToolsNet",
    res.PARKED_IN_DOUBT: "in doubt: its answer was lost, and ToolsNet took one behind it; look there before a retry",
}


def reason_text(code):
    """Return in words why something was set aside."""
    return _REASONS.get(code) or "refused by ToolsNet with code %d" % code


def needs_operator(quarantine, station):
    """Return why somebody has to decide, and the command that helps; None while nobody has to."""
    pressure = quarantine.pressure()
    if pressure == PRESSURE_NONE:
        return None
    why = "the quarantine is more than three quarters full"
    if pressure == PRESSURE_FULL:
        why = "the quarantine is full, so what is set aside stays in the spool and takes room from new results"
    return {"why": why, "command": "%s --station %d" % (COMMAND, station)}


def kept(quarantine, number):
    """Return the kept record `number` in words, None if there is none."""
    kind = quarantine.find(number)
    if kind <= RECORD_NONE:
        return None
    walk = quarantine.ring.walk
    length = walk.length - res.PARKED_BYTES
    tail = HEAD_BYTES + length
    code = walk.page[tail + 4] | walk.page[tail + 5] << 8
    told = _told(walk, kind, length, get_u32(walk.page, tail), code)
    told["number"] = number
    told["in_place"] = False
    return told


def _told(walk, kind, length, main_number, code):
    page = walk.page
    told = describe(page, HEAD_BYTES, kind, walk.flags, length)
    told["refused_number"] = main_number
    told["refused_code"] = code
    told["reason"] = reason_text(code)
    told["retried"] = walk.flags & res.FLAG_RETRIED != 0
    if kind == KIND_RAW:
        told["octets"] = length - res.HEAD_BYTES
        told["frame"] = "".join([chr(page[HEAD_BYTES + at]) for at in range(res.HEAD_BYTES, length)])
    return told


class InPlace:
    """Goes over what is set aside and still lies in the main log; `next` gives one record in words, None at the end."""

    def __init__(self, main, quarantine):
        self._main = main
        self._quarantine = quarantine
        self._block = main.aside_block
        self._first = self._last = self._reason = 0
        self._after = main.aside_first - 1 if main.has_aside() else -1
        self._seq = 0
        self._number = 0  # of the record before

    def next(self):
        """Return the next one."""
        return self._told() if self._find() else None

    def count(self):
        """Return how many are left."""
        count = 0
        while self._find():
            count += 1
        return count

    def _find(self):
        """Bring the next record into the page; whether there is one."""
        main = self._main
        walk = main.walk
        known = self._quarantine.last_kept()
        if self._number > known:
            known = self._number
        while main.has_aside() and (self._seq or self._next_range()):
            found = aside.find_result(main, self._block, self._seq, self._last, known)
            if found is True:
                self._number = get_u32(walk.page, HEAD_BYTES)
                self._block = walk.block
                self._seq = walk.seq + 1
                return True
            self._after = self._last
            self._seq = 0
        return False

    def _next_range(self):
        found = aside.find_range(self._main, self._after) if self._after >= 0 else None
        if found is None or found[0] == 0:
            return False
        self._first, self._last, self._reason = found
        self._seq = self._first
        return True

    def _told(self):
        walk = self._main.walk
        kind = walk.kind
        code = res.PARKED_UNREADABLE if kind == KIND_RAW else self._reason
        told = _told(walk, kind, walk.length, get_u32(walk.page, HEAD_BYTES), code)
        told["number"] = None
        told["in_place"] = True
        return told


def count_in_place(main, quarantine, set_aside):
    """Return how many lie in place. `set_aside` is how many were set aside since the start, by the health's counter.

    The log is gone through once; from then on it follows from what was set aside and what was kept.
    """
    if not main.has_aside():
        quarantine.in_place = -1
        return 0
    mark = set_aside - quarantine.taken - main.overwritten
    if quarantine.in_place < 0:
        quarantine.in_place = InPlace(main, quarantine).count()
        quarantine.in_place_mark = mark
    count = quarantine.in_place + mark - quarantine.in_place_mark
    return count if count > 0 else 0
