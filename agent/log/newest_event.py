"""Appends events to a log, and finds the newest one of a kind.

Imported only when needed: at a start, or when a kind of event comes for the first time.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.log.framing import LOG_DONE, RECORD_NONE
from toolcart.agent.log.search import Search
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev


def append_event(log, flags, length):
    """Make the event of `length` bytes at log.stage[log.payload_at:] the next record; return a LOG_ code."""
    code = log.append(KIND_EVENT, flags, length)
    if code == LOG_DONE:
        log.newest_event = log.number
    return code


def newest_event(log, what, blocks, of):
    """Return `of(log)` for the newest event of kind `what` for which that is not None; None if there is none.

    Only the newest `blocks` blocks are read. `of` is called with the event at log.page[log.at:].
    """
    search = Search(log)
    search.begin_newest(blocks)
    newest_made = None
    newest = -1
    kind = search.next()
    while kind > RECORD_NONE:
        number = get_u32(log.page, log.at)
        if number < newest:
            return newest_made  # an older block
        if kind == KIND_EVENT and log.page[log.at + ev.WHAT] == what:
            made = of(log)
            if made is not None:
                newest_made = made
                newest = number
        kind = search.next()
    return newest_made
