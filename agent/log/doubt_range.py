"""How many results there are from the first that ToolsNet may lack of those it had, up to DOUBT_TO; in SENT.

What is written of it in a snapshot: agent/outlets/toolsnet/data_loss.py. Imported when some are in doubt.
"""

from toolcart.agent.log.snapshot_fields import (
    AGAIN_MOST,
    BOTH_BITS,
    BOTH_MOST,
    DOUBT_LACKS,
    DOUBT_TO,
    SENT,
    SENT_AGAIN,
    SENT_BOTH,
    SENT_OPEN,
    SENT_WIDE,
    again_to,
)


def width_of(numbers):
    """Return the width, also of what an operator has left; below 0: nobody knows."""
    lacks, sent = numbers[DOUBT_LACKS], numbers[SENT]
    form = sent & SENT_OPEN
    if not form:
        return lacks
    if form == SENT_OPEN:
        return -1
    more = sent >> 8 & 0xFFF | sent >> 10 & 0xFF000
    return lacks + (more if form == SENT_WIDE else more >> BOTH_BITS)


def put_width(numbers, number, end, width):
    """Let DOUBT_TO be this number; up to `end` results are sent again. `width` is that of the doubt, as it is now.

    If that is further than can be written, DOUBT_TO is nearer to `end`, and nobody knows the width up to there.
    """
    rows = max(0, end - number)
    if rows > AGAIN_MOST:
        rows, width = AGAIN_MOST, -1
        number = end - rows
    numbers[DOUBT_TO] = number
    form, more = 0, width - numbers[DOUBT_LACKS]
    if width < 0 or (more > AGAIN_MOST if not rows else more > BOTH_MOST or (more > 0 and rows > BOTH_MOST)):
        form = SENT_OPEN
    elif more > 0:
        form = SENT_BOTH if rows else SENT_WIDE
        rows |= more << BOTH_BITS if rows else more
    numbers[SENT] = numbers[SENT] & ~(SENT_AGAIN | SENT_OPEN) | (rows & 0xFFF) << 8 | (rows & 0xFF000) << 10 | form


def widen(numbers):
    """One up to DOUBT_TO has left the quarantine: it lies among those in doubt from now on."""
    width = width_of(numbers)
    if width > 0:
        put_width(numbers, numbers[DOUBT_TO], again_to(numbers), width + 1)
