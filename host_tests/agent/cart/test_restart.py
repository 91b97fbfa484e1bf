"""After a start: any number of results waits and drains, the watchdog is fed, nothing is stored twice."""

from toolcart.agent.base.scheduler import Scheduler
from toolcart.agent.cart import status
from toolcart.agent.cart.liveness import ASKED_MS, FAILING_MS, HEALTHY_MS, STUCK_MS, Liveness
from toolcart.agent.openprotocol.session_states import READY
from toolcart.base.clock import SimClock
from host_tests.portable import stub
from host_tests.support import toolsnet
from lab.harness.cart import Cart

PORTABLE = True
HEAP = "6m"  # both simulators, their frames and the agent


def _cart_with(count):
    cart = Cart().until_ready(and_ms=1000)
    cart.produce(count)
    cart.until_quiet()
    return cart


def test_a_restart_at_a_block_border_stores_nothing_twice():
    # What is carried over may fill a block, and the next start has to know every result in front of it.
    for count in range(28, 34):
        cart = _cart_with(count)
        cart.cut()
        cart.run(5000)
        assert cart.station.log.number == count, (count, cart.station.log.number)
        assert cart.station.known.missing() == 0
        assert cart.ids() == cart.controller.produced


def test_restarts_one_after_the_other_store_nothing_twice():
    cart = _cart_with(31)
    for _ in range(3):
        cart.cut()
        cart.step()
    cart.run(5000)
    assert cart.station.log.number == 31
    assert cart.station.known.missing() == 0
    assert cart.ids() == cart.controller.produced


def test_every_count_of_results_says_after_a_start_what_it_said_before():
    cart = Cart(toolsnet={"tightening_codes": {3: 17}}, controller={"max_clients": 9}).until_ready(and_ms=1000)
    cart.produce(4)
    cart.produce(status="#", time="#" * 19)  # not to be read
    cart.until_stored(3, and_ms=5000)
    cart.network.cut("cart0", 4545)
    cart.produce(3)
    cart.controller.forget(7)
    cart.until_stored(5, and_ms=60000)
    for _ in range(3):
        told = counts_of(cart)
        assert told == {"stored": 7, "delivered": 5, "backlog": 0, "overwritten": 0, "parked": 2, "gone": 1, "open": 0}
        cart.cut()
        cart.run(60000)


def counts_of(cart):
    shown = status.snapshot(cart.app)["stations"][0]
    told = {name: shown[name] for name in ("stored", "delivered", "backlog", "overwritten", "parked")}
    told["gone"], told["open"] = shown["recovery"]["gone"], shown["recovery"]["open_ids"]
    return told


# The watchdog is fed while results and deadlines move, and only then; a fresh start is healthy when it behaved.

PATIENCE_MS = STUCK_MS + 2 * 60000


def station():
    """A station that is well: what the watchdog looks at."""
    log = stub(number=0, cursors=[stub(number=0)])
    log.waits = lambda cursor: log.number - cursor.number
    outlet = stub(attempts=0, index=0, longest_ms=60000, holds=lambda: False)
    intake = stub(way=stub(attempts=0), full=False)
    session, counters = stub(state=READY), stub(counts=[0, 0])
    return stub(number=1, mounted=True, log=log, session=session, intake=intake, outlets=[outlet], counters=counters)


class Task:
    """A task that fails while `fails` is set."""

    def __init__(self):
        self.fails = False

    def step(self, now):
        if self.fails:
            raise RuntimeError("it cannot")
        return 1000

    def recover(self, now):
        self.step(now)


class Rig:
    def __init__(self):
        self.clock = SimClock()
        self.app = stub(stations=[station()], scheduler=Scheduler(1))
        self.task = Task()
        self.app.scheduler.add(self.task, self.clock.now)
        self.liveness = Liveness(self.app, self.clock.now)
        self.station = self.app.stations[0]

    def fed_ms(self, most_ms, each=None):
        """How long it is fed without a gap; at most so long."""
        start_ms = self.clock.total_ms
        while self.clock.total_ms - start_ms < most_ms:
            if each is not None:
                each()
            self.app.scheduler.step(self.clock.now)
            if not self.liveness.may_feed(self.clock.now):
                break
            self.clock.advance(ASKED_MS)
        return self.clock.total_ms - start_ms


def test_a_backlog_that_does_not_move_is_not_fed_for_ever():
    rig = Rig()
    rig.station.log.number = 5
    fed_ms = rig.fed_ms(10 * PATIENCE_MS)
    assert PATIENCE_MS <= fed_ms <= PATIENCE_MS + 2 * ASKED_MS
    assert rig.liveness.reason == "station 1 does not move"


def test_controller_that_no_one_tries_to_reach_is_not_fed_for_ever():
    rig = Rig()
    rig.station.session.state = 0
    assert rig.fed_ms(10 * PATIENCE_MS) < 2 * PATIENCE_MS


def test_task_that_keeps_failing_is_not_fed_for_longer_than_a_minute():
    rig = Rig()
    rig.task.fails = True
    fed_ms = rig.fed_ms(10 * FAILING_MS)
    assert FAILING_MS <= fed_ms <= FAILING_MS + 2 * ASKED_MS
    assert rig.liveness.reason == "a task fails again and again"


def test_a_task_that_recovers_is_forgiven():
    rig = Rig()

    def fail_now_and_then():
        rig.task.fails = rig.clock.total_ms % 120000 < 20000

    assert rig.fed_ms(20 * FAILING_MS, fail_now_and_then) >= 20 * FAILING_MS


def test_a_start_whose_spool_is_not_up_is_not_healthy():
    rig = Rig()
    rig.station.mounted = False
    rig.clock.advance(HEALTHY_MS)
    assert not rig.liveness.is_healthy(rig.clock.now)
    rig.station.mounted = True
    assert not rig.liveness.is_healthy(rig.clock.now)
    rig.clock.advance(HEALTHY_MS)
    assert rig.liveness.is_healthy(rig.clock.now)


def test_a_start_in_which_a_task_failed_is_not_healthy():
    rig = Rig()
    rig.task.fails = True
    rig.app.scheduler.step(rig.clock.now)
    rig.clock.advance(2 * HEALTHY_MS)
    assert not rig.liveness.is_healthy(rig.clock.now)


# How fast a backlog drains, on the simulated clock: exact, no timing involved.

RESULTS = 100
ROUND_TRIPS_MS = (0, 20, 100)
SHARE = 0.98  # of what one outstanding telegram allows


def drained(round_trip_ms):
    """The ms from the first result in the archive to the last one."""
    outlet = toolsnet.Outlet()
    for address in (toolsnet.PIM, toolsnet.SERVER):
        outlet.network.line(*address).delay_ms = round_trip_ms // 2
    outlet.store(RESULTS)
    outlet.until_stored(1)
    begun_ms = outlet.clock.total_ms
    outlet.until_stored(RESULTS)
    took_ms = outlet.clock.total_ms - begun_ms
    outlet.run(round_trip_ms)
    assert outlet.waiting() == 0
    return took_ms


def test_backlog_drains_at_one_result_per_round_trip():
    for round_trip_ms in ROUND_TRIPS_MS:
        took_ms = drained(round_trip_ms)
        best_ms = (RESULTS - 1) * round_trip_ms
        print("drained %d results in %d ms, %d ms are possible" % (RESULTS, took_ms, best_ms))
        assert best_ms <= took_ms <= best_ms / SHARE
