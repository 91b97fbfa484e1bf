"""Counts records of the log anew, between two numbers, where no cursor of an outlet has counted them."""

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
    log.seek(scout, before, lag)
    ignored_to, visible = log.damage.ignored_to, log.visible
    log.damage.ignore_before(last + 1)
    log.visible = min(visible, last)  # what is damaged behind that has no part in the `sequence_lag` there
    passed = walk(log, scout, last)
    log.damage.ignored_to, log.visible = ignored_to, visible
    return passed
