"""What is said of a number that was never sent and is so far above the log's that nothing is counted for it, and what
no longer counts for one behind a start (toolcart.agent.outlets.redelivery).

An outlet that takes nothing lets the log go RETAINED_MAX beyond its cursor: no record gets a number above that before
the other side forgets it, or the log has come nearer.
"""

from toolcart.agent.log.framing import RETAINED_MAX


def words_of(log, number):
    """Return the end of a reason why such a number is not believed; "" if it is not that far."""
    if number <= log.number + RETAINED_MAX:
        return ""
    return "; that number is more than %d above the spool's newest: nothing counts as given up for it" % RETAINED_MAX


def excess_of(log, missed, number):
    """Return how many of those missed were none, as the other side names `number` now.

    No more can be missed than records are gone. The rest was counted for a number that was never sent, which was above
    so many: it is forgotten where a lower one is named.
    """
    excess = missed - (log.first_above(0) - 1)
    return excess if excess > number else 0
