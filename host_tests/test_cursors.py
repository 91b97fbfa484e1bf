"""Up to four outlets at one log: their order, who keeps blocks from being erased, who is moved on, and events."""

from agent.spool import record as rec
from agent.spool.blocks import SPOOL_FULL
from agent.spool.cursors import WANTS_EVENTS
from agent.log.flash import FLASH_DONE
from agent.spool.record import KIND_EVENT as EVENT
from agent.spool.record import KIND_RESULT as RESULT
from host_tests.support_spool import PAYLOAD, append, append_event, difference, ident_in, mounted, read_all
from tools.sim.flash import SimFlash

PORTABLE = True
HEAP = "2m"  # for the simulated chips


def idents(ring, outlet=0):
    return [ident for _, ident in read_all(ring, outlet)]


def taken(ring, outlet):
    """Take everything there is for an outlet: list of (kind, number)."""
    found = []
    while True:
        kind = ring.peek(outlet)
        if kind <= 0:
            return found
        cursor = ring.cursors[outlet]
        found.append((kind, cursor.peek_event if kind == EVENT else cursor.peek_number))
        ring.advance(outlet)


def test_every_outlet_gets_everything_in_order_and_a_slow_durable_one_fills_the_log():
    for outlets in (1, 2, 4):
        everything_in_order(outlets)


def everything_in_order(outlets):
    ring = mounted(SimFlash(5, 1024, 16), outlets=outlets)
    found = [[] for _ in range(outlets)]
    for ident in range(1, 81):
        assert append(ring, ident) == FLASH_DONE
        for outlet in range(outlets):
            if ident % (outlet + 1) == 0:
                found[outlet] += idents(ring, outlet)
        assert difference(ring) == ""
    assert [one + idents(ring, outlet) for outlet, one in enumerate(found)] == [list(range(1, 81))] * outlets
    last = 81
    while last < 500 and append(ring, last) == FLASH_DONE:
        for outlet in range(outlets - 1):
            idents(ring, outlet)
        last += 1
    assert append(ring, last) == SPOOL_FULL and not ring.has_room(PAYLOAD)
    assert ring.backlog(outlets - 1) == last - 81
    assert idents(ring, outlets - 1) == list(range(81, last)) and append(ring, last) == FLASH_DONE
    assert (ring.missed, ring.overwritten) == (0, 0)


def test_a_best_effort_outlet_that_takes_nothing_keeps_no_block_and_what_it_misses_is_counted():
    for unit in (16, 256):
        misses_are_counted(unit)


def misses_are_counted(unit):
    flash = SimFlash(5, 1024, unit)
    ring = mounted(flash, outlets=4, best_effort=(1, 3), events=(3,))
    found = []
    for ident in range(1, 101):
        assert append(ring, ident) == FLASH_DONE
        if ident % 10 == 0:
            assert append_event(ring, ident) == FLASH_DONE
        assert idents(ring, 0) == idents(ring, 2) == [ident]
        if ident == 50:
            found += idents(ring, 1)
        assert difference(ring) == ""
    rest = idents(ring, 1)
    events = 0
    slow = []
    while ring.peek(3) > 0:
        if ring.walk.kind == EVENT:
            events += 1
        else:
            slow.append(ident_in(ring.walk.page))
        ring.advance(3)
    assert found[-1] == 50 and rest[-1] == slow[-1] == 100
    assert sorted(set(found + rest)) == found + rest and slow == list(range(slow[0], 101))
    assert ring.missed == 100 - len(found) - len(rest) + 110 - len(slow) - events > 60
    assert ring.save_cursors(0) == FLASH_DONE
    again = mounted(flash, outlets=4, best_effort=(1, 3), events=(3,))
    assert (again.missed, again.overwritten) == (ring.missed, 0)
    assert [again.peek(outlet) for outlet in range(4)] == [rec.RECORD_NONE] * 4
    assert [cursor.number for cursor in again.cursors] == [100] * 4
    assert [again.backlog(outlet) for outlet in range(4)] == [0] * 4


