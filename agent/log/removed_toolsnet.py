"""What was out to ToolsNet when its outlet was removed, and is given up before that returns.

The place of a removed outlet keeps no block. What the log has given up is counted as the outlet returns, but by then
nobody knows how many events there were, which have no sequence: the first 08 would be taken for another result than the
one that ToolsNet has last. So as long as something of what was out is left, its place goes on as the log gives up a
block, and what it lacks then is counted at once.
"""

from toolcart.agent.log.recount import lag_at
from toolcart.agent.log.snapshot_fields import OVERWRITTEN, SEND_LIMIT, SEQUENCE_LAG, TOOLSNET_CURSOR


def give_up(log, bound):
    """Move the place past what is in front of number `bound`; False if that cannot be read or saved now."""
    state = log.state
    numbers = state.numbers
    was, lag, overwritten = numbers[TOOLSNET_CURSOR], numbers[SEQUENCE_LAG], numbers[OVERWRITTEN]
    if was >= bound - 1 or was >= numbers[SEND_LIMIT]:
        return True
    lag_there = lag_at(log, was, lag, bound - 1)
    if lag_there < 0:
        return False
    numbers[TOOLSNET_CURSOR], numbers[SEQUENCE_LAG] = bound - 1, lag_there
    numbers[OVERWRITTEN] += bound - 1 - was - (lag_there - lag)
    if state.save():
        return True
    numbers[TOOLSNET_CURSOR], numbers[SEQUENCE_LAG], numbers[OVERWRITTEN] = was, lag, overwritten
    return False
