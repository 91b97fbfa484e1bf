"""Sends every record of a station to an HTTP server, in batches that it confirms by number (docs/outlets.md).

    IDLE --records wait--> OPENING --> SENT --2xx that names a number--> IDLE
      ^                       |          |
      +------ HELD <----------+----------+  anything else: again after 1, 2, 4 .. 60 s, or as Retry-After says;
                                            from 1 s on with the first answer after none

Rules
1. A batch is a head and a line for each record (toolcart.agent.outlets.batch). Only a 2xx whose body names the log's
   identity and a number moves the cursor, to that number. Another identity, a number that was never sent or one that
   moves nothing is a failure. One batch is outstanding at a time.
2. If an answer was lost the batch is sent again: the server knows by the number what it has.
3. A number below the one confirmed before means that the server has lost something, or was restored. A cursor that was
   moved past what the server has not had is no such number (Snapshot.put_moved). That is counted and shown, and the
   server gets again what the log still has: the cursor goes back (toolcart.agent.outlets.redelivery). `after` is then
   the server's number, so that it sees a gap that remains. A number that was never sent brings all that there is as
   well, once until a number that can be: the server's database is another one, or newer than a log that was restored.
   A server that has lost something gets it without a pause, if the cursor moved since it lost something last.
4. Right after a start the server may be ahead of the cursor, up to the log's end: an earlier run may have sent more.
5. Nothing waits without a deadline: CONNECT_MS for the connection, `timeout_ms` for the whole answer. A batch that got
   none, or a refusal, may be too much for the way or the server, or have one record that it cannot take: half of it
   goes out next, one more with each that is taken. Behind 413 no more go out than half of that, until TRIED_LEAST of
   these were taken: then twice as many may, and if that was too large as well, behind twice as many as before.
6. A receipt is plain JSON, with or without a byte order mark. What is not as it should be is said with what came.
7. If the server closes a connection that was used before, and does not answer, it is opened again at once, but only
   once: it was free to close it. Silence, and a way that is gone, are failures as on any connection. A redirection is
   not followed: it could send a secret anywhere.
"""

import json
from decimal import Decimal, InvalidOperation

from toolcart.agent.base import counters as counter
from toolcart.agent.base.connection_fault import ConnectionFault
from toolcart.agent.base.ticks import FOREVER, Backoff, Timer
from toolcart.agent.link import port as ports
from toolcart.agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN
from toolcart.agent.linux import Outlet, http_fields
from toolcart.agent.linux import http_client as hc
from toolcart.agent.linux.http_client import ASKED, BROKEN, READY, HttpClient
from toolcart.agent.linux.http_fields import printable
from toolcart.agent.linux.json_line import ExtendedLine
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.refound_damage import count_between
from toolcart.agent.outlets.batch import Batch, identity_of
from toolcart.agent.outlets.redelivery import Redelivery

CPYTHON_ONLY = True  # a board has ToolsNet

OCTETS_MOST = 262144  # of a batch; only its last record may go beyond
CONNECT_MS = 5000
IDLE_MS = 15000  # until a connection without traffic is closed
SHUTDOWN_MS = 3000
RETRY_LEAST_MS = 1000
RETRY_MOST_MS = 60000
RETRY_AFTER_MOST_MS = 3600000
MISSING = "h11 is not installed: the extra `webhook` of toolcart brings it, Debian's package is python3-h11"
READS_A_STEP = 8
TRIED_LEAST = 128  # batches
TRIED_MOST = 4096
MOST = 9007199254740991  # of a receipt's number: up to there every JSON library has whole numbers exactly (RFC 8259, 6)

IDLE = 0
OPENING = 1
SENT = 2
HELD = 3
STATE_NAMES = ("waiting for records", "connecting", "sending", "trying again later")
WAITS_FOR_FLASH = "waiting for the flash or disk"  # in place of the first and the last
NO_ANSWER = "no answer"  # in place of what came: nothing, or not all in time

_NEVER_SENT = (
    "its answer names a number that was never sent: %d; its database is another one, or newer than this spool, which "
    "was restored: it is sent all from the oldest on, and "
)
_OF_THE_WAY = (ports.WHY_TIMED_OUT, ports.WHY_NO_ROUTE, ports.WHY_NO_NETWORK)  # no server has closed it


