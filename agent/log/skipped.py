"""Skips numbers at a start, and tells them from records that are gone. Imported only where numbers are missing.

A start skips what may have gone out and is lost (toolcart.agent.log.mount, rule 6). Then the records before and after
are adjacent in a block, or the later of two blocks was opened behind the earlier one.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import get_u32
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import (
    AT_NUMBER,
    AT_WORDS,
    HEAD_OCTETS,
    HEAD_SOUND,
    WORDS_NUMBER,
    check_head,
    size_of,
)
from toolcart.agent.log.framing import FRAME_BYTES, NUMBER, RECORD_LOST, RECORD_NONE, record_length
from toolcart.agent.log.staging import READ_BYTES
from toolcart.agent.record import LEAST
from toolcart.agent.record.result import FLAG_COPY

_NUMBER = const(56)  # HEAD_OCTETS + NUMBER


def skip_newest(log):
    """The newest block that the snapshot names is lost: count what is known to be gone, let no number be used twice.

    The next snapshot remembers that.
    """
    own = log.state.numbers
    last = own[log.ring_id + field.SOLID]  # it may have been the one in doubt
    if log.ring_id == field.LOG:
        damage = log.damage
        ignored_to = damage.ignored_to
        for place in range(field.PLACES):  # one that is not there now may return: nothing tells it what was skipped
            if log.state.places >> field.PLACE_BITS * place & field.PLACE_KIND:
                damage.ignored_to = min(damage.ignored_to, own[field.CURSOR + place])
        log.count_damaged(log.number, last + 1)
        damage.ignored_to = ignored_to
    most = 0 if log.ring_id == field.QUARANTINE else log.device.block_bytes // log.next_record_offset(0, FRAME_BYTES)
    own[log.ring_id + field.SOLID] = max(last, own[log.ring_id + field.NEXT], log.number + 1) + most
    own[log.ring_id + field.COUNTS_TO] = log.block_number


def skip_tail(log):
    """Do so where more than one record behind the newest cannot be read: as many as results have room there, at most.

    They count as damaged.
    """
    own = log.state.numbers
    octets = _written_behind(log, log.block, log.offset)
    first = log.number + -(-octets // log.next_record_offset(0, FRAME_BYTES + LEAST[0])) + 1  # that was not used
    if octets and first > max(own[field.LOG + field.SOLID], own[field.LOG]):
        log.count_damaged(log.number, first)
        own[field.LOG + field.SOLID] = first


def _written_behind(log, place, offset):
    """Return how many bytes of a block are written behind `offset`, if that is more than a cut leaves there; else 0.

    That is one record; where its head is blank, more may be left of several whose sync had failed. A file has its head,
    or nothing of its sector: where that is something else, a record is damaged, as long as usual.
    """
    end = log.device.block_bytes
    if offset + FRAME_BYTES > end or log.read_record(place, offset, end) == RECORD_LOST:
        return 0
    octets = record_length(log.page, HEAD_OCTETS, end - offset)
    if octets == RECORD_NONE:
        return 0
    if octets < 0 or get_u32(log.page, _NUMBER) <= log.number:
        octets = log.staging.most if log.device.wears else log.longest_bytes
    at = log.next_record_offset(offset, octets)
    last = 0
    while at < end:
        have = min(READ_BYTES, end - at)
        if log.device.read_into(place * end + at, log.staging.read, have) < 0:
            return 0
        if min(log.staging.read[:have]) < 0xFF:
            last = at + have
        at += have
    return last - offset if last else 0


def count_missing(log, cursor, number, offset, end):
    """Count what is missing between the cursor and `number`, whose record is at `offset` of its block and in the page.

    Nothing is if the record of the cursor's number ends right there, or a copy of one that it has passed: what was lost
    behind that was counted as it was copied, even if the cursor stands in it. A read that fails counts as a gap.
    """
    place = cursor.place
    at = HEAD_OCTETS
    before = -1
    while at < offset:
        octets = log.read_record(place, at, end)
        before = get_u32(log.page, _NUMBER) if octets > 0 else -1
        if log.firsts[place] <= before < cursor.number and log.page[HEAD_OCTETS + 1] & FLAG_COPY:
            before = cursor.number
        at = log.next_record_offset(at, octets) if octets > 0 else log.next_probe_offset(at)
    if at != offset or before != cursor.number:
        log.count_damaged(cursor.number, number)
    return log.read_record(place, offset, end)


def skipped_behind(log, place, behind, before, last, most):
    """Return how many of the numbers behind `before`, up to `last`, are not to be counted as damaged.

    They are missing between the block at `place` and the next one, at `behind`. That are more than a block can hold, so
    blocks are gone, or a start has skipped `most`. If it was that the next block was opened behind this one, as its
    head says. That start has counted what it missed: so nothing is to be counted where this block is as it was written.
    """
    numbers = []
    for at in (place, behind):
        if log.device.read_into(at * log.device.block_bytes, log.page, HEAD_OCTETS) < 0:
            return 0
        if check_head(log.page, size_of(log.device)) != HEAD_SOUND:
            return 0
        numbers.append(get_u32(log.page, AT_NUMBER if at == place else AT_WORDS + WORDS_NUMBER))
    if numbers[0] != numbers[1]:
        return 0
    at, end = HEAD_OCTETS, log.device.block_bytes
    newest = 0
    while at + FRAME_BYTES <= end:
        octets = log.read_record(place, at, end)
        if octets > 0:
            newest = get_u32(log.page, _NUMBER)
            at = log.next_record_offset(at, octets)
        elif octets == RECORD_LOST or min(log.staging.read[: min(READ_BYTES, end - at)]) != 0xFF:
            return most
        else:
            at = log.next_probe_offset(at)
    return last - before if newest == before else most


assert _NUMBER == HEAD_OCTETS + NUMBER