def test_a_record_of_the_cursors_is_one_outlets_word_for_itself_alone():
    flash = SimFlash(5, 1024, 16)
    ring = mounted(flash, outlets=2)
    for ident in range(1, 6):
        assert append(ring, ident) == FLASH_DONE
    ring.peek(0)
    ring.advance(0)
    ring.cursors[0].delivered = 1
    assert idents(ring, 1) == [1, 2, 3, 4, 5]
    assert ring.save_cursors(3) == FLASH_DONE
    again = mounted(flash, outlets=2)
    first, second = again.cursors
    assert (first.number, first.limit, first.delivered, second.number) == (1, 3, 1, 5)


def test_events_keep_their_place_between_results_and_only_who_wants_them_gets_them():
    flash = SimFlash(5, 1024, 16)
    ring = mounted(flash, outlets=3, events=(1,))
    ring.cursors[2].wants = WANTS_EVENTS
    for ident in range(1, 7):
        assert append(ring, ident) == FLASH_DONE
        assert ring.peek_stage(0) == (ident == 1), "what the stage holds is next for who takes no events"
        if ident % 3 == 0:
            assert append_event(ring, ident) == FLASH_DONE
    assert ring.event_number == 2 and ring.backlog(1) == 8
    assert [kind for kind, _ in taken(ring, 1)] == [RESULT, RESULT, RESULT, EVENT] * 2
    assert taken(ring, 2) == [(EVENT, 1), (EVENT, 2)]
    assert idents(ring, 0) == [1, 2, 3, 4, 5, 6]


def test_an_event_found_last_by_a_start_is_shown_once_it_was_written_once_more_and_then_once():
    flash = SimFlash(5, 1024, 16)
    ring = mounted(flash, outlets=2, events=(1,))
    assert append(ring, 1) == append_event(ring, 1) == FLASH_DONE
    assert taken(ring, 1) == [(RESULT, 1), (EVENT, 1)]
    again = mounted(flash, outlets=2, events=(1,))
    assert again.event_number == 1 and not again.suspect
    assert taken(again, 1) == [(RESULT, 1), (EVENT, 1)], "the cursor was not durable; the copy is no second event"
    assert append_event(again, 2) == FLASH_DONE
    assert taken(again, 1) == [(EVENT, 2)]
    assert again.save_cursors(0) == FLASH_DONE
    assert taken(mounted(flash, outlets=2, events=(1,)), 1) == []


def test_an_event_takes_the_last_free_block_as_little_as_a_result():
    ring = mounted(SimFlash(4, 1024, 16), outlets=1)
    last = 1
    while last < 500 and append(ring, last) == FLASH_DONE:
        last += 1
    assert append_event(ring, 1) == append(ring, last) == SPOOL_FULL
    assert ring.save_cursors(0) == FLASH_DONE


def test_the_numbers_of_the_other_outlets_are_found_again_behind_2_to_the_24():
    flash = SimFlash(5, 1024, 16)
    ring = mounted(flash, outlets=2)
    for ident in range(1, 4):
        assert append(ring, ident) == FLASH_DONE
    ring.seq += 0xFFFFFF - 6  # as after years
    for ident in range(4, 25):
        assert append(ring, ident) == FLASH_DONE
        assert idents(ring, 0)[-1] == ident
        if ident < 9:
            idents(ring, 1)
    assert ring.seq > 1 << 24
    again = mounted(flash, outlets=2)
    assert idents(again, 1) == list(range(9, 25))


def test_an_outlet_that_is_new_to_a_log_gets_what_is_still_there():
    flash = SimFlash(5, 1024, 16)
    ring = mounted(flash)
    for ident in range(1, 101):
        assert append(ring, ident) == FLASH_DONE
        idents(ring)
    ring = mounted(flash, outlets=2)
    found = idents(ring, 1)
    assert found == list(range(found[0], 101)) and found[0] > 1
    assert ring.missed == 0, "what was gone before it came it has not missed"
