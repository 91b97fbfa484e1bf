"""A block's living entries move in one piece where one entry more has no room; a cut leaves each once."""

from toolcart.agent.log.numbers import KEPT_DAMAGED
from host_tests.portable import HAS_ALL
from host_tests.support.log import STATE_BLOCKS, TEARS, PowerCut
from host_tests.support.quarantine import QuarantineBench

PORTABLE = True
HEAVY = True
HEAP = "3m"


def test_a_drop_works_where_the_room_for_copies_has_worn_out():
    for every in (2, 3, 5):
        for unit_bytes in (1, 64, 256):
            bench = QuarantineBench(4, blocks=34, unit_bytes=unit_bytes)
            kept = bench.fill()
            log = bench.quarantine.log
            free = [place for place in range(4) if not log.firsts[place]]
            bench.flash.worn = (STATE_BLOCKS + free[0],)
            dropped = [number for number in kept if number % every]
            assert len(free) == 2 and bench.drop(*reversed(dropped)), (every, unit_bytes)
            left = sorted(set(kept) - set(dropped))
            assert sorted(bench.quarantine.numbers()) == left and log.blocks.count_free(log.blocks.lowest()) > 0
            bench.start()
            assert bench.quarantine.settle()
            assert sorted(bench.quarantine.numbers()) == left and bench.state.numbers[KEPT_DAMAGED] == 0


def test_power_that_fails_while_a_block_is_moved_leaves_each_once():
    for tear in TEARS:
        for cut in range(0, 60, 1 if HAS_ALL else 4):
            bench = QuarantineBench(4, blocks=34, unit_bytes=64)
            kept = bench.fill()
            free = [place for place in range(4) if not bench.quarantine.log.firsts[place]]
            bench.flash.worn = (STATE_BLOCKS + free[0],)
            dropped = kept[1::2]
            bench.flash.cut_after, bench.flash.tear = cut, tear
            try:
                assert bench.drop(*dropped)
                bench.flash.cut_after = None
            except PowerCut:
                bench.flash.worn = ()  # no start knows of it, and what it tries first may be that one
                bench.start()
                assert bench.quarantine.settle()
            found = bench.quarantine.numbers()
            assert len(found) == len(set(found)) and set(kept[::2]) <= set(found) <= set(kept), (tear, cut)
            assert bench.drop(*[number for number in found if number in dropped])
            assert sorted(bench.quarantine.numbers()) == kept[::2]
