"""The cooperative scheduler: fixed slots, each a task with `step(now)`; none blocks, none is forgotten.

Rules
1. `task.step(now)` does a bounded piece of work and returns the ms until it is needed again (0: at once, FOREVER: only
   when woken). It never blocks.
2. `step(now)` runs every task whose time has come once, so all of them, sessions and outlets, have a fair share; it
   returns the ms until the next. A board sleeps that long or until input, wakes the slot the input belongs to, and
   calls again. What a task adds runs at the next step.
3. A task that raises is not run for PAUSE_MS, then starts over with `task.reset_after_fault(now)`; the others are not
   affected.
   What it raised is kept in `last_fault`, to be shown. A MemoryError ends the run.
4. If `step` is called STALL_MS later than it asked for, every task that has `stalled(now)` is told: the process got no
   turn for so long.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import FOREVER, TICKS_MAX, ticks_add, ticks_diff

PAUSE_MS = const(1000)
STALL_MS = const(2000)

_HALF = const(0x20000000)
_ASLEEP = const(-1)  # in place of a moment: until woken


class Scheduler:
    """Runs up to `slots` tasks."""

    def __init__(self, slots):
        self._tasks = [None] * slots
        self._due = [_ASLEEP] * slots
        self._failed = [False] * slots
        self.count = 0
        self.faults = 0
        self.last_fault = None
        self._next = -1  # when `step` should be called again

    def add(self, task, now):
        """Put the task in the next slot and return its number; it runs at the next step. ValueError if none is free."""
        if self.count == len(self._tasks):
            raise ValueError("all %d slots are taken" % self.count)
        slot = self.count
        self._tasks[slot] = task
        self._due[slot] = now
        self.count += 1
        return slot

    def wake(self, slot, now):
        """Run this slot at the next step: there is input for it."""
        if not self._failed[slot]:
            self._due[slot] = now

    def wake_all(self, slots, now):
        """Run these slots at the next step, or later in this one."""
        for slot in slots:
            if not self._failed[slot]:
                self._due[slot] = now

    def is_failing(self):
        """True if the last run of any task raised."""
        return True in self._failed

    def step(self, now):
        """Run what is due; return the ms until the next slot is due, FOREVER if all wait to be woken."""
        late_ms = now - self._next
        if late_ms >= STALL_MS or late_ms < -_HALF:
            self._look_at_lateness(now)
        shortest = FOREVER
        slot = 0
        count = self.count
        dues = self._due
        while slot < count:
            left = dues[slot]
            if left != _ASLEEP:
                left -= now
                if left and not -_HALF <= left < _HALF:
                    left = ticks_diff(left, 0)
                if left <= 0:
                    try:
                        if self._failed[slot]:
                            self._tasks[slot].reset_after_fault(now)
                            self._failed[slot] = False
                        left = self._tasks[slot].step(now)
                    except MemoryError:
                        raise  # nothing can go on without memory: the board restarts, the spool has everything
                    except Exception as fault:  # one station's fault must not stop the others
                        self.faults += 1
                        self.last_fault = fault
                        self._failed[slot] = True
                        left = PAUSE_MS
                    if left >= FOREVER:
                        dues[slot] = _ASLEEP
                    else:
                        dues[slot] = now + left if left <= TICKS_MAX - now else ticks_add(now, left)
                if left < shortest:
                    shortest = left
            slot += 1
        if count != self.count:
            shortest = 0  # a task has added others
        self._next = now + shortest if shortest <= TICKS_MAX - now else ticks_add(now, shortest)
        return shortest

    def _look_at_lateness(self, now):
        if self._next < 0 or ticks_diff(now, self._next) < STALL_MS:
            return  # this is the first step, or the clock has wrapped
        for slot in range(self.count):
            stalled = getattr(self._tasks[slot], "stalled", None)
            if stalled is not None:
                stalled(now)
