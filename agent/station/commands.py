"""Sends commands to a controller, one at a time, and writes each into the log before it goes out.

    WAITING --its turn--> OUT --0005, 0004, silence, the connection's end--> DONE
       | withdrawn before it went out: DONE, nothing was sent

Rules
1. Off unless the setting `commands` allows it. A result and its acknowledgement come first: a command goes out when no
   input waits and no request is outstanding, before a fetch of a missing result, and replaces one such fetch.
2. `sent` is in the log before the message goes out, the controller's answer follows: if only `sent` is found, after a
   power cut for example, no more is known. If the log has no room for both results and this, nothing is sent.
3. It is sent once. Without an answer, or when the connection ends first, it is `unknown` whether the controller did it,
   and it is never repeated automatically. A MID whose answer is owed is not sent again on this connection for DOUBT_MS:
   MID 0005 names only the MID, so the late answer would count for the next command. Once it has come it may be sent.
4. Between two commands there are REST_MS, so that an answer that comes twice is not taken for the next one's either.
5. The next way of a command (toolcart.agent.openprotocol.commands) is tried only if the controller does not know the
   one before.

Created only where the setting allows a command.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import fill, put_text
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.newest_event import append_event
from toolcart.agent.openprotocol import commands, error_codes, session_states
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.record import event as ev
from toolcart.agent.record.result import FLAG_EDGE_TIME, STAMP_BYTES

WAITING = const(0)
OUT = const(1)
DONE = const(2)

SENT = "sent"
ACCEPTED = "accepted"
REFUSED = "refused"
UNKNOWN = "unknown"
NOT_SENT = "not sent"

DOUBT_MS = const(60000)  # no controller answers later than that
REST_MS = const(1000)

_EVENT_BYTES = ev.EVENT_LEAST + ev.TEXT_MOST


class Order:
    """One command: what is sent for it, and its outcome."""

    def __init__(self, name, values, who):
        self.name = name
        self.values = values
        self.who = who
        self.words = " ".join([name] + values)
        self.state = WAITING
        self.turn = Timer()  # until when it may wait for its turn
        self.outcome = NOT_SENT
        self.why = ""  # in words, if there is more to say
        self.mid = 0  # the one sent last
        self.code = 0  # of MID 0004, or of 9998
        self.row = None
        self.ways = []
        self.is_noted = False  # `sent` is in the log
        self.is_written = False  # so is its outcome


class Commands:
    """The commands of one station; they come before its low-priority queries, `others` or None."""

    def __init__(self, allowed, intake, station):
        self.allowed = allowed
        self.order = None  # the last one taken
        self.count = 0  # sent since the start
        self._intake = intake
        self._others = others = intake.queries
        self.clock = others.clock if others is not None else None
        self.limits = others.limits if others is not None else None
        self._station = station
        self._rest = Timer()
        self._doubts = {}  # MID -> until when its answer may still come
        self._scheduler = None
        self._slot = 0

    def attach(self, scheduler, slot):
        """Set the slot that the intake runs in."""
        self._scheduler = scheduler
        self._slot = slot

    # -- giving orders -------------------------------------------------------------------------------------------

    def wrong(self, order):
        """Return why this order may not be given; "" if it may."""
        if commands.find(order.name) is None:
            return "there is no command %s; there are: %s" % (order.name, ", ".join(commands.NAMES))
        if order.name not in self.allowed:
            allowed = ", ".join(self.allowed)
            return "%s is not allowed: the setting controller.commands has %s" % (order.name, allowed)
        why = commands.wrong(commands.find(order.name), order.values)
        if not why and len(order.words) > ev.COMMAND_WORDS_BYTES:
            why = "the log has room for %d characters of a command" % ev.COMMAND_WORDS_BYTES
        return why

    def take_order(self, order, now):
        """Let it wait for its turn; return "" if it does, else why it cannot now."""
        self.settle(now)
        before = self.order
        if before is not None and before.state != DONE:
            return "another command is outstanding: %s, asked by %s" % (before.words, before.who)
        if before is not None and before.is_noted and not before.is_written:
            return "the log does not yet say what became of the last command: it has no room, or the flash refuses"
        session = self._intake.session
        if session.state != session_states.READY:
            return "the controller is away (%s); `toolcart status` says why" % session_states.STATE_NAMES[session.state]
        order.ways = commands.ways_of(commands.find(order.name), order.values, session.system_type)
        for way in order.ways:
            timer = self._doubts.get(way[0])
            if timer is not None and not timer.expired(now):
                text = "an answer to MID %04d is still owed: look at the controller, or wait %d s"
                return text % (way[0], timer.left(now) // 1000 + 1)
        self.order = order
        self.wake(now)
        return ""

    def withdraw(self, order, now):
        """Withdraw the order, unless it is outstanding; return True if nothing more of it will be sent."""
        if self.order is order and order.state == WAITING:
            if order.code:  # a way was tried that the controller does not know
                self._finish(order, REFUSED, now)
            else:
                order.state = DONE
        return order.state == DONE

    def wake(self, now):
        """Have the intake look at it at once."""
        self._intake.has_request_due = True
        self._scheduler.wake(self._slot, now)  # type: ignore - attached before anybody can ask

    def settle(self, now):
        """Check whether the connection ended before the answer, and write what could not be written before."""
        order = self.order
        if order is None:
            return
        if order.state == OUT:
            request = self._intake.session.request
            if not request.asked or request.row is not order.row:
                order.why = "the connection ended before the answer came"
                self._finish(order, UNKNOWN, now)
        elif order.state == DONE and order.is_noted and not order.is_written:
            order.is_written = self._write(order, order.outcome, now)

    # -- as low-priority queries (toolcart.agent.openprotocol.queries) ---------------------------------------------

    def opened(self, now):
        """Begin a session: answers owed by an earlier one will not come any more."""
        self.settle(now)
        self._doubts = {}
        if self._others is not None:
            self._others.opened(now)

    def look(self, session, now, left):
        """Give the other queries their turn: nothing else is asked."""
        return left if self._others is None else self._others.look(session, now, left)

    def ask_first(self, session, now):
        """Send the waiting order, if its turn has come; return True if it was sent."""
        self.settle(now)
        order = self.order
        if order is None or order.state != WAITING or order.turn.expired(now):  # nobody waits for it any more
            return False
        self._intake.has_request_due = True
        if (self._rest.armed and not self._rest.expired(now)) or not self._intake.flash_window.may_program():
            return False  # the giver of the order wakes us again
        if not order.is_noted:
            order.mid = order.ways[0][0]
            order.is_noted = self._write(order, SENT, now)
            if not order.is_noted:
                order.why = "the log has no room for it, or the flash refuses"
                return False
        order.mid, revision, data = order.ways.pop(0)
        order.row = commands.row_of(order.mid, data)
        order.state = OUT
        order.why = ""
        self.count += 1
        session.request.ask(order.row, order.mid, order.mid, revision, data, 1)
        return True

    def take(self, event, session, counters, now):
        """Take an EV_QUERY event: the answer to the request, or that there is none."""
        order = self.order
        if order is None or order.state != OUT:  # not by the row: at an orderly end MID 0003 has taken its place
            self._others.take(event, session, counters, now)
        elif event == session_states.EV_QUERY:
            order.code = 0
            self._finish(order, ACCEPTED, now)
        elif event == session_states.EV_QUERY_SILENT:
            timer = self._doubts[order.mid] = Timer()
            timer.start(now, DOUBT_MS)
            order.why = "the controller did not answer within %d ms" % session.response_timeout_ms
            self._finish(order, UNKNOWN, now)
        else:
            order.code = max(session.received.code, 0)
            order.why = "it gave no code" if session.received.code == error_codes.NO_CODE else ""
            if session.received.mid == 9998:
                order.why = "MID 9998: the header is not understood there"
            is_known = session.received.rejection not in (error_codes.REJECTED_REVISION, error_codes.REJECTED_NEVER)
            if is_known or not order.ways:
                self._finish(order, REFUSED, now)
            else:
                order.state = WAITING

    def came_late(self, session, now):
        """True if this answer was owed to a command; the log has it as unknown, as it was when its time was over."""
        if session.received.mid in (rq.DONE, rq.REJECTION) and session.received.named in self._doubts:
            del self._doubts[session.received.named]
            self._rest.start(now, REST_MS)
            return True
        return False

    # -- steps ---------------------------------------------------------------------------------------------------

    def _finish(self, order, outcome, now):
        order.state = DONE
        order.outcome = outcome
        self._rest.start(now, REST_MS)
        order.is_written = self._write(order, outcome, now)

    def _write(self, order, outcome, now):
        """Append an event with this outcome of the order; return False if it must wait."""
        intake = self._intake
        store = intake.store
        log = intake.log
        room_bytes = log.room_bytes + _EVENT_BYTES  # results have priority
        if (
            intake.cannot_store
            or not intake.flash_window.may_program()
            or not store.finish_replay()
            or not log.has_room(room_bytes)
        ):
            return False
        stage = log.stage
        at = log.payload_at
        ev.put_event(stage, at, log.next, self._station, ev.COMMAND)
        if order.code and outcome != SENT:
            code = b"%02d" % order.code
            ev.put_code(stage, at, code, 0, len(code))
        stamp = bytearray(STAMP_BYTES)
        store.clock.stamp_into(stamp)
        ev.put_time(stage, at, stamp, 0)
        text = at + ev.TEXT
        fill(stage, text, ev.TEXT_MOST)
        for place, width, words in (
            (ev.COMMAND_OUTCOME, ev.COMMAND_OUTCOME_BYTES, outcome),
            (ev.COMMAND_MID, 4, "%04d" % order.mid),
            (ev.COMMAND_WHO, ev.COMMAND_WHO_BYTES, order.who),
            (ev.COMMAND_WORDS, ev.COMMAND_WORDS_BYTES, order.words),
        ):
            octets = words.encode()
            put_text(stage, text + place, octets, 0, min(width, len(octets)))
        if append_event(log, FLAG_EDGE_TIME, ev.end_text(stage, at, ev.TEXT_MOST)) != LOG_DONE:
            return False
        store.counters.count(counter.EVENTS)
        intake.wake_outlets(now)
        return True
