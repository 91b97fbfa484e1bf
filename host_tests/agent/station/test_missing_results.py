"""What a controller has no more is told once, as a run of IDs with the reason, when there is room for it."""

from toolcart.agent.base.fields import get_u32, put_u32
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.newest_event import newest_event
from toolcart.agent.log.search import Search
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.record.text import describe
from toolcart.agent.station.missing_results import latest, put_gone
from host_tests.support.log import Area, append, held, mounted, take_all
from host_tests.support.station import Clock

PORTABLE = True
HEAP = "2m"


def telling(**options):
    log = Area(blocks=options.pop("blocks", 16)).mount(events=(0,), **options)[1]
    return log, lambda *said: put_gone(log, Clock(), 10, *said)


def events(log):
    return [
        describe(payload, 0, kind, flags, len(payload)) for _, kind, flags, payload in held(log) if kind == KIND_EVENT
    ]


def test_a_run_is_one_event_that_says_all_of_it():
    log, gone = telling()
    append(log, 1)
    assert gone(4294967290, 5, 12, 40, 3, False)
    assert gone(7, 7, 1, 41, 3, True)
    first, second = events(log)
    assert (first["first_id"], first["last_id"], first["count"], first["total"]) == ("4294967290", "5", 12, 40)
    assert first["id_epoch"] == 3 and first["code"] == "none" and first["station"] == 10
    assert first["number"] == 2 and first["time"] == "2030-01-01 00:00:01" and first["time_source"] == "agent"
    assert second["code"] == "reset" and second["count"] == 1 and second["text"] != first["text"] != ""


def test_newest_of_them_is_found_for_people():
    log, gone = telling()
    assert latest(Search(log), 4) is None
    gone(1, 2, 2, 2, 0, False)
    append(log, 1)
    gone(5, 6, 2, 4, 0, False)
    append(log, 2)
    assert latest(Search(log), 4)["first_id"] == "5"


def test_results_have_the_right_of_way():
    log, gone = telling(blocks=12)
    ident = 0
    while gone(1, 2, 2, 2, 0, False):
        ident += 1
        assert append(log, ident) == 0, "one that is told leaves room for a result"
    assert ident > 10
    take_all(log)
    assert gone(1, 2, 2, 2, 0, False)


# The newest event of a kind is found behind results and other events, in the blocks asked for, or not at all.

LENGTH = ev.EVENT_LEAST + 4


def _happened(log, what, mark):
    """Store an event of this kind that has `mark` as its text."""
    stage, at = log.stage, log.place
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