class _Written(str):
    """A number of JSON as it was written, NaN and Infinity too: converted it could be another one, or none."""


class _Members(dict):
    """An object of JSON; `twice` has those of our names that are there more than once: any may be meant."""

    def __init__(self, pairs):
        dict.__init__(self, pairs)
        names = [name for name, _ in pairs]
        self.twice = [name for name in ("identity", "number") if names.count(name) > 1]


_TYPES = {_Members: "an object", list: "a list", str: "a text", bool: "true or false", _Written: "a number"}


def receipt_in(body):
    """Return ((identity, number), "") of an answer's body; (None, what is wrong with it) if it is no receipt."""
    try:
        text = body.decode("utf-8-sig")
        receipt = json.loads(
            text, parse_int=_Written, parse_float=_Written, parse_constant=_Written, object_pairs_hook=_Members
        )
    except (ValueError, RecursionError):
        return None, "JSON is expected, and this came: " + http_fields.excerpt(body)
    if not isinstance(receipt, _Members):  # json makes no other object
        return None, "an object is expected, and %s came" % _TYPES.get(type(receipt), "null")
    for name, wanted in (("identity", str), ("number", _Written)):
        if name in receipt.twice:
            return None, "`%s` is there twice" % name
        if name not in receipt:
            return None, "`%s` is missing" % name
        if type(receipt[name]) is not wanted:
            came = _TYPES.get(type(receipt[name]), "null")
            return None, "`%s` has to be %s, and is %s" % (name, _TYPES[wanted], came)
    number = whole(receipt["number"])
    if number is None:
        return None, "`number` has to be a whole one from 0 to %d: it is %s" % (MOST, printable(receipt["number"]))
    return (receipt["identity"], number), ""


def whole(written):
    """Return the number that JSON writes so (`12`, `12.0`, `12e0`); None if it is not a whole one from 0 to MOST."""
    try:
        number = Decimal(written)
    except InvalidOperation:  # an exponent of 19 digits
        return None
    if not number.is_finite() or number.is_signed() or number > MOST or number != number.to_integral_value():
        return None
    return int(number)


class BatchLimit:
    """How many records a batch may have: `most`, as far as no answer 413 has said less, and what it was proven by."""

    def __init__(self, records):
        self.most = self.full = records
        self.taken = 0  # batches of that length, since it changed
        self.tried_behind = TRIED_LEAST
        self.is_trial = False  # it was raised, and not proven since

    def was_too_large(self, records):
        """The server says so of a batch; half of it had these records."""
        if self.is_trial:
            self.tried_behind = min(2 * self.tried_behind, TRIED_MOST)
        self.is_trial = False
        self.most = records
        self.taken = 0

    def was_taken(self, count):
        """The server has a batch of so many records."""
        if count < self.most or (self.most == self.full and not self.is_trial):
            return
        self.taken += 1
        if self.taken >= self.tried_behind:
            if self.is_trial:
                self.tried_behind = TRIED_LEAST
            self.is_trial = self.most < self.full
            self.most = min(2 * self.most, self.full)
            self.taken = 0


class Confirmed:
    """What the server was sent since the start, and what it said to that."""

    def __init__(self):
        self.after = 0  # the number that it confirmed last
        self.before = 0  # where the cursor was when the outstanding batch was made
        self.last = 0  # number of the outstanding batch
        self.highest = 0  # that was ever sent
        self.is_met = False  # it has confirmed something
        self.is_silent = False  # the last attempt brought no answer
        self.batches = 0  # that it confirmed
        self.behind = 0  # how often it named a number below the cursor
        self.behind_at = -1  # where the cursor was then
        self.alarms = 0  # answers that named another identity, or a number that was never sent
        self.started_over = False  # one named a number that was never sent, and it gets all there is for that

    def confirms(self, number):
        """The server has the batch up to this number."""
        self.after = number
        self.is_met = True
        self.started_over = False
        self.batches += 1


