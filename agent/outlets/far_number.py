"""What is said of a number that was never sent and is so far above the log's that nothing is counted for it
(toolcart.agent.outlets.redelivery).

An outlet that takes nothing lets the log go RETAINED_MAX beyond its cursor: no record gets a number above that before
the other side forgets it, or the log has come nearer.
"""

from toolcart.agent.log.framing import RETAINED_MAX


def words_of(log, number):
    """Return the end of a reason why such a number is not believed; "" if it is not that far."""
    if number <= log.number + RETAINED_MAX:
        return ""
    return "; that number is more than %d above the spool's newest: nothing counts as given up for it" % RETAINED_MAX
