"""How long the oldest waiting result has been stored: by our own clock, whatever the controller's says."""

import pytest

from toolcart.agent.base.ticks import ticks_add
from toolcart.tools.process.stored_times import APART, LOOK_MS, MOST, StoredTimes
from host_tests.support.world import Cart


class Watched:
    """A cart whose ToolsNet is away, and whose logs are looked at whenever `look` says so."""

    def __init__(self, clock=None):
        self.cart = Cart(toolsnet={}, controller=clock)
        self.cart.network.down("tn", 10111)
        self.cart.ready()
        self.now_s = 1000.0
        self.begin()

    def begin(self):
        self.times = StoredTimes(self.cart.app.stations, self._turn(), lambda: self.now_s)
        self.look(0)

    def _turn(self):
        return ticks_add(0, LOOK_MS * int(self.now_s))

    def make(self, count=1):
        self.cart.produce(count, 100)
        self.cart.run(1000)

    def look(self, seconds):
        self.now_s += seconds
        self.times.on_turn(self._turn())

    def deliver(self):
        self.cart.network.up("tn", 10111)
        self.cart.until(lambda: not self.cart.station.log.backlog())
        self.cart.network.down("tn", 10111)

    def oldest(self):
        told = {}
        self.times.put_oldest(self.cart.station, told)
        return told["oldest_waiting_s"], told["oldest_waiting_at_least"]


@pytest.fixture
def watched():
    return Watched()


def test_it_is_counted_from_when_the_oldest_was_stored_however_many_came_after(watched):
    assert watched.oldest() == (0.0, False)
    watched.make()
    assert watched.oldest() == (0.0, False)  # since the last look
    watched.look(1)
    for _ in range(6):
        watched.make()
        watched.look(10)
    assert watched.oldest() == (60.0, False)


def test_what_was_there_at_the_start_is_as_old_as_the_start_at_least(watched):
    watched.make(3)
    watched.begin()
    watched.look(40)
    assert watched.oldest() == (40.0, True)
    watched.deliver()
    watched.look(1)
    assert watched.oldest() == (0.0, False)
    watched.make()
    watched.look(1)
    watched.look(7)
    assert watched.oldest() == (7.0, False)


def test_what_waits_again_is_as_old_as_what_is_still_known(watched):
    """A server that was restored: the cursor goes back behind what had been passed."""
    for _ in range(4):
        watched.make()
        watched.look(100)
    watched.deliver()
    watched.look(5)
    cursor = watched.cart.station.log.cursors[0]
    assert watched.oldest() == (0.0, False) and cursor.number == 4
    watched.cart.station.log.seek(cursor, 1)
    assert watched.oldest() == (5.0, True)  # the last one was seen 5 s ago, and no earlier note is kept


class Log:
    """As much of a log as is looked at: all records are results, each stored as `number` goes up."""

    def __init__(self):
        self.number = self.passed = 0

    def backlog_cursor(self):
        class Cursor:
            number = self.passed
            sequence_lag = place = first = offset = bound = version = 0

        return Cursor

    def peek(self, scout):
        scout.found = self.passed + 1
        return int(self.passed < self.number)


class Station:
    number = 1
    mounted = True

    def __init__(self):
        self.log = Log()


def test_an_age_is_nearly_exact_after_a_week_and_few_notes_are_kept():
    station, now_s, stored = Station(), 0, {}
    times = StoredTimes([station], 0, lambda: float(now_s))
    for now_s in range(0, 7 * 86400, 20):
        if now_s % 3600 < 1800:  # results come in one half of each hour
            station.log.number += 1
            stored[station.log.number] = now_s
        times.on_turn(ticks_add(0, now_s * 1000 % (1 << 29)) if now_s == 0 else times._due)
    assert len(times._notes[1]) <= MOST
    for number in range(2, station.log.number, 97):
        station.log.passed = number - 1
        told = {}
        times.put_oldest(station, told)
        age_s = now_s - stored[number]
        assert not told["oldest_waiting_at_least"]
        assert age_s - age_s / APART - 1 <= told["oldest_waiting_s"] <= age_s, number


def test_a_log_that_was_mounted_again_with_less_is_a_new_one_and_one_that_is_not_up_is_not_looked_at():
    station, clock, told = Station(), [0.0], {}
    times = StoredTimes([station], 0, lambda: clock[0])
    for number, clock[0] in ((9, 0.0), (10, 50.0), (4, 60.0)):
        station.log.number = number
        times.on_turn(times._due)
    clock[0] = 75.0
    times.put_oldest(station, told)
    assert told == {"oldest_waiting_s": 15.0, "oldest_waiting_at_least": True}
    station.mounted, station.log = False, None
    times.on_turn(times._due)


def test_a_record_that_cannot_be_read_has_no_age():
    station = Station()
    station.log.peek = lambda scout: -2
    told = {}
    StoredTimes([station], 0).put_oldest(station, told)
    assert told == {"oldest_waiting_s": None, "oldest_waiting_at_least": False}
