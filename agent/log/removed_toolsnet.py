"""What was out to ToolsNet when its outlet was removed, and is given up before that returns.

The place of a removed outlet keeps no block. What the log has given up is counted as the outlet returns, but by then
nobody knows how many events there were, which have no sequence: the first 08 would be taken for another result than the
one that ToolsNet has last. So as long as something of what was out is left, its place goes on as the log gives up a
block, and what it lacks then is counted at once.
"""

from toolcart.agent.log.recount import lag_at
from toolcart.agent.log.snapshot_fields import (
    HAD_MORE,
    OVERWRITTEN,
    SEND_LIMIT,
    SENT,
    SENT_ALONE,
    SEQUENCE_LAG,
    TAKEN,
    TOOLSNET_CURSOR,
)
from toolcart.agent.toolsnet.telegram import SEQUENCES


def end_batch(log):
    """What is stored from now on is not out to it: the batch that might go out ends with what there is. To be saved.

    With that nobody knows any more where it began. Where all that the place has passed was taken, that says nothing.
    Else what lies in front of the last one may have been settled before, and only one counts as delivered after all
    (SENT_ALONE): then ToolsNet may have had more than is counted.
    """
    state = log.state
    numbers = state.numbers
    number = numbers[TOOLSNET_CURSOR]
    numbers[SEND_LIMIT] = log.next - 1
    if (number - numbers[SEQUENCE_LAG] - numbers[TAKEN]) % SEQUENCES:
        numbers[SENT] |= SENT_ALONE
        if log.next - 1 > number + 1:
            state.places |= HAD_MORE


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
