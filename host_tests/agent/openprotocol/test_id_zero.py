"""A counter that wraps: 0 is a result's ID, and asks for the newest."""

from toolcart.agent.openprotocol.ids import ID_PERIOD
from toolcart.agent.openprotocol.missing_bound import missing_most
from host_tests.agent.openprotocol.test_missing_counted import HOW
from host_tests.support.recovery import Bench, Memory


def test_id_0_made_while_not_connected_is_counted():
    for first in range(ID_PERIOD - 6, ID_PERIOD + 1):
        for missed in range(1, 8):
            for answer in (Bench.step, HOW["unknown"]):
                for is_away in (True, False):
                    bench = Bench(Memory(first % ID_PERIOD)).open()
                    while answer(bench):
                        pass
                    bench.live()
                    if is_away:
                        bench.away(missed)
                    else:
                        for _ in range(missed):
                            bench.memory.make()
                    for _ in range(20):
                        answer(bench)
                    bench.live()
                    for _ in range(150):  # in front of a first ID there may be others
                        answer(bench)
                    made = len(bench.memory.produced)
                    case = (first, missed, answer, is_away, bench.stored(), bench.gone.runs)
                    assert made == len(bench.uids()) + bench.ledger.gone(), case
                    assert len(bench.uids()) == len(set(bench.uids())) and missing_most(bench.ledger) == 0, case


class Long(Memory):
    """It counts beyond 32 bits, up to the ten digits."""

    def make(self, ident=None, key=None):
        made = self.next_id if ident is None else ident
        result = Memory.make(self, made, key)
        self.next_id = (made + 1) % 10**10
        return result


def test_ids_beyond_32_bits_are_fetched_and_counted_like_any_other():
    for first in (ID_PERIOD + 1, ID_PERIOD - 4, 5 * 10**9, 7123456789, 10**10 - 6):
        bench = Bench(Long(first)).met(3)
        for missed in (4, 1, 40):
            bench.away(missed)
            bench.memory.forget(bench.memory.produced[-missed].ident)
            bench.settle()
            bench.make(2)
            bench.start().open()
            bench.settle()
        made = len(bench.memory.produced)
        uids = bench.uids()
        assert len(uids) == len(set(uids)) and made == len(uids) + bench.ledger.gone(), (first, made, len(uids))
        assert bench.ledger.gone() in (3, 4) and missing_most(bench.ledger) == 0, (first, bench.gone.runs)
        assert bench.ledger.top() == bench.memory.produced[-1].ident, first
