"""Which cursor of a snapshot belongs to which outlet, also after outlets were added, removed or put in another order.

A snapshot (toolcart.agent.log.state) keeps six bits for each of the four cursors: the kind of outlet that had it last
(its place in KINDS and 1; 0: none yet), and IN_USE if that was in the session that wrote it. All 0: the area is new, or
older than this; then every outlet counts as one that was there before.

Rules
1. An outlet has the cursor of its kind; several of one kind have theirs in their order.
2. The first cursor is for the first kind alone: a snapshot keeps more about it (toolcart.agent.log.numbers).
3. An outlet whose kind has no cursor takes one that none had, else one of a kind that is not configured any more.
4. The cursor of a removed outlet keeps no block. It goes on there when it is configured again.
5. An added outlet gets what the log still holds, as far as a quarter of the room stays for new results.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.areas import floor
from toolcart.agent.log.numbers import CURSOR

KINDS = ("toolsnet", "file", "webhook", "mqtt")  # numbers on flash: append only
CURSORS = const(4)

_BITS = const(6)
_KIND = const(31)
_IN_USE = const(32)


def _owner(owners, slot):
    return owners >> _BITS * slot & (_KIND | _IN_USE)


def _number(kind):
    return KINDS.index(kind) + 1


def assign(owners, kinds):
    """Return the cursors of outlets of these kinds, in their order."""
    slots = [-1] * len(kinds)
    for is_taken in (_has_kind, _is_blank, _is_any):
        for index in range(len(kinds)):
            number = _number(kinds[index])
            for slot in range(1) if number == 1 else range(1, CURSORS):
                if slots[index] < 0 and slot not in slots and is_taken(_owner(owners, slot) & _KIND, number):
                    slots[index] = slot
    return slots


def _has_kind(held, number):
    return held == number


def _is_blank(held, _number):
    return held == 0


def _is_any(_held, _number):
    return True


def with_these(owners, kinds, slots):
    """Return what the next snapshot says: these outlets are there now, and no others."""
    found = 0
    for slot in range(CURSORS):
        number = _owner(owners, slot) & _KIND
        if slot in slots:
            number = _number(kinds[slots.index(slot)]) | _IN_USE
        found |= number << _BITS * slot
    return found


def is_in_use(owners, slot):
    """True if the last session had an outlet at this cursor; always, if that is not known."""
    return owners == 0 or _owner(owners, slot) & _IN_USE != 0


def had(owners, slot):
    """True if any session had an outlet at this cursor."""
    return _owner(owners, slot) != 0


def is_added(owners, kind, slot):
    """True if the last session had no outlet of this kind at this cursor."""
    return owners != 0 and _owner(owners, slot) != _number(kind) | _IN_USE


def removed(owners, slots, log):
    """Return (kind, how many records it has not taken) of each outlet that the last session had and this one lacks."""
    found = []
    for slot in range(CURSORS):
        held = _owner(owners, slot)
        if held & _IN_USE and slot not in slots and held & _KIND <= len(KINDS):
            found.append((KINDS[(held & _KIND) - 1], max(0, log.number - log.state.numbers[CURSOR + slot])))
    return found


def begin(log, cursor, owners, kind, others_low):
    """Place the cursor of an added outlet; return how many records that the log holds are left out.

    `others_low` is the number that all other durable cursors have passed.
    """
    oldest = log.first_above(0) - 1 if log.number else 0
    held = _owner(owners, cursor.slot - CURSOR) & _KIND
    number = max(cursor.number if held in (0, _number(kind)) else 0, oldest)
    log.rewind(cursor, max(number, min(floor(log), others_low)), cursor.ahead)
    return cursor.number - number
