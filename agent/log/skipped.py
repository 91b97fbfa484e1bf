"""Numbers that a start skipped, as the newest block was lost (agent.log.mount, rule 6). Loaded where many are gone."""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.log.block_head import (
    AT_NUMBER,
    AT_WORDS,
    HEAD_OCTETS,
    HEAD_SOUND,
    WORDS_NUMBER,
    check_head,
    size_of,
)


def skipped_before(device, page, place, behind, most):
    """Return how many of the numbers between the block at `place` and the next one, at `behind`, no record ever had.

    Heads are read into the page. More are missing than a block can hold, so blocks are gone, or a start has skipped
    `most`. If it was that the next block was opened behind this one, as its head says.
    """
    numbers = []
    for at in (place, behind):
        if device.read_into(at * device.block_bytes, page, HEAD_OCTETS) < 0:
            return 0
        if check_head(page, size_of(device)) != HEAD_SOUND:
            return 0
        numbers.append(get_u32(page, AT_NUMBER if at == place else AT_WORDS + WORDS_NUMBER))
    return most if numbers[0] == numbers[1] else 0
