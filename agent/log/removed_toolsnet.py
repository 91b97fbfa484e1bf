"""What was out to ToolsNet when its outlet was removed, and is given up before that returns.

The place of a removed outlet keeps no block. What the log has given up is counted as the outlet returns, but by then
nobody knows how many events there were, which have no sequence: the first 08 would be taken for another result than the
one that ToolsNet has last. So as long as something of what was out is left, its place goes on as the log gives up a
block, and what it lacks then is counted at once.
"""

from toolcart.agent.log.rewind import ahead_at
from toolcart.agent.log.snapshot_fields import AHEAD, LIMIT, OVERWRITTEN, TOOLSNET_CURSOR


def give_up(log, bound):
    """Move the place past what is in front of number `bound`; False if that cannot be read or saved now."""
    state = log.state
    numbers = state.numbers
    was, ahead, overwritten = numbers[TOOLSNET_CURSOR], numbers[AHEAD], numbers[OVERWRITTEN]
    if was >= bound - 1 or was >= numbers[LIMIT]:
        return True
    ahead_there = ahead_at(log, was, ahead, bound - 1)
    if ahead_there < 0:
        return False
    numbers[TOOLSNET_CURSOR], numbers[AHEAD] = bound - 1, ahead_there
    numbers[OVERWRITTEN] += bound - 1 - was - (ahead_there - ahead)
    if state.save():
        return True
    numbers[TOOLSNET_CURSOR], numbers[AHEAD], numbers[OVERWRITTEN] = was, ahead, overwritten
    return False