class WebhookOutlet(Outlet):
    """One address for one station."""

    kind = "webhook"
    longest_ms = RETRY_AFTER_MOST_MS
    records_most = 100  # in a batch: one commit of a usual database; fewer after a failure
    timeout_ms = 30000  # for a whole answer: what servers and the proxies before them allow

    def __init__(self, log, index, port, counters, owner, settings, address):
        self.log = log
        self.index = index
        self.port = port
        self.counters = counters
        self.cursor = log.cursors[index]
        self.state = IDLE
        self.attempts = 0
        self.confirmed = Confirmed()
        self.redelivery = Redelivery(log, self.cursor)
        self.fault = ConnectionFault()  # of the way to the server
        self.why = ""  # what the server itself does
        self.why_kind = ""  # the same while only what the server says differs
        self.unusable = ""
        self.wall_s = None  # returns our clock, seconds since 1970
        self._address = address
        self._http = HttpClient(self.timeout_ms)
        self._identity = identity_of(log.state)
        self._largest = BatchLimit(self.records_most)
        self._batch = Batch(ExtendedLine(bytearray(8192)), 0, owner, self._identity, self.records_most, OCTETS_MOST)
        self._authorization = http_fields.authorization(settings["token"], settings["user"], settings["password"])
        self._scout = Cursor()
        self._scout.wants = self.cursor.wants
        self._hold = Timer()
        self._opening = Timer()
        self._rest = Timer()  # until a connection without traffic is closed
        self._shutdown_timer = Timer()
        self._retry = Backoff(RETRY_LEAST_MS, RETRY_MOST_MS)
        self._is_used = False  # the connection has brought an answer
        self._stopping = False

    def begin(self, now):
        """Begin at the cursor: the log is mounted."""
        self.confirmed.after = self.log.state.confirmed(self.cursor)
        self.redelivery.begin()

    def begin_shutdown(self, now):
        """Begin no batch from now on; the outstanding one may still be answered."""
        self._shutdown_timer.start(now, SHUTDOWN_MS)

    def may_stop(self, now):
        """True if nothing is outstanding, or its time is over."""
        return self.state != SENT or self._shutdown_timer.expired(now)

    def stop(self):
        """Close the connection and make the cursor durable."""
        self._stopping = True
        self._hang_up()
        if not self.log.state.save_cursor(self.cursor):
            self.counters.count(counter.NOT_SAVED)

    def reset_after_fault(self, now):
        """Open a new connection, after a fault."""
        self.counters.note(counter.FAULTS, 2, now)
        self._fail("a fault of the agent; its log says more", now)

    def connect_now(self, now):
        """Try at once: the network is up."""
        if self.state == HELD:
            self._hold.start(now, 0)

    def is_up(self):
        """True if the server took what it was given last, or nothing was to be given since the start."""
        has_proven = self.confirmed.is_met or not self.log.backlog_of(self.cursor)
        return has_proven and not (self._stopping or self.fault.why or self.why or self.unusable)

    def put_state(self, report):
        report["state"] = STATE_NAMES[self.state]
        # While the flash refuses nothing is tried: how the last attempt ended may not be so any more.
        waits_for_flash = report.get("waits_for_flash") and not self.unusable
        if waits_for_flash and self.state in (IDLE, HELD):
            report["state"] = WAITS_FOR_FLASH
        address = self._address
        path, mark, _ = address.path.partition("?")  # a query may hold a token
        scheme = "https" if address.is_secure else "http"
        report["place"] = "%s://%s%s%s" % (scheme, address.name, path, mark and "?...")
        report["why_code"] = self.fault.code
        if waits_for_flash:
            report["why_code"], report["why"], report["why_kind"] = 0, "", ""
        elif not self.fault.why:
            report["why"] = self.unusable or self.why
            report["why_kind"] = self.unusable or self.why_kind
        report["batches_sent"] = self.confirmed.batches
        report["server_behind"] = self.confirmed.behind
        report["alarms"] = self.confirmed.alarms
        report["given_again"] = self.redelivery.given

    def step(self, now):
        """Go on with the outstanding batch or begin the next; return the ms until there may be more."""
        if self._stopping:
            return FOREVER
        if self.unusable == MISSING and not hc.is_missing():
            self.unusable = ""  # it was installed meanwhile
        if self.unusable:
            self.attempts += 1
            return RETRY_MOST_MS
        if self.state == HELD:
            if not self._hold.expired(now):
                return self._hold.left(now)
            self.state = IDLE
        if self.state == OPENING:
            return self._look_at_port(now)
        if self.state == SENT:
            return self._exchange(now)
        if not self.log.state.ensure_reliable():
            return RETRY_LEAST_MS  # the log cannot be relied on yet
        self.log.settle()  # without room for it what is in front of the record in doubt goes out, and makes room
        return self._begin_batch(now)

    # -- the next batch ------------------------------------------------------------------------------------------

    def _begin_batch(self, now):
        """Write the next batch and send it."""
        if self._shutdown_timer.armed:
            return FOREVER
        scout, log, batch = self._scout, self.log, self._batch
        scout.stand_at(self.cursor)
        batch.clear()
        kind = log.peek(scout)
        while kind > RECORD_NONE and batch.add(log.page, log.at, kind, log.flags, log.length):
            scout.advance()
            kind = log.peek(scout)
        if batch.count == 0:
            left = self._rest_on_connection(now) if kind == RECORD_NONE else RETRY_LEAST_MS
            return min(left, RETRY_LEAST_MS) if log.doubtful else left
        self.confirmed.before, self.confirmed.last = self.cursor.number, scout.number
        self.redelivery.forget_out()
        self.redelivery.put_out(scout.number)
        self._rest.stop()
        if self.port.state() == PORT_OPEN and self._http.state == READY:
            return self._send(now)
        return self._open(now)

    def _rest_on_connection(self, now):
        """Keep the idle connection for a while, and notice when the server closes it."""
        if self.port.state() == PORT_CLOSED:
            return FOREVER
        if not self._rest.armed:
            self._rest.start(now, IDLE_MS)
        if self._rest.expired(now) or self.port.readinto(self._http.inlet, len(self._http.inlet)) != 0:
            self._hang_up()
            return FOREVER
        return self._rest.left(now)

    # -- the connection ------------------------------------------------------------------------------------------

    def _open(self, now):
        self.attempts += 1
        self._is_used = False
        self._http.opened()
        self.port.open(self._address.host, self._address.number)
        self._opening.start(now, CONNECT_MS)
        self.state = OPENING
        return self._look_at_port(now)

    def _look_at_port(self, now):
        if self._shutdown_timer.armed:
            self._hang_up()
            self.state = IDLE
            return FOREVER
        state = self.port.state()
        if state == PORT_OPEN:
            return self._send(now)
        if state == PORT_CLOSED:
            return self._fail("", now)
        if self._opening.expired(now):
            return self._fail("", now)
        return self._opening.left(now)

    def _hang_up(self):
        self.port.close()
        self._rest.stop()

    def _send(self, now):
        """Send the batch that was written; `after` is what the server confirmed last."""
        n = self._batch.seal(self.confirmed.after, self.confirmed.last)
        start = self._batch.start
        body = bytes(self._batch.line.buf[start : start + n])
        self.confirmed.highest = max(self.confirmed.highest, self.confirmed.last)
        self._http.ask(self._address, self._authorization, body, now)
        self.state = SENT
        return self._exchange(now)

    def _exchange(self, now):
        """Write what is left and read what came; return the ms until there may be more."""
        http, port = self._http, self.port
        while http.outgoing:
            n = port.write(http.outgoing, 0, len(http.outgoing))
            if n <= 0:
                break  # PORT_LOST shows when reading: what the server said before it closed is worth knowing
            http.sent(n)
        n = 0
        for _ in range(READS_A_STEP):
            n = port.readinto(http.inlet, len(http.inlet))
            if n == PORT_LOST:
                http.ended()
            elif n > 0:
                http.receive(n)
            if n <= 0 or http.state != ASKED:
                break
        left = http.tick(now)
        if http.state == ASKED:
            return 0 if n > 0 else left
        return self._answered(now)

    # -- what the server says ------------------------------------------------------------------------------------

    def _answered(self, now):
        http = self._http
        if http.state == BROKEN and self._is_used and http.has_ended and self.port.why not in _OF_THE_WAY:
            self._hang_up()
            return self._open(now)  # rule 7
        if http.status and self.confirmed.is_silent:
            self.confirmed.is_silent = False
            self._retry.reset()
        if http.state == BROKEN:
            self._send_less()
            return self._fail(http.why, now)
        self._is_used = True
        if http.state != READY or http.outgoing:
            self._hang_up()
        if 200 <= http.status < 300:
            return self._take_receipt(now)
        return self._refused(now)

    def _take_receipt(self, now):
        http, confirmed = self._http, self.confirmed
        if http.coding:
            return self._fail("its answer is coded as %s, which was not asked for" % printable(http.coding), now)
        receipt, wrong = receipt_in(http.body)
        if wrong:
            return self._fail("its answer %d names no receipt, as %s" % (http.status, wrong), now)
        identity, number = receipt
        if identity != self._identity:
            confirmed.alarms += 1
            return self._fail(
                "its answer names another spool: %s" % (printable(identity) or "nothing that can be shown"), now
            )
        sent = confirmed.highest if confirmed.is_met else max(confirmed.highest, self.log.next - 1)
        if self.log.number < number <= sent:  # of a newest block that is lost: a start has skipped its numbers
            number = self.log.number
        if self.redelivery.is_above(number, sent):
            return self._is_above(number, now)
        if number < confirmed.after:
            confirmed.behind += 1
            has_moved, confirmed.behind_at = self.cursor.number > confirmed.behind_at, self.cursor.number
            self._lacks(number)
            why = "the server has lost something: it has records up to %d only" % number
            return self._fail(why, now, at_once=has_moved)
        if number == confirmed.after and number < confirmed.last:
            return self._fail("it took nothing: its answer names %d" % number, now)
        self.redelivery.confirm(max(confirmed.after, confirmed.before), number)
        confirmed.confirms(number)
        self.why = self.why_kind = ""
        self.fault.over()
        self._retry.reset()
        self._largest.was_taken(self._batch.count)
        self._batch.records_most = min(self._batch.records_most + 1, self._largest.most)
        self.state = IDLE
        if number >= self.cursor.number:
            if number > confirmed.last:
                count_between(self.log, max(confirmed.last, self.cursor.number), number)
            self.log.seek(self.cursor, number)
            self.log.state.put_confirmed(self.cursor)
        if self.redelivery.unsaved:
            self._save()
        return 0

    def _lacks(self, number):
        """The server has lost what comes after `number` of what it had."""
        self.redelivery.lose(number, max(self.confirmed.after, self.log.state.confirmed(self.cursor)))
        self.confirmed.after = number
        self._save()

    def _save(self):
        """Make durable where the cursor is, and what is missed for a number that was never sent."""
        if not self.redelivery.save():
            self.counters.count(counter.NOT_SAVED)

    def _is_above(self, number, now):
        """The answer names what was never sent: another database, or one that is newer than this log."""
        confirmed = self.confirmed
        confirmed.alarms += 1
        if confirmed.started_over:
            self._save()
        else:
            confirmed.started_over = True
            self._lacks(0)
        return self._fail(_NEVER_SENT % number + self.redelivery.above_words(), now)

    def _refused(self, now):
        """Handle an answer that is not a success."""
        http = self._http
        status = http.status
        self._send_less()
        if status == 413:
            self._largest.was_too_large(self._batch.records_most)
        words = "what it says is coded as " + printable(http.coding) if http.coding else http_fields.excerpt(http.body)
        why = "it answers %d: %s" % (status, words)
        if 300 <= status < 400 and "location" in http.fields:
            place = http.fields["location"][:200]
            why = "it answers %d and points elsewhere, which is not followed: %s; is `url` right?" % (status, place)
        wait_ms = min(http_fields.retry_after_ms(http.fields, self.wall_s), RETRY_AFTER_MOST_MS)
        if wait_ms:
            why += "; it asks for a pause (Retry-After), and gets nothing for %d s" % (-(-wait_ms // 1000))
        return self._fail(why, now, wait_ms)

    def _send_less(self):
        """Make batches half as long as this one."""
        self._batch.records_most = (self._batch.count + 1) // 2

    def _fail(self, why, now, wait_ms=0, at_once=False):
        """Hang up, and try again later; without `why` it is the way to the server that fails."""
        way = 0 if why else self.port.why or ports.WHY_TIMED_OUT
        self.fault.set(way, self.state, self.port.why_code if way else 0, 0, 0)
        self._hang_up()
        self.why = why
        self.why_kind = NO_ANSWER if self._http.is_late else why.partition(": ")[0]
        self.attempts += 1
        self.counters.note(counter.OUTLET_FAILED, self.index, now)
        self.state = HELD
        self.confirmed.is_silent = not self._http.status
        self._hold.start(now, 0 if at_once else max(wait_ms, self._retry.next()))
        return self._hold.left(now)
