"""A tightening controller that remembers across connections what it produced and what was acknowledged.

Rules:
1. A result exists once `produce` is called. It is pushed to a connected subscriber, and kept for 0064 in a
   bounded memory.
2. What was not pushed is never replayed unasked (OP 5.8.1 p. 133): an integrator must ask for it.
3. Tightening IDs count up by one and wrap after 4294967295 to 0.
4. The defaults of the options are a well-behaved Power Focus; every deviation met in the field is an option.
5. Everything the integrator does wrong is one text in `complaints`.
"""

from toolcart.agent.base.ticks import ticks_add, ticks_diff
from toolcart.base.clock import Dice, seconds_of, stamp_text
from toolcart.sim.controller_frames import check
from toolcart.sim.controller_model import Alarm, Identity, Job, ParameterSet, Tightening, Vehicle
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.controller_session import ControllerSession

PORTABLE = True

__all__ = ["Alarm", "Controller", "ControllerOptions", "Identity", "ParameterSet", "Tightening"]

ID_PERIOD = 1 << 32
LIGHT_STATUS_EVERY = 5


class Controller:
    """The device. `endpoint()` is the factory of its sessions."""

    def __init__(self, clock, options=None, first_id=1):
        self.clock = clock
        self.options = options or ControllerOptions()
        self.identity = Identity(self.options.identity)
        self.psets = {
            1: ParameterSet(1, 900, 1000, 1100, 30, 60, 90),
            2: ParameterSet(2, 2200, 2500, 2800, 45, 70, 120),
            12: ParameterSet(12, 4000, 4500, 5000, 60, 75, 90),
        }
        self.produced = []  # ids, in the order they were tightened
        self.acknowledged = []  # ids, in the order of their first 0062
        self.fetched = []  # ids sent in 0065, in order; repeated when asked for again
        self.fetched_by_id = {}  # those asked for by number, not as "latest"
        self.complaints = []
        self.odd = {}  # (MID, what) -> how often it was odd in this way
        self.closings = []
        self.sessions = []
        self.unacknowledged = []  # (revision, result) that a session has left without its 0062, if that is an option
        self.slots_kept = []  # until when (ticks) a client that left without 0003 still counts
        self.connections = 0
        self.messages = {}  # MID -> how often it arrived
        self.alarm = None  # (code, text, time) while one is active
        self.selected = None  # the parameter set selected last
        self.job = None
        self.ordered = {}  # what integrators have ordered: pset, job, job_off, vin of later results
        self.batch_sizes = {}  # parameter set -> its batch size, where an integrator has set it
        self.carried_out = []  # (MID, data) of every command
        self.is_locked = False  # by MID 0042: the tool tightens nothing on its own
        self._acknowledged = {}
        self._results = {}
        self._kept = []
        self._next_id = first_id % ID_PERIOD
        self._dice = Dice(self.options.seed)
        self._body = 123456
        self._batch_counter = 0
        self._turn = 0

    # For tests and the demo

    def produce(self, **fields):
        """Tighten one screw; `fields` overrides attributes of Tightening. Return its ID."""
        result = self._tighten()
        for name in fields:
            if not hasattr(Tightening, name):
                raise ValueError("a tightening has no field " + name)
            check(name, fields[name])
            setattr(result, name, fields[name])
        if "tightening_id" not in fields:
            result.tightening_id = self._next_id
        self._next_id = (result.tightening_id + 1) % ID_PERIOD
        self._keep(result)
        self.produced.append(result.tightening_id)
        for session in self.sessions:
            session.offer(result)
        if self.options.elsewhere:
            self.produce_elsewhere(self.options.elsewhere)
        return result.tightening_id

    def jump_ids(self, count):
        """Skip `count` tightening IDs, as if another spindle's filtered results had used them."""
        self._next_id = (self._next_id + count) % ID_PERIOD

    def produce_elsewhere(self, count=1):
        """Tighten screws at another station of the controller: its own port, the same IDs."""
        for _ in range(count):
            result = self._tighten()
            if not self.options.shares_ids:
                continue
            result.station_number = 2
            result.tightening_id = self._next_id
            self._next_id = (self._next_id + 1) % ID_PERIOD
            self._keep(result)

    def reset_ids(self, first_id=1):
        """Start again at `first_id`, like a controller that was reset or replaced."""
        self._next_id = first_id % ID_PERIOD
        self._results = {}
        self._kept = []

    def forget(self, tightening_id):
        """Remove one result from the memory: 0064 for it is answered 0004/15."""
        if tightening_id in self._results:
            del self._results[tightening_id]
            self._kept.remove(tightening_id)

    def result(self, tightening_id):
        return self._results.get(tightening_id)

    def kept_ids(self):
        """Return the IDs of the results kept, oldest first."""
        return list(self._kept)

    def newest_at_or_below(self, tightening_id):
        """Return the newest result whose ID is not above this one, or None."""
        ids = [number for number in self._kept if number <= tightening_id]
        return self._results[max(ids)] if ids else None

    def latest(self):
        return self._results[self._kept[-1]] if self._kept else None

    def inject(self, octets):
        """Send `octets` unchanged on every connection: garbage, half a message, a foreign frame."""
        for session in self.sessions:
            session.send(octets)

    def drop(self):
        """Close every connection."""
        for session in self.sessions:
            session.close("controller: dropped")

    def end_subscriptions(self):
        """Push no more results over the connections that stand, and tell nobody."""
        for session in self.sessions:
            session.end_subscription()

    def raise_alarm(self, code, text="", ready=1):
        """Raise an alarm: 0071 to every subscriber, 0076 to later ones. `code` is as sent, like E404."""
        self.alarm = Alarm(code, text, ready, self.stamp())
        for session in self.sessions:
            session.event_subscriptions.push_alarm(self.alarm)

    def acknowledge_alarm(self, code):
        """Acknowledge the alarm at the controller: 0074 to every subscriber."""
        for session in self.sessions:
            session.event_subscriptions.push_acknowledged(code)

    def clear_alarm(self):
        self.alarm = None

    def select_pset(self, number):
        """Select a parameter set: 0015 to every subscriber."""
        self.selected = self.psets[number]
        for session in self.sessions:
            session.event_subscriptions.push_pset(self.selected)

    def change_pset(self, number, **changed):
        """Change a parameter set at the controller: its limits, and the date of its last change."""
        pset = self.psets[number]
        pset.changed = self.stamp()
        for name in changed:
            setattr(pset, name, changed[name])

    def reset_batch(self):
        """Start the batch again with the next tightening."""
        self._batch_counter = 0

    def select_job(self, number, batch_size=4):
        """Select a job: 0035 to every subscriber; then `push_job` reports its progress."""
        sequence = 1 if self.job is None else self.job.sequence + 1
        self.job = Job(number, batch_size, self.stamp(), sequence)
        self.push_job()

    def push_job(self, **changed):
        """Send 0035 to every subscriber, with these attributes of the job changed."""
        self.job.time = self.stamp()
        for name in changed:
            setattr(self.job, name, changed[name])
        for session in self.sessions:
            session.event_subscriptions.push_job(self.job)

    def identify(self, vin, *identifiers):
        """Let a vehicle arrive: 0052 to every subscriber."""
        for session in self.sessions:
            session.event_subscriptions.push_vehicle(Vehicle(vin, *identifiers))

    def stamp(self):
        """Return the time of the controller's clock."""
        ahead_s = self.options.clock_ahead_s
        return stamp_text(seconds_of(self.clock.stamp()) + ahead_s) if ahead_s else self.clock.stamp()

    def set_clock(self, text):
        """Set the clock: 0082; False if the text is not a time."""
        try:
            seconds = seconds_of(text.decode())
        except ValueError:
            return False
        self.options.clock_ahead_s = seconds - seconds_of(self.clock.stamp())
        return True

    # For the line

    def endpoint(self):
        self.connections += 1
        if self.options.cycles or self.options.sync:
            from toolcart.sim.controller_spindles import SpindleSession  # to save stack, as below

            return SpindleSession(self)
        if self.options.header_spindles:
            from toolcart.sim.multi_spindle import MultipleSession

            return MultipleSession(self)
        if not self.options.operations:
            return ControllerSession(self)
        from toolcart.sim.controller_spindles import OperationSession  # imports nest, and small stacks run this too

        return OperationSession(self)

    # For its sessions

    def clients(self, but):
        """Return the number of clients beside this session, including those that left without 0003 a moment ago."""
        now = self.clock.now
        self.slots_kept = [until for until in self.slots_kept if ticks_diff(until, now) > 0]
        return len([one for one in self.sessions if one.started and one is not but]) + len(self.slots_kept)

    def note_left(self):
        """Note that a client left without 0003."""
        if self.options.slot_kept_ms:
            self.slots_kept.append(ticks_add(self.clock.now, self.options.slot_kept_ms))

    def note_odd(self, mid, what):
        """Note an oddity in a message; True the first time."""
        count = self.odd.get((mid, what), 0)
        self.odd[mid, what] = count + 1
        return count == 0

    def note_acknowledged(self, tightening_id):
        if tightening_id not in self._acknowledged:
            self._acknowledged[tightening_id] = True
            self.acknowledged.append(tightening_id)

    def note_fetched(self, tightening_id, by_id):
        self.fetched.append(tightening_id)
        if by_id:
            self.fetched_by_id[tightening_id] = True

    # Inside

    def _keep(self, result):
        if result.tightening_id in self._results:
            self._kept.remove(result.tightening_id)
        self._results[result.tightening_id] = result
        self._kept.append(result.tightening_id)
        if len(self._kept) > self.options.memory:
            del self._results[self._kept.pop(0)]

    def _tighten(self):
        """Return a result with plausible values: mostly OK, torque and angle around their targets."""
        options = self.options
        dice = self._dice
        result = Tightening()
        numbers = sorted(self.psets)
        pset = self.psets[self.ordered.get("pset") or numbers[self._body % len(numbers)]]
        batch = self.batch_sizes.get(pset.pset, options.batch)
        self._batch_counter += 1
        if self._batch_counter > batch:
            self._batch_counter = 1
            self._body = (self._body + 1) % 1000000
        result.vin = self.ordered.get("vin") or ("WVWZZZ1KZAW%06d" % self._body).encode()
        result.job = 0 if self.ordered.get("job_off") else self.ordered.get("job", 7)
        result.pset = pset.pset
        result.pset_name = pset.pset_name
        for name in ("torque_min", "torque_target", "torque_max", "angle_min", "angle_target", "angle_max"):
            setattr(result, name, getattr(pset, name))
        result.torque = dice.randrange(pset.torque_min, pset.torque_max + 1)
        result.angle = dice.randrange(pset.angle_min, pset.angle_max + 1)
        if dice.randrange(100) < options.nok_percent:
            self._spoil(result, dice.randrange(4))
        result.batch_size = batch
        result.batch_counter = self._batch_counter
        result.batch_status = 1 if self._batch_counter == batch else options.batch_open
        if options.light_statuses:
            self._turn += 1
            turn, rest = divmod(self._turn, LIGHT_STATUS_EVERY)
            if rest == 0:
                result.light_status = options.light_statuses[turn % len(options.light_statuses)]
        result.time = options.time_text or self.stamp()
        result.pset_change = options.pset_change_text or pset.changed
        result.tool_serial = self.identity.tool_serial
        result.final_angle = result.angle
        return result

    def _spoil(self, result, how):
        """Make a result NOK: torque or angle, too low or too high."""
        result.status = 0
        if how == 0:
            result.torque_status = 0
            result.torque = result.torque_min * 8 // 10
        elif how == 1:
            result.torque_status = 2  # just above its limit, which rounding takes away
            result.torque = result.torque_max if self.options.rounded else result.torque_max * 11 // 10
        elif how == 2:
            result.angle_status = 0
            result.angle = result.angle_min * 8 // 10
        else:
            result.angle_status = 2
            result.angle = result.angle_max * 11 // 10
