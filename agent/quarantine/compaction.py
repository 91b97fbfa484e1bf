"""Moves what is left in a quarantine's oldest block into the last free one, so that the oldest becomes free.

The copies count from the snapshot that lets the cursor pass the old block; after a cut before that, everything is where
it was. They need no other room: so it works even when, as blocks wear out, one more entry has no room.
"""

from toolcart.agent.log.carry_over import Copies
from toolcart.agent.log.flash import FLASH_DONE
from toolcart.agent.log.framing import FRAME_BYTES, NUMBER_TOP, RECORD_LOST, RECORD_NONE
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.snapshot_fields import REOFFERED


def move_block(quarantine):
    """Do it; return False if it cannot be done now. Everything must be settled."""
    log, numbers = quarantine.log, quarantine.state.numbers
    place = log.blocks.find(0) if log.prepare_append(0) == LOG_DONE else -1
    if place < 0:
        return False
    copies = Copies(log)
    copies.begin(place, log.next)
    entry = lost = reoffered = 0
    number = log.number
    bound = NUMBER_TOP
    while True:
        kind = quarantine.next_entry(entry)
        if kind == RECORD_LOST:
            log.blocks.erased = -1
            return False
        if kind == RECORD_NONE or quarantine.entry >= bound:
            break
        if entry == 0:
            bound = log.first_above(quarantine.entry)
        entry = quarantine.entry
        lost += quarantine.lost
        number += 1
        if copies.put(FRAME_BYTES + log.length, number) != FLASH_DONE:
            return False
        if entry == numbers[REOFFERED]:
            reoffered = number
    log.number = log.visible = number
    log.next = number + 1
    copies.end()
    log.checkpoint(number)
    if reoffered:
        numbers[REOFFERED] = reoffered
    quarantine.pass_up_to(entry, lost)
    return quarantine.state.save()
