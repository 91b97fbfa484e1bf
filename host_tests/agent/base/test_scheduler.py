"""Every task runs when its time has come or input wakes it, and one that raises stands in no one's way."""

from toolcart.agent.base.scheduler import PAUSE_MS, STALL_MS, Scheduler
from toolcart.agent.base.ticks import FOREVER, TICKS_MAX, ticks_add, ticks_diff
from toolcart.base.clock import START_TICKS, Dice
from host_tests.portable import error_of

PORTABLE = True


class Task:
    """Writes down when it ran; returns what it is told to, or raises it."""

    def __init__(self, answer=FOREVER):
        self.answer = answer
        self.ran = []
        self.recovered = []
        self.recovery_fails = False

    def step(self, now):
        self.ran.append(now)
        if isinstance(self.answer, Exception) or self.answer is MemoryError:
            raise self.answer
        return self.answer

    def reset_after_fault(self, now):
        self.recovered.append(now)
        if self.recovery_fails:
            raise ValueError("again")


def test_sleeping_task_runs_only_when_it_is_woken():
    scheduler = Scheduler(1)
    task = Task(FOREVER)
    slot = scheduler.add(task, START_TICKS)
    assert scheduler.step(START_TICKS) == FOREVER
    now = START_TICKS
    for _ in range(5):  # more than half a period of ticks: its old moment is of no meaning any more
        now = ticks_add(now, FOREVER)
        assert scheduler.step(now) == FOREVER
    assert len(task.ran) == 1
    scheduler.wake(slot, now)
    scheduler.step(now)
    assert len(task.ran) == 2


def test_more_tasks_than_slots_are_refused():
    scheduler = Scheduler(1)
    scheduler.add(Task(), 0)
    assert "1" in error_of(lambda: scheduler.add(Task(), 0), ValueError)


def test_task_that_raises_pauses_recovers_and_the_others_do_not_notice():
    scheduler = Scheduler(2)
    bad = Task(ValueError("broken"))
    good = Task(100)
    slot = scheduler.add(bad, START_TICKS)
    scheduler.add(good, START_TICKS)
    now = START_TICKS
    assert scheduler.step(now) == 100
    assert scheduler.faults == 1 and scheduler.last_fault is bad.answer and scheduler.is_failing()
    # Input does not shorten the pause.
    scheduler.wake(slot, now)
    for _ in range(9):
        now = ticks_add(now, 100)
        scheduler.step(now)
    assert len(bad.ran) == 1 and len(good.ran) == 10
    bad.answer = 50
    now = ticks_add(START_TICKS, PAUSE_MS)
    assert scheduler.step(now) == 50
    assert bad.recovered == [now] and len(bad.ran) == 2 and not scheduler.is_failing()


def test_want_of_memory_ends_the_run():
    scheduler = Scheduler(1)
    scheduler.add(Task(MemoryError), START_TICKS)
    error_of(lambda: scheduler.step(START_TICKS), MemoryError)


class Chancy(Task):
    """Asks for a random wait and checks that it never runs before it is over."""

    def __init__(self, dice):
        Task.__init__(self)
        self.dice = dice
        self.due = None
        self.late_ms = 0

    def step(self, now):
        if self.due is not None:
            late_ms = ticks_diff(now, self.due)
            assert late_ms >= 0
            self.late_ms = max(self.late_ms, late_ms)
        wait_ms = self.dice.randrange(1, 5000)
        self.due = ticks_add(now, wait_ms)
        return wait_ms


def test_driver_that_sleeps_as_told_is_never_late_over_the_wrap():
    scheduler = Scheduler(8)
    tasks = [Chancy(Dice(seed)) for seed in range(1, 9)]
    now = START_TICKS
    for task in tasks:
        scheduler.add(task, now)
    for _ in range(2000):
        now = ticks_add(now, scheduler.step(now))
    assert scheduler.faults == 0
    assert max([task.late_ms for task in tasks]) == 0


class StallRecorder(Task):
    """A task that wants to know of a stall."""

    def __init__(self, answer):
        Task.__init__(self, answer)
        self.stalls = []

    def stalled(self, now):
        self.stalls.append(now)


def test_a_step_that_comes_much_too_late_is_reported():
    for start in (START_TICKS, 0, TICKS_MAX - 1000, TICKS_MAX - 1000 - STALL_MS, TICKS_MAX):
        scheduler = Scheduler(2)
        task = StallRecorder(1000)
        scheduler.add(Task(5000), start)
        scheduler.add(task, start)
        now = start
        for wait_ms in (1000, 999, 1 + STALL_MS - 1, 0, 0, 1000, 1000):
            scheduler.step(now)
            now = ticks_add(now, wait_ms)
        assert task.stalls == [], start
        scheduler.step(now)
        now = ticks_add(now, 1000 + STALL_MS)
        scheduler.step(now)
        assert task.stalls == [now] and len(task.ran) > 5, start
