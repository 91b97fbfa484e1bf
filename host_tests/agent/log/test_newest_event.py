"""The newest event of a kind is found behind results and other events, in the blocks asked for, or not at all."""

from toolcart.agent.base.fields import get_u32, put_u32
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.newest_event import newest_event
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from host_tests.support.log import Area, append, mounted

PORTABLE = True

LENGTH = ev.EVENT_LEAST + 4


def _happened(log, what, mark):
    """Store an event of this kind that has `mark` as its text."""
    stage, at = log.stage, log.payload_at
    for index in range(LENGTH):
        stage[at + index] = 0x20
    put_u32(stage, at, log.next)
    stage[at + ev.WHAT] = what
    put_u32(stage, at + ev.TEXT, mark)
    assert log.append(KIND_EVENT, 0, LENGTH) == LOG_DONE


def _next_block(log):
    before = log.block
    while log.block == before:
        assert append(log, log.number + 1) == LOG_DONE


def _mark(log):
    return get_u32(log.page, log.at + ev.TEXT)


def _newest(log, what, blocks=99, of=_mark):
    return newest_event(log, what, blocks, of)


def _log():
    """Three blocks: two events of kind 1, one of kind 2; none; one of kind 2."""
    log = mounted(Area(15, 1024, 16).flash)
    assert _newest(log, 1) is None
    append(log, 1)
    _happened(log, 1, 11)
    _happened(log, 2, 21)
    _happened(log, 1, 12)
    _next_block(log)
    _next_block(log)
    _happened(log, 2, 22)
    return log


def test_the_newest_of_its_kind_is_found_in_whichever_block_it_lies():
    log = _log()
    assert (_newest(log, 1), _newest(log, 2), _newest(log, 3)) == (12, 22, None)


def test_no_more_blocks_are_read_than_asked_for():
    log = _log()
    assert (_newest(log, 1, 2), _newest(log, 1, 3)) == (None, 12)
    assert (_newest(log, 2, 0), _newest(log, 2, 1)) == (None, 22)


def test_one_that_does_not_count_for_the_caller_is_passed_over():
    log = _log()
    assert _newest(log, 2, of=lambda log: None if _mark(log) == 22 else _mark(log)) == 21
    assert _newest(log, 1, of=lambda log: None if _mark(log) == 12 else _mark(log)) == 11
    assert _newest(log, 1, of=lambda log: None) is None


def test_it_is_found_round_the_end_of_the_device():
    log = mounted(Area(11, 1024, 16).flash, when_full=1)
    last = log.device.block_count - 1
    while log.block != last:
        _next_block(log)
    _happened(log, 1, 7)
    _next_block(log)
    assert log.block < last and _newest(log, 1) == 7
