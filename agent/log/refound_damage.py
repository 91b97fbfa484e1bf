"""Damage that the next start finds again, or that no cursor reads. On a board imported only where that may be.

A start ignores only what lies below all cursors, so it counts once more what some outlet has yet to pass. A snapshot
says DAMAGED without that: the count is whole again as soon as it is found, and settled with the snapshot that says that
all are past it. So restarts add nothing. The snapshot says that something is left out (JUMPED_FINDS_AGAIN): then the
start of a file reads all that some outlet has yet to pass (toolcart.agent.cart.storage), so that what one lacks is
known while another one is behind.

    state.refound_damage    spans (the number before it, its last, how many of it were counted), in order

Flash that wears may read well at the next start: there it is settled with the snapshot that says that one outlet is
past it, which lacks it then, and counted once more for each other that meets it after a start. Where there are many
spans, two are taken for one: after a start some may be counted twice, never too few.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import CURSOR, DAMAGED, JUMPED, JUMPED_FINDS_AGAIN, PLACES

_MOST = const(16)


def remember(spans, before, last, count):
    """Add a span: `count` of the numbers behind `before`, up to `last`, were counted."""
    spans.append((before, last, count))
    spans.sort()
    if len(spans) > _MOST:
        one, other = spans.pop(0), spans.pop(0)
        spans.insert(0, (one[0], max(one[1], other[1]), one[2] + other[2]))


def save_without(state, cursors):
    """Save the state without what is sure to be counted again by a start that finds these cursors; True if it is."""
    spans, numbers = state.refound_damage, state.numbers
    own = [one for one in cursors if CURSOR <= one.slot < CURSOR + PLACES]
    if state.device.wears:
        for one in own:
            passed = state.durable[one.slot]
            spans = [span for span in spans if not passed <= span[0] < one.number]
    low = min([one.number for one in own] or [0])
    damaged, skipped = numbers[DAMAGED], numbers[JUMPED]
    for before, _, counted in spans:
        numbers[DAMAGED] -= counted if low <= before else max(0, counted - low + before)
    numbers[DAMAGED] = max(0, numbers[DAMAGED])
    if numbers[DAMAGED] < damaged:
        numbers[JUMPED] |= JUMPED_FINDS_AGAIN
    was, state.refound_damage = state.refound_damage, ()
    is_saved = state.save()
    state.refound_damage = spans if is_saved else was
    numbers[DAMAGED], numbers[JUMPED] = damaged, skipped
    return is_saved


def settle(spans, number):
    """Nothing will tell any more that something is missing behind the record of this number."""
    spans[:] = [one for one in spans if one[1] <= number]


def known_between(log, before, last):
    """Return how many of the numbers behind `before`, up to `last`, are known to be in no record."""
    return sum([max(0, min(end, last) - max(begin, before)) for begin, end in log.damage.counted_spans])


def waits_at_most(log, cursor):
    """Return how many records come after the cursor: numbers that are known to be in none do not count."""
    return log.backlog_of(cursor) - known_between(log, cursor.number, log.number)


def count_between(log, before, number):
    """Count what is damaged of the numbers behind `before`, up to `number`, which no cursor reads as it passes them.

    An outlet was removed, or another side has more than the snapshot says.
    """
    visible = log.visible
    scout = Cursor()
    scout.wants = 0
    log.seek(scout, before)
    log.visible = min(visible, number)
    while log.peek(scout) > RECORD_NONE:  # at the first one: none is wanted
        scout.advance()
    log.visible = visible
