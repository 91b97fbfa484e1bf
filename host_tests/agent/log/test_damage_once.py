"""What is lost is counted once, however often the log starts before all have passed it."""

from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.framing import LOG_DONE
from toolcart.agent.log.refound_damage import waits_at_most
from toolcart.agent.log.snapshot_fields import DAMAGED
from host_tests.portable import LONG
from host_tests.support.log import Area, append, read_all, store, take, take_all
from lab.harness.flash import PowerCut

PORTABLE = True
HEAVY = True
HEAP = "2m"

BLOCK = 1024


def zero(area, first):
    """Write zeros over the log's block that begins with this number; return how many that loses."""
    firsts = area.log.firsts
    begin = (area.log.device.first_block + list(firsts).index(first)) * BLOCK
    for octet in range(begin, begin + BLOCK):
        area.flash.cells[octet] = 0
    return area.log.first_above(first) - first


def damaged(gaps, cursors=1, count=60, wears=False):
    """An area with so many blocks in the middle zeroed, every other one, and how many records that loses."""
    area = Area(30, BLOCK, 16)
    area.flash.wears = wears
    store(area.mount(cursors=cursors)[1], range(1, count + 1))
    assert area.state.save()
    firsts = sorted([one for one in area.log.firsts if one])
    return area, sum([zero(area, first) for first in firsts[1 : 2 * gaps : 2]])


def look(log, number=0):
    """Read everything behind this number, as who searches the log."""
    from toolcart.agent.log.cursor import Cursor

    scout = Cursor()
    log.seek(scout, number)
    while log.peek(scout) > 0:
        scout.advance()


def test_what_is_known_to_be_in_no_record_does_not_wait():
    for gaps in (1, 2):
        area, lost = damaged(gaps)
        log = area.mount()[1]
        assert log.state.ensure_reliable() and log.settle()
        cursor = log.cursors[0]
        assert waits_at_most(log, cursor) == 60
        look(log)
        for left in range(60 - lost, -1, -1):
            assert waits_at_most(log, cursor) == left
            if left:
                assert log.peek(cursor) > 0
                cursor.advance()
    area, _ = damaged(0)
    zero(area, max(area.log.firsts))
    log = area.mount()[1]
    assert log.state.ensure_reliable() and append(log, 100) == 0
    assert log.number > 64 and waits_at_most(log, log.cursors[0]) == len(read_all(log)), "the start has skipped some"


def test_starts_add_nothing_while_it_waits():
    for gaps in (1, 2, 4):
        for saves in (False, True):
            for ident in (0, 100):
                area, lost = damaged(gaps)
                for turn in range(6):
                    log = area.mount()[1]
                    assert log.state.ensure_reliable() and log.settle()
                    look(log)
                    assert area.state.numbers[DAMAGED] == lost, (gaps, saves, ident, turn)
                    if ident:
                        ident += 1
                        assert append(log, ident) == 0
                    if saves:
                        assert area.state.save() and area.state.numbers[DAMAGED] == lost
                    area.flash.restart()
                take_all(area.mount()[1])
                for _ in range(3):
                    assert area.state.numbers[DAMAGED] == lost and area.state.save()
                    area.mount()
                    look(area.log)


def test_starts_add_nothing_while_one_of_two_is_past_it():
    for gaps in (1, 3):
        for behind in range(0, 61, 1 if LONG else 5):
            area, lost = damaged(gaps, 2)
            for _ in range(4):
                log = area.mount(cursors=2)[1]
                assert log.state.ensure_reliable() and log.settle()
                take_all(log)
                look(log, log.cursors[1].number)
                assert area.state.numbers[DAMAGED] == lost, (gaps, behind)
                log.seek(log.cursors[1], 0) if behind == 0 else None
                while log.cursors[1].number < behind and log.peek(log.cursors[1]) > 0:
                    log.cursors[1].advance()
                assert area.state.numbers[DAMAGED] == lost and area.state.save()
            log = area.mount(cursors=2)[1]
            while log.peek(log.cursors[1]) > 0:
                log.cursors[1].advance()
            assert area.state.numbers[DAMAGED] == lost and area.state.save()
            assert area.mount(cursors=2)[0].numbers[DAMAGED] == lost


def test_flash_that_wears_may_read_well_again_so_what_one_has_passed_stays_counted():
    area, lost = damaged(1, 2, wears=True)
    log = area.mount(cursors=2)[1]
    assert log.state.ensure_reliable() and log.settle()
    take_all(log)
    assert area.state.numbers[DAMAGED] == lost and area.state.save()
    assert area.mount(cursors=2)[0].numbers[DAMAGED] == lost


def test_starts_add_nothing_on_flash_that_wears_where_one_of_two_is_past_it():
    for gaps in (1, 3):
        area, lost = damaged(gaps, 2, wears=True)
        for turn in range(5):
            log = area.mount(cursors=2)[1]
            assert log.state.ensure_reliable() and log.settle()
            if turn == 0:
                take_all(log)
                assert area.state.save()
            look(log)
            # By the first one it was counted for good, as it may read well again; by the other one each time anew.
            assert area.state.numbers[DAMAGED] == (1 + (turn > 0)) * lost, (gaps, turn)
            assert area.state.save() and area.state.numbers[DAMAGED] == (1 + (turn > 0)) * lost
        take_all(log, 1)
        for _ in range(2):
            assert area.state.save() and area.state.numbers[DAMAGED] == 2 * lost
            area.mount(cursors=2)


