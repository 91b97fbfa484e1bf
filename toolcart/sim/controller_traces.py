"""How a simulated controller handles curves: MID 0008 for 0900 and 0901, the pushes, and their MID 0005.

Rules
1. Curves go out after their result, one at a time. Each waits for its MID 0005 and is sent again without one; after
   the last time the connection is closed (OP 4.3.3 p. 62). A MT Focus 6000 does not wait (MT notes on MID 0008).
2. The data of MID 0008 must be as in the document's example and its table (OP 5.27.1.1 p. 260-261).
3. Plot parameters need a subscription for curves (OP 5.27.2.1 p. 264).
4. No NUL follows the samples (OP 3.8 p. 58).
5. A fixtured system has curves of each bolt, with one result ID and time; PID 01301 names it (A310 p. 49).
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.sim.curve_frames import plot_parameters, traces_of
from toolcart.sim.operation_frames import object_ids
from toolcart.sim.pending_acknowledgement import PendingAcknowledgement
from toolcart.sim.spindle_frames import spindles_of

PORTABLE = True

ALL = 999
_FIRST_BYTES = 30  # alternative, stamp, index


class Tracing:
    """The curves of one session."""

    def __init__(self, session):
        self.session = session
        self.options = session.options
        self.types = ()
        self.revision = 0
        self.parameters_revision = 0
        self._unsent = []  # (due, MID, revision, data, spindle of the header)
        self._waiting = None  # the PendingAcknowledgement of one that is out

    def ended(self):
        """MID 0003: all subscriptions end."""
        self.types = ()
        self.parameters_revision = 0
        self._unsent = []
        self._waiting = None

    def offer(self, result):
        """Send the curves of a new result, if subscribed to."""
        if not self.types:
            return
        options = self.options
        due = ticks_add(self.session.controller.clock.now, options.trace_delay_ms)
        own = self.session.controller.identity.system_type == 4
        for one, spindle, naming in self._bolts(result):
            for mid, data in traces_of(
                result, self.revision, self.types, options.trace_samples, options.trace_step_us, own, one, **naming
            ):
                self._unsent.append((due, mid, self.revision, data, spindle))
        if self.parameters_revision:
            mid, data = plot_parameters(result, self.parameters_revision)
            self._unsent.append((due, mid, self.parameters_revision, data, None))

    def _bolts(self, result):
        """Return of each bolt its figures, the spindle of its header, and how the data name it."""
        options = self.options
        if not options.trace_bolts:
            return [(result, None, {})]
        bolts = spindles_of(result, options.trace_bolts)
        naming = options.bolts_named_by
        if naming == "header":
            return [(one, "%02d" % one.number, {}) for one in bolts]
        if naming == "object":
            idents = object_ids(len(bolts) if options.objects > 1 else 1)
            return [(bolts[index], None, {"object_id": idents[index]}) for index in range(len(idents))]
        return [(one, None, {"fields": ((1301, 1, 0, "%04d" % one.number),)}) for one in bolts]

    def handle_request(self, mid, text):
        """Take MID 0008 or 0009 for 0900 or 0901."""
        session = self.session
        request = session.parse_request(mid, text)
        if request is None:
            return
        wanted, revision, extra = request
        named = wanted if self.options.names_subscribed or not self.options.operations else mid
        if mid == 9:
            self._end(wanted, named)
            return
        if wanted == 901:
            self._take_parameters(text, revision, named)
            return
        types = self._types_of(extra)
        foreign = ALL not in (types or (ALL,)) and [one for one in types if one not in self.options.trace_types]
        is_unknown = revision not in self.options.traces
        if not session.rejects(named, (types is None, 1), (self.types, 71), (is_unknown, 76), (foreign, 78)):
            self.types = self.options.trace_types if ALL in types else types
            self.revision = revision
            session.accept(named)
            latest = session.controller.latest()
            if self.options.push_last_result and latest is not None:
                self.offer(latest)

    def acknowledged(self, text, now):
        """Handle a MID 0005 of the integrator."""
        waiting = self._waiting
        if waiting is None or not text.isdigit() or int(text) != waiting.item[1]:
            self.session.complain("0005 for %s without an outstanding curve" % text)
            return
        self._waiting = None
        self.tick(now)

    def tick(self, now):
        """Send what is due; return ms until the next check."""
        session = self.session
        if self._waiting is not None:
            return self._waiting.watch(now)
        while self._unsent and not session.wants_close and session.alive:
            left = ticks_diff(self._unsent[0][0], now)
            if left > 0:
                return left
            trace = self._unsent.pop(0)
            sent = PendingAcknowledgement(session, "%04d" % trace[1], self._send, trace, now)
            if session.controller.identity.system_type != 4 and session.numbers is None:
                self._waiting = sent
                return self.options.ack_timeout_ms
        return FOREVER

    def _send(self, trace):
        self.session.say_exactly(*trace[1:])

    def _types_of(self, extra):
        """Return the types asked for; None if the extra data are not as documented."""
        first = _FIRST_BYTES
        unused = extra[1:first]
        if extra[:1] != b"0" or unused not in (b" " * 29, b"0" * 29):
            return None
        count = extra[first : first + 2]
        rest = extra[first + 2 :]
        if not count.isdigit() or not rest.isdigit() or len(rest) != 3 * int(count):
            return None
        return tuple([int(rest[at : at + 3]) for at in range(0, len(rest), 3)])

    def _take_parameters(self, text, revision, named):
        session = self.session
        is_unknown = revision not in self.options.traces
        if session.rejects(named, (not self.types, 72), (self.parameters_revision, 71), (is_unknown, 76)):
            return
        if text[7:] != b"00":
            session.complain("0008: %s" % text)
        else:
            self.parameters_revision = revision
            session.accept(named)

    def _end(self, wanted, named):
        subscribed = self.types if wanted == 900 else self.parameters_revision
        if wanted == 900:
            self.types = ()
        self.parameters_revision = 0
        if not self.session.rejects(named, (not subscribed, 72)):
            self.session.accept(named)
