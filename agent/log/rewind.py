"""Rewinds a cursor by a number of the records that its reader counts. Imported only when one goes back."""

from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE


def walk(log, scout, last, counts=None):
    """Let the scout pass everything up to number `last`, and what it does not want after that.

    Return how many records it counts, below 0 if one cannot be read now. `counts` says whether the reader counts the
    record in the page; without it, it counts all that it wants.
    """
    passed = 0
    kind = log.peek(scout)
    while kind > RECORD_NONE and scout.found <= last:
        if counts is not None and not counts():
            scout.sequence_lag += 1
        else:
            passed += 1
        scout.advance()
        kind = log.peek(scout)
    return passed if kind >= RECORD_NONE else -1


def lag_at(log, before, lag, last):
    """Return the `sequence_lag` at number `last` of a cursor for results that has this one at number `before`.

    Below 0: that cannot be read now. What is damaged there is not counted.
    """
    scout = Cursor()
    passed = _walk_unread(log, scout, before, lag, last)
    return passed if passed < 0 else scout.sequence_lag


def results_given_up(log, was, start):
    """Return how many results and frames at most the log gave up behind number `was`, up to `start`.

    No outlet of ToolsNet was there meanwhile. Events may have been among what is gone: there are no more results than
    were ever stored, but for those that ToolsNet has had and those that the log still has. Numbers do not say how many
    lie in front of `was`: some were of events that nobody can read any more, some were skipped, and a server may have
    named others.
    """
    numbers = log.state.numbers
    most = start - was
    stored, counted_to = numbers[field.STORED], numbers[field.LOG + field.NEXT] - 1
    if most == 0 or counted_to < start:
        return most
    rest = _walk_unread(log, Cursor(), start, 0, counted_to)
    if not 0 <= rest <= stored:  # of a version that did not count them
        return most
    return min(most, max(0, stored - rest - numbers[field.DELIVERED]))


def _walk_unread(log, scout, before, lag, last):
    """Let the scout pass everything from `before` to `last`, as `walk`; what is damaged there is not counted."""
    log.rewind(scout, before, lag)
    ignored_to, visible = log.damage.ignored_to, log.visible
    log.damage.ignore_before(last + 1)
    log.visible = min(visible, last)  # what is damaged behind that has no part in the `sequence_lag` there
    passed = walk(log, scout, last)
    log.damage.ignored_to, log.visible = ignored_to, visible
    return passed


def go_back(log, cursor, rows, circle, counts=None):
    """Move the cursor back by `rows` of the records it counts, as far as the log still has them.

    Its `sequence_lag` follows.

    The count wraps after `circle`, and has those, too, that cannot be read any more. Return how many of them the log
    still has; below 0 if something cannot be read now: then nothing was moved.
    """
    if log.peek(cursor) < RECORD_NONE:  # after this it stands before what it wants next, or at the end
        return -1
    last = cursor.number
    scout = Cursor()
    scout.wants = cursor.wants
    start = last - rows
    while True:
        log.rewind(scout, start)
        begin = scout.number
        passed = walk(log, scout, last, counts)
        if passed < 0:
            return -1
        lacking = rows - (last - begin - scout.sequence_lag)
        if lacking <= 0 or begin > start:
            break
        start = begin - lacking
    log.rewind(cursor, begin, (cursor.sequence_lag - scout.sequence_lag) % circle)
    if cursor in log.cursors:
        log.reopen()
    return passed
