"""The watchdog is fed while results and deadlines move, and only then; a fresh start is healthy when it behaved."""

from toolcart.agent.base.scheduler import Scheduler
from toolcart.agent.cart.watchdog import ASKED_MS, FAILING_MS, HEALTHY_MS, STUCK_MS, Liveness
from toolcart.agent.openprotocol.session_states import READY
from toolcart.base.clock import SimClock
from host_tests.portable import stub

PORTABLE = True

PATIENCE_MS = STUCK_MS + 2 * 60000


def station():
    """A station that is well: what the watchdog looks at."""
    log = stub(number=0, cursors=[stub(number=0)])
    log.backlog_of = lambda cursor: log.number - cursor.number
    outlet = stub(attempts=0, index=0, longest_ms=60000, needs_operator=lambda: False)
    intake = stub(attempts=0, cannot_store=False)
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

    def reset_after_fault(self, now):
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
