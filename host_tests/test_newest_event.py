"""The newest event of a kind is found behind results and other events, in the blocks asked for, or not at all."""

from agent.base.words import get_u32, put_u32
from agent.newest_event import newest_event
from agent.record import event as ev
from agent.spool import record as rec
from agent.log.flash import FLASH_DONE
from host_tests.support_spool import append, mounted
from tools.sim.flash import SimFlash

PORTABLE = True

LENGTH = ev.EVENT_LEAST + 4
MARK = rec.HEAD_BYTES + ev.TEXT


def _happened(ring, what, mark):
    """Store an event of this kind that has `mark` as its text."""
    at = ring.begin(rec.KIND_EVENT, LENGTH)
    for index in range(LENGTH):
        ring.stage[at + index] = 0x20
    put_u32(ring.stage, at, ring.event_number + 1)
    ring.stage[at + ev.WHAT] = what
    put_u32(ring.stage, at + ev.TEXT, mark)
    assert ring.commit(rec.KIND_EVENT, 0, LENGTH) == FLASH_DONE


def _next_block(ring):
    block = ring.block
    while ring.block == block:
        assert append(ring, ring.number + 1) == FLASH_DONE


def _mark(walk):
    return get_u32(walk.page, MARK)


def _newest(ring, what, blocks=99, of=_mark):
    return newest_event(ring, ring.walk, what, blocks, of)


def _log():
    """Three blocks: two events of kind 1, one of kind 2; none; one of kind 2."""
    ring = mounted(SimFlash(8, 1024, 16))
    assert _newest(ring, 1) is None
    append(ring, 1)
    _happened(ring, 1, 11)
    _happened(ring, 2, 21)
    _happened(ring, 1, 12)
    _next_block(ring)
    _next_block(ring)
    _happened(ring, 2, 22)
    return ring


def test_the_newest_of_its_kind_is_found_in_whichever_block_it_lies():
    ring = _log()
    assert (_newest(ring, 1), _newest(ring, 2), _newest(ring, 3)) == (12, 22, None)


def test_no_more_blocks_are_read_than_asked_for():
    ring = _log()
    assert (_newest(ring, 1, 2), _newest(ring, 1, 3)) == (None, 12)
    assert (_newest(ring, 2, 0), _newest(ring, 2, 1)) == (None, 22)


def test_one_that_does_not_count_for_the_caller_is_passed_over():
    ring = _log()
    assert _newest(ring, 2, of=lambda walk: None if _mark(walk) == 22 else _mark(walk)) == 21
    assert _newest(ring, 1, of=lambda walk: None if _mark(walk) == 12 else _mark(walk)) == 11
    assert _newest(ring, 1, of=lambda walk: None) is None


def test_it_is_found_round_the_end_of_the_device():
    ring = mounted(SimFlash(4, 1024, 16), when_full=1)
    while ring.block != 3:
        _next_block(ring)
    _happened(ring, 1, 7)
    _next_block(ring)
    assert ring.block < 3 and _newest(ring, 1) == 7