def test_one_that_stands_where_some_are_lost_counts_nothing_once_what_is_left_was_copied():
    for wears in (False, True):
        for passed, others in [(passed, others) for passed in range(6) for others in (0, 1) if others <= passed]:
            area, _ = damaged(0, 2, 5, wears=wears)
            log = area.log
            take(log, others)
            take(log, passed, 1)
            assert area.state.save()
            step = (log.offset - HEAD_OCTETS) // 5
            begin = (log.device.first_block + log.block) * BLOCK + HEAD_OCTETS + step
            for octet in range(begin, begin + 3 * step):  # 2 to 4; what one waits for is copied
                area.flash.cells[octet] = 0
            for _ in range(3):
                log = area.mount(cursors=2)[1]
                assert append(log, log.next) == LOG_DONE and area.state.save()
                assert others or area.state.numbers[DAMAGED] == 3, (passed, wears)
            for index in (1, 0):
                take_all(log, index)
                assert area.state.numbers[DAMAGED] <= 3, (passed, others, wears)
            assert area.state.numbers[DAMAGED] == 3 and area.state.save(), (passed, others, wears)
            assert area.mount(cursors=2)[0].numbers[DAMAGED] == 3


def test_what_was_lost_with_the_newest_block_is_counted_once():
    for count in range(57, 66):
        for starts in (1, 3):
            area, lost = damaged(0, 2, count)
            newest = max(area.log.firsts)
            zero(area, newest)
            lost = count + 1 - newest + 1  # one more may have been there, in doubt
            for turn in range(starts):
                log = area.mount(cursors=2)[1]
                assert log.state.ensure_reliable() and area.state.numbers[DAMAGED] == lost, (count, turn)
                look(log)
                assert area.state.save()
            for turn in range(3):
                assert append(log, 100 + turn) == 0
                look(log)
                assert area.state.numbers[DAMAGED] == lost, (count, starts, turn)
                if turn == 1:
                    take_all(log)
                    assert area.state.save()
                log = area.mount(cursors=2)[1]
                look(log)
                assert area.state.numbers[DAMAGED] == lost, (count, starts, turn)


def pass_it(area, saves_each):
    """Start, and deliver everything, with a snapshot behind each, or at the end."""
    log = area.mount(cursors=2)[1]
    assert log.state.ensure_reliable()
    append(log, 100)
    for cursor in log.cursors:
        while log.peek(cursor) > 0:
            cursor.advance()
            if saves_each:
                area.state.save()
    append(log, 101)
    return area.state.save()


def test_power_cuts_add_and_lose_nothing():
    for saves_each in (False, True):
        for gaps in (1, 3):
            cut = 1
            while True:
                area, lost = damaged(gaps, 2)
                area.flash.restart()
                area.flash.cut_after = cut
                try:
                    pass_it(area, saves_each)
                    break
                except PowerCut:
                    area.flash.restart()
                for _ in range(2):
                    pass_it(area, False)
                    assert area.state.numbers[DAMAGED] == lost, (saves_each, gaps, cut)
                cut += 1 if LONG else 3
            assert cut > 5


def damaged_newest(places):
    """Seven records in one block; those at these places of it cannot be read."""
    area = Area(30, 4096, 16)
    store(area.mount()[1], range(1, 8))
    assert area.state.save()
    begin = (area.log.device.first_block + area.log.block) * 4096 + 52
    for place in places:
        for octet in range(begin + place * 144, begin + place * 144 + 8):
            area.flash.cells[octet] = 0
    return area


def test_a_hole_in_the_newest_block_is_counted_once_however_often_that_is_copied():
    for places in ((1,), (0,), (0, 2), (1, 2, 4)):
        area = damaged_newest(places)
        for turn in range(5):
            log = area.mount()[1]
            look(log)
            assert log.state.ensure_reliable() and log.settle()
            if turn % 2:
                assert append(log, 50 + turn) == 0
            look(log)
            assert area.state.numbers[DAMAGED] == len(places), (places, turn)
            assert area.state.save()
            if turn == 3:
                take(log, 2)
                assert area.state.save()


def test_a_hole_in_the_newest_block_is_counted_once_wherever_the_power_went_as_it_was_copied():
    for places in ((1,), (0, 2)):
        cut = 1
        while True:
            area = damaged_newest(places)
            area.flash.restart()
            area.flash.cut_after = cut
            try:
                log = area.mount()[1]
                look(log)
                append(log, 50)
                area.state.save()
                take_all(log)
                area.state.save()
                break
            except PowerCut:
                area.flash.restart()
            for _ in range(2):
                log = area.mount()[1]
                append(log, 51)
                look(log)
                assert area.state.numbers[DAMAGED] == len(places), (places, cut)
                assert area.state.save()
            cut += 1
        assert cut > 5


def test_what_an_outlet_that_goes_back_lacks_is_counted_once():
    for back in (0, 5, 12):
        area, _ = damaged(0)
        log = area.mount()[1]
        assert log.state.ensure_reliable() and log.settle()
        take_all(log)
        assert area.state.save() and area.state.numbers[DAMAGED] == 0
        first = sorted([one for one in log.firsts if one])[1]
        lost = zero(area, first) - max(0, back + 1 - first)  # what it does not go back for it has
        log = area.mount()[1]
        look(log)
        assert area.state.numbers[DAMAGED] == 0, "all are past it"
        log.seek(log.cursors[0], back)
        for _ in range(2):
            look(log)
            assert area.state.numbers[DAMAGED] == lost
        take_all(log)
        assert area.state.save() and area.mount()[0].numbers[DAMAGED] == lost
