"""Searches in a log: what is found, in which order, and what they read of the flash."""

from toolcart.agent.log.framing import RECORD_LOST, RECORD_NONE
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.partitioning import divide
from toolcart.agent.log.search import Search
from toolcart.board.ram_flash import RamFlash
from host_tests.portable import HAS_ALL
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.log import Area, append, append_event, ident_in, mounted, store, take_all

PORTABLE = True
HEAP = "12m"


def area_of(blocks=16, unit=256, last=0, step=1):
    """Return an area with tightenings up to `last`, all of them taken."""
    area = Area(blocks, 4096, unit)
    area.mount()
    for ident in range(1, last + 1, step):
        assert append(area.log, ident) == LOG_DONE
        take_all(area.log)
    return area


def search_for(area, ident):
    """Return the tightenings that a search for this ID finds, and how many reads it took."""
    search = Search(area.log)
    before = area.flash.reads
    search.begin(b"x%010d" % ident, 1)
    idents = []
    while search.next() > 0:
        idents.append(ident_in(area.log.page, area.log.at))
    return idents, area.flash.reads - before


def test_a_result_is_found_by_its_id_wherever_it_lies():
    area = area_of(16, 64, 240)
    oldest = 241 - len([1 for ident in range(1, 241) if search_for(area, ident)[0]])
    for ident in range(1, 242):
        assert search_for(area, ident)[0] == ([ident] if oldest <= ident <= 240 else []), ident
    assert oldest < 60


def test_a_result_is_found_whichever_single_read_is_refused():
    area = area_of(16, 64, 240)
    reads = search_for(area, 200)[1]
    assert search_for(area, 200)[0] == [200] and reads > 4
    for refused in range(1, reads + 1):
        area.flash.read_fails_in = refused
        assert search_for(area, 200)[0] == [200], refused


def test_an_id_above_all_others_costs_no_read():
    area = area_of(16, 64, 200)
    assert search_for(area, 201) == ([], 0)
    area.mount()
    area.log.settle()
    assert search_for(area, 201) == ([], 0)
    append(area.log, 500)
    assert search_for(area, 201)[0] == [] and search_for(area, 501) == ([], 0)


def test_an_id_that_no_block_can_have_costs_a_read_a_block():
    area = area_of(16, 64, 400, 2)
    used = area.log.used_blocks()
    idents, reads = search_for(area, 0)
    assert idents == [] and reads < used
    assert search_for(area, 401 - 6)[1] <= 32, "it would lie in the newest"
    area.mount()
    assert search_for(area, 0) == ([], reads)


def test_out_of_order_ids_are_found():
    area = area_of()
    idents = [(ident * 37) % 101 + 1 for ident in range(100)]
    store(area.log, idents)
    for ident in idents:
        assert search_for(area, ident)[0] == [ident]
    area.mount()
    area.log.settle()
    for ident in idents:
        assert search_for(area, ident)[0] == [ident]


def test_what_is_in_doubt_is_not_found_before_it_is_settled():
    area = area_of(last=5)
    area.mount()
    assert search_for(area, 5)[0] == [] and search_for(area, 4)[0] == [4]
    assert area.log.settle() and search_for(area, 5)[0] == [5]


def test_what_was_carried_over_is_found_once():
    area = area_of(16, 64)
    for ident in range(1, 60):
        area.mount()
        assert append(area.log, ident) == LOG_DONE
    for ident in range(1, 60):
        assert search_for(area, ident)[0] == [ident], ident


def test_rest_of_a_block_with_only_its_last_record_carried_is_found():
    area = area_of()
    store(area.log, range(1, 16))
    append_event(area.log, 16)
    area.mount()
    assert area.log.settle() and area.log.used_blocks() == 2
    area.mount()
    for ident in range(1, 16):
        assert search_for(area, ident)[0] == [ident], ident


def test_an_empty_log_has_nothing():
    area = area_of()
    assert search_for(area, 1) == ([], 0)
    search = Search(area.log)
    search.begin_newest(4)
    assert search.next() == RECORD_NONE


def test_only_a_newest_block_that_cannot_be_read_is_reported():
    area = area_of(16, 256, 40)
    area.flash.unreadable = (area.log.block - 1 + 7,)
    assert search_for(area, 40)[0] == [40] and search_for(area, 20)[0] == [] and search_for(area, 5)[0] == [5]
    area.flash.unreadable = (area.log.block + 7,)
    search = Search(area.log)
    search.begin(b"0000000040", 0)
    assert search.next() == RECORD_LOST


def test_device_that_is_away_does_not_say_that_older_result_is_new():
    area = area_of(16, 256, 40)
    area.flash.unreadable = tuple(range(64))
    for ident in (5, 20, 40):
        search = Search(area.log)
        search.begin(b"%010d" % ident, 0)
        assert search.next() == RECORD_LOST


def test_a_damaged_head_hides_nothing_but_its_own_words():
    area = area_of(16, 256, 90)
    area.flash.cells[(7 + 2) * 4096 + 30] ^= 1
    for ident in (20, 40, 70, 90):
        assert search_for(area, ident)[0] == [ident]


def test_heads_tell_how_the_area_is_divided_where_the_state_does_not():
    area = Area(20, kept_blocks=4, graph_blocks=3)
    assert divide(area.flash, 5, 6)[:2] == (5, 6)
    area.mount()
    append(area.log, 1)
    assert divide(area.flash, 5, 6)[:2] == (4, 3)
    for octet in range(4 * 4096):
        area.flash.cells[octet] = 0
    assert divide(area.flash, 5, 6)[:2] == (4, 3)
    area.flash.unreadable = (0,)
    assert divide(area.flash, 5, 6)[0] == -1


def test_a_mebibyte_is_mounted_and_searched_with_few_reads():
    for unit in (64, 256) if HAS_ALL else (256,):
        area = area_of(256, unit)
        for ident in range(1, 2 * 249 * 4096 // (128 if unit == 64 else 256), 2):
            append(area.log, ident)
            if ident % 48 == 1:
                take_all(area.log)
                area.state.save()
        before = area.flash.reads
        area.mount()
        reads = area.flash.reads - before
        searched = max([search_for(area, ident)[1] for ident in (0, 1000, 5000, 7600)])
        print("1 MiB at units of %d: a mount %d reads, a look-up %d at most" % (unit, reads, searched))
        assert reads <= 400 and searched <= 300


def test_a_search_allocates_nothing():
    heap_tools()
    log = mounted(RamFlash(16, 4096, 64))
    store(log, range(1, 200))
    search = Search(log)
    key = b"0000000100"

    def look(count):
        for _ in range(count):
            search.begin(key, 0)
            if search.next() <= 0 or search.next() != RECORD_NONE:
                return False
        return True

    assert look(1)
    assert allocated(look, 10) == 0
