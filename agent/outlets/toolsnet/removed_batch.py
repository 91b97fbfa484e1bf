"""What might be out to ToolsNet when a start does not find it among the outlets any more."""

from toolcart.agent.log.snapshot_fields import (
    HAD_MORE,
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
