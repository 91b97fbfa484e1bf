"""What an outlet may lack where a newer state was there and is lost. Imported only where that may be.

A block is erased only when a snapshot says that all durable outlets are past it, or what they lack of it. Where that
snapshot is lost, an older one stands in front of what is gone, and nobody knows how much of that an outlet had: it may
lack all, and what the lost state had counted is in that.
"""

from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.missed_counts import put
from toolcart.agent.log.recount import results_given_up


def pass_gone(log, cursor, first):
    """Let a cursor as the older state left it pass what was before number `first`, as given up."""
    state, was = log.state, cursor.number
    if cursor.slot == field.TOOLSNET_CURSOR:
        state.numbers[field.OVERWRITTEN] += results_given_up(log, was, first - 1)
    else:
        state.missed_counts[cursor.slot - field.CURSOR] += first - 1 - was
        state.put_moved(cursor, was)
        put(state)
    cursor.number = first - 1
