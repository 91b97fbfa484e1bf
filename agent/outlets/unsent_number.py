"""What is said of a number that was never sent, and what no longer counts for one (toolcart.agent.outlets.redelivery).

An outlet that takes nothing lets the log go RETAINED_MAX beyond its cursor: no record gets a number above that before
the other side forgets it, or the log has come nearer.
"""

from toolcart.agent.log.framing import RETAINED_MAX

_UNTIL = (
    "nothing is delivered until it names another number, as when it forgets this `identity`, or the agent starts once "
    "the spool has come to that one"
)
_FAR = "; that number is more than %d above the spool's newest: nothing counts as given up for it" % RETAINED_MAX


def words_of(log, number):
    """Return what ends the reason why such a number is not believed."""
    return _UNTIL + (_FAR if number > log.number + RETAINED_MAX else "")


def excess_of(log, missed, number):
    """Return how many of those missed were none, as the other side names `number` now.

    No more can be missed than records are gone. The rest was counted for a number that was never sent, which was above
    so many: it is forgotten where a lower one is named.
    """
    excess = missed - (log.first_above(0) - 1)
    return excess if excess > number else 0
