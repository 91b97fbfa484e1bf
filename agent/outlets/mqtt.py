"""An MQTT broker as an outlet; a consumer behind it stores what comes: batches of records (docs/outlets.md).

Rules
1. With `confirm` consumer the cursor goes to the number of a receipt, and past what is no result behind it once that
   has its PUBACK; a PUBACK of results only frees the window. With broker a PUBACK moves it, and receipts are neither
   subscribed to nor heard.
2. What is outstanding is in the log alone: a scout reads ahead of the cursor, and goes back to the last receipt when
   no newer one comes in time, and with each connection. A receipt that comes twice moves nothing, one for what was sent
   before the scout went back moves the cursor past that.
3. Without a receipt in time one batch goes out at a time, after ever longer pauses, until one comes. From the second
   pause on SUBSCRIBE goes out with each: the broker may have forgotten it. What it has kept, and names nothing new, is
   no receipt then.
4. A receipt counts if it has our identity and a number not above all that was sent, or was in the log at the start. One
   above raises an alarm, moves nothing, and brings all that there is once; one below means a consumer that was set
   back: it gets what is still there.
5. What was not confirmed may have been too much for the queue that the broker has for the consumer: then fewer batches
   are out (toolcart.agent.outlets.mqtt_batch_window). If one was out alone, or the connection ended, it may have been
   too much for the way or for the broker: batches have half as many records then, and one more with each that is
   confirmed. Where that shows a limit, they stay below it (toolcart.agent.outlets.mqtt_message_size). A broker says
   nothing of either.
6. A message that is not a batch is done with when it has its PUBACK and all results before it are confirmed.
7. It writes to the flash only while the controller's line is quiet.
8. A connection that ends before the first retained message has its PUBACK, or before the CONNACK while the will is to
   be retained, ended perhaps for that: some brokers allow none, and say it by nothing else. It is told with the reason,
   unless this broker has taken both since the start.
9. A connection that stood leaves the reason of its end until what was out first, the state if nothing was, has its
   PUBACK, or another message of its kind: neither a connection, nor a receipt, nor the PUBACK of another kind shows
   that the broker is well. Results that one connection was lost with may have a receipt instead, as the broker is
   perhaps not to blame, but not those of the next one that ends before a PUBACK.
10. With `confirm` broker nobody says after a power cut what has arrived: the cursor is saved each SAVED_EACH numbers.
    With each one the flash would be erased more often for that than for the results.
"""

# First, because imports nest (toolcart.agent.cart.app).
from toolcart.agent.mqtt import session as ms
from toolcart.agent.mqtt.receipt import Receipt

# isort: split
from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import holds, number
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.link.port import WHY_ENDED, WHY_RESET
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.mqtt.packets import DUP, RETAIN, connect_packet, front_bytes, subscribe_packet
from toolcart.agent.outlets import Connection
from toolcart.agent.outlets.batch import HEAD_MOST, Batch, identity_of
from toolcart.agent.outlets.mqtt_message_size import MessageSize
from toolcart.agent.outlets.mqtt_receipts import LONGEST, RECEIPT_BELOW, RECEIPT_LATE, RECEIPT_NEWS, Receipts
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record.json_line import Line

LINE_WAIT_MS = const(5)  # until a serial line is asked again whether the flash may be used
RETRY_MS = const(1000)  # until what could not be read or written is tried again
RECONNECT_MS = const(60000)
KEEPALIVE_S = const(30)
ACK_TIMEOUT_MS = const(10000)
SAVED_EACH = const(32)
AHEAD = const(8)  # windows that may be without a receipt: a broker's queue has room for as many as a rule
BOARD_OCTETS = const(4200)  # of a batch on a board: the longest frame, each byte escaped, fits by itself

_ANNOUNCED = const(1)  # the state topic says that we are online
_ANNOUNCED_FOR_SURE = const(2)  # and the broker has that

# What has no PUBACK, by kind (rule 9); the reason is that of the highest
_STATE = const(1)
_EXTRA = const(2)
_RESULTS = const(4)  # and alarms

# How connections have ended since the last PUBACK for results that were out
_LOST_ONCE = const(1)
_UNACKNOWLEDGED = const(2)

# What came to the receipts' topic and is no right receipt, by how much it says (toolcart.agent.mqtt.status)
_OTHER = const(1)
_UNREADABLE = const(2)
_ABOVE = const(3)

_NUMBER_DIGITS = const(9)
_TOO_LARGE = const(0x3FFFFFFF)


class Counts:
    """What is counted since the start, by the names that status shows; its `skipped` is the sum of two."""

    def __init__(self):
        self.batches = self.resent = 0
        self.unpublished = 0  # records of a kind that it does not publish
        self.unexpected = 0  # messages on another topic, and PUBACKs for nothing that is out
        self.receipts = self.receipts_other = self.receipts_unreadable = 0
        self.receipts_above = self.receipts_below = 0


class Mqtt(Connection):
    """One broker of one station; what is common to boards and Linux."""

    kind = "mqtt"
    times = None
    octets_most = BOARD_OCTETS
    receipt_bytes = ms.RECEIPT_BYTES
    records_most = 32  # in a message, so that a consumer's commit is worth its time; a board has room for about five
    window = 4  # messages without a PUBACK: that fills a long way, and no broker's queue
    receipt_timeout_ms = 10000  # pause without a receipt after which they are sent again: a consumer's slow commit

    def __init__(self, port, line, station, index, settings, owner):
        log = station.log
        self.index = index
        self.log = log
        self.counters = station.counters
        self.flash_window = station.flash_window
        self.cursor = log.cursors[index]
        self.host = settings["host"]
        self.port_number = settings["port"]
        self.identity = identity_of(log.state)
        needs_receipt = settings["confirm"] == "consumer"
        retain = RETAIN if settings.get("retain", True) else 0
        self.topics = topics = Topics(topic_of(settings, owner[1], owner[2]), self.identity, retain)
        more = "" if needs_receipt else ',"confirm":"broker"'  # no consumer makes that anything is sent again
        self.batch = Batch(line, topics.before, owner, self.identity, self.records_most, self.octets_most, more)
        client = "toolcart-%d-%d" % owner[1:]
        if settings["name"] != self.kind:  # a broker ends the older of two connections with one identifier [3.1.4-2]
            client += "-" + settings["name"]
        session = _session(settings, topics, client, needs_receipt, self.window, self.receipt_bytes)
        Connection.__init__(self, port, session)
        self.progress = Receipts(log, self.cursor, needs_receipt, AHEAD * self.window, self.receipt_timeout_ms)
        self.longest_ms = max(RECONNECT_MS, LONGEST * self.receipt_timeout_ms)
        self.receipt = Receipt()
        self.counts = Counts()
        self.failure = ms.EV_NONE  # how the last connection ended
        self.limit = MessageSize()
        self.without_puback = 0  # _STATE .., what the broker has to acknowledge before it is well
        self.reason = ms.EV_NONE  # how the connection ended that this is known from
        self._results_ended = 0  # or _LOST_ONCE ..
        self._announced = 0  # or _ANNOUNCED ..
        self._retains = False  # the broker has taken what is retained since the start

    # -- the contract of outlets -------------------------------------------------------------------------------

    def begin(self, now):
        """The log is mounted: connect."""
        self.progress.begin()
        self.session.start(now)

    def is_up(self):
        """True if the broker takes batches, and the consumer answers."""
        return self.session.state == ms.UP and not self.progress.is_overdue and not self.without_puback

    def attach(self, scheduler, slot):
        """No order wakes it: it takes none."""

    def needs_operator(self):
        """Return False: a broker needs an operator only for what `why` says."""
        return False

    def connect_now(self, now):
        """The network is there now: do not wait for the next attempt."""
        self.session.connect_now(now)

    def may_stop(self, now):
        """True if the broker has been left, or does not answer."""
        state = self.session.state
        return self._shutdown_timer.expired(now) or (state != ms.UP and state != ms.LEAVING)

    def stop(self):
        """Close, and make durable how far it is."""
        Connection.stop(self)
        if not self.log.state.save_cursor(self.cursor):
            self.counters.count(counter.NOT_SAVED)

    def reset_after_fault(self, now):
        """After a fault: begin with a new connection."""
        self.counters.note(counter.FAULTS, 2, now)
        self.hang_up()
        self.connection_lost(self.session.closed(now), now)

    def put_state(self, report):
        """Add what people want to know."""
        from toolcart.agent.mqtt.status import put_outlet  # only when it is shown

        put_outlet(report, self)

    # -- what only Linux has (toolcart.agent.linux.mqtt) ----------------------------------------------------------

    def publish_other(self, kind, now):
        """Publish the record that `peek` has found, which is neither result nor frame; boards keep no others."""
        self.counts.unpublished += 1
        self.progress.scout.advance()

    def publish_extra(self, now) -> bool:
        """Publish something of another log; True if it did."""
        return False

    def acked_extra(self):
        """What `publish_extra` published has its PUBACK."""

    def forget_extra(self):
        """What `publish_extra` published is no longer outstanding."""

    # -- what goes out -----------------------------------------------------------------------------------------

    def send_next(self, now):
        """Publish what comes next, if anything may; return the ms until there may be more."""
        left = self._look_at_receipts(now)
        return min(left, self._publish_next(now)) if self.session.can_send() else left

    def _publish_next(self, now):
        if self._shutdown_timer.armed:
            return self._say_goodbye(now)
        if not self._announced:
            self._announced = _ANNOUNCED
            self._publish_state(self.topics.online, now)
            return FOREVER
        log = self.log
        if not log.state.is_reliable or log.doubtful or self._is_place_unsaved():
            left = self._settle_log()
            if left:
                return left
        progress = self.progress
        if not progress.may_send():
            return FOREVER
        kind = self._gather(now)
        if self.batch.count:
            self._publish_batch(now)
            return FOREVER
        if kind > RECORD_NONE:
            self.publish_other(kind, now)
            return 0
        progress.confirm(self.session.window.count)
        if kind < RECORD_NONE or log.doubtful:
            return RETRY_MS
        return FOREVER if not self.publish_extra(now) else 0

    def _is_place_unsaved(self):
        """True if the cursor went back behind where the last snapshot has it, or rule 10 wants another one.

        Also while the consumer has a number that was never sent, and that is not durable.
        """
        if self.progress.redelivery.unsaved:
            return True
        ahead = self.cursor.number - self.log.state.durable[self.cursor.slot]
        return ahead < 0 or (ahead >= SAVED_EACH and not self.progress.needs_receipt)

    def _settle_log(self):
        """Make certain what the log says; return the ms until that may be tried again, 0 if more may go out now.

        Without room to settle the last record what is in front of it goes out, and makes room.
        """
        log = self.log
        quiet = self.flash_window
        if quiet is not None and not quiet.may_erase():
            return LINE_WAIT_MS
        if log.state.save() if self._is_place_unsaved() else log.state.ensure_reliable():
            self.progress.redelivery.unsaved = False
            log.settle()
            return 0
        self.counters.count(counter.NOT_SAVED)
        return RETRY_MS

    def _gather(self, now):
        """Put the next records into the batch; return the kind of what ended it, below RECORD_NONE if unreadable."""
        log = self.log
        scout = self.progress.scout
        batch = self.batch
        batch.clear()
        batch.limit = self.limit.look(now)
        while True:
            if log.peek_staged(scout):
                if not batch.add(
                    log.stage, log.payload_at, KIND_RESULT, log.staging.staged_flags, log.staging.staged_length
                ):
                    return KIND_RESULT
            else:
                kind = log.peek(scout)
                if kind != KIND_RESULT and kind != KIND_RAW:
                    return kind
                if not batch.add(log.page, log.at, kind, log.flags, log.length):
                    return kind
            scout.advance()

    def _publish_batch(self, now):
        batch = self.batch
        progress = self.progress
        last = progress.scout.number
        batch.seal(progress.after, last)
        flags = DUP if last <= progress.sent else 0
        self.publish(batch.line.buf, batch.line.end, self.topics.results, flags, last, now, batch.start)
        progress.put_sent(now)
        self.limit.put_sent(last, batch.line.end - batch.start, batch.count)
        self.counts.batches += 1

    def _send_less(self, now):
        batch, limit = self.batch, self.limit
        if 0 < limit.records < batch.records_most:
            batch.records_most = limit.records
        limit.put_failed(now, self.progress.last_result)
        batch.records_most = (batch.records_most + 1) // 2

    def _send_more(self, is_late=False):
        batch, limit = self.batch, self.limit
        if is_late:
            batch.records_most = max(batch.records_most, limit.put_late(self.progress.base))
        limit.put_confirmed(self.progress.base)
        if batch.records_most < self.records_most:
            batch.records_most += 1

    def _publish_state(self, text, now):
        self.publish(text, len(text), self.topics.state, self.topics.retain, 0, now)

    def publish(self, buf, end, topic, flags, tag, now, start=-1):
        """Publish buf[start:end], or what comes after the room for a header."""
        self.session.publish(buf, self.topics.before if start < 0 else start, end, topic, flags, tag, now)

    def _say_goodbye(self, now):
        session = self.session
        if session.window.count == 0 and self._announced:
            self._announced = 0
            self._publish_state(self.topics.offline, now)
        elif session.window.count == 0:
            session.leave()
        return FOREVER

    # -- what comes back ---------------------------------------------------------------------------------------

    def take_events(self, now):
        """Hear what the session says, until it says nothing more."""
        session = self.session
        while True:
            event = session.next_event(now)
            if event == ms.EV_NONE:
                return
            if event == ms.EV_ACKED:
                self.progress.put_acked(session.tag, session.window.count)
                if self.without_puback:
                    self._shows_well(_kind_of(session.tag))
                if session.tag > 0:
                    self._results_ended = 0
                    if not self.progress.needs_receipt:
                        self._send_more()
                if session.tag < 0:  # the state has 0, what is of another log less
                    self.acked_extra()
                elif session.tag == 0 and self._announced:
                    self._announced = _ANNOUNCED_FOR_SURE
                    self._retains = True
            elif event == ms.EV_MESSAGE:
                self._take_receipt(now)
            elif event == ms.EV_UP:
                self._shows_well(0)
                if self.progress.go_back(session.window.count) == RECEIPT_BELOW:
                    self.counts.receipts_below += 1
            elif event == ms.EV_SKIPPED or event == ms.EV_FOREIGN:
                self.counts.unexpected += 1
            else:
                self.connection_lost(event, now)

    def _look_at_receipts(self, now):
        """Go back if no receipt has come in time; return the ms until that may be due."""
        progress = self.progress
        timer = progress.timer
        is_up = self.session.state == ms.UP
        if not is_up or not timer.expired(now):
            return timer.left(now) if is_up and timer.armed else FOREVER
        if self.session.window.count > progress.stale_pubacks_expected:
            timer.start(now, progress.wait_ms)  # the broker does not have it: that has a deadline of its own
            return progress.wait_ms
        self.attempts += 1
        was_overdue = progress.is_overdue
        if progress.last_result > progress.base:
            self.counts.resent += 1
            if progress.batch_window.put_silence():
                self._send_less(now)
            else:
                self.limit.put_dropped()
        if progress.put_silence(self.session.window.count) == RECEIPT_BELOW:
            self.counts.receipts_below += 1
        if was_overdue:
            self.session.subscribe_again()
        elif progress.is_overdue:
            self.counters.note(counter.OUTLET_FAILED, self.index, now)
        return 0

    def _take_receipt(self, now):
        """Take a receipt: {"identity":"3fa9c1d2","number":1208}, whatever else is in it."""
        session = self.session
        counts = self.counts
        progress = self.progress
        buf = session.incoming.buf
        at = session.message_at
        end = at + session.message_bytes
        receipt = self.receipt
        if not receipt.read(buf, at, end):
            counts.receipts_unreadable += 1
            progress.odd = max(progress.odd, _UNREADABLE)
            return
        value = _TOO_LARGE
        if receipt.digits <= _NUMBER_DIGITS:
            value = number(buf, receipt.number, receipt.digits)
        if not holds(buf, receipt.identity, self.topics.identity):
            counts.receipts_other += 1
            progress.odd = max(progress.odd, _OTHER)
        elif progress.is_above(value):
            counts.receipts_above += 1
            self.counters.note(counter.OUTLET_FAILED, self.index, now)
            progress.odd = max(progress.odd, _ABOVE)
            progress.put_above(session.window.count)
        elif not (session.is_retained and session.state == ms.UP and value == progress.receipt):
            self._received(value, now)

    def _received(self, value, now):
        counts = self.counts
        counts.receipts += 1
        self.attempts += 1
        outcome = self.progress.put_receipt(value, self.session.window.count, now)
        if outcome == RECEIPT_NEWS or outcome == RECEIPT_LATE:
            self._shows_well(_RESULTS if self._results_ended == _LOST_ONCE else 0)
            self._send_more(outcome == RECEIPT_LATE)
        elif outcome == RECEIPT_BELOW:
            counts.receipts_below += 1

    # -- the connection ----------------------------------------------------------------------------------------

    def _shows_well(self, kind):
        """Nothing of this kind is without a PUBACK any more: forget the reason if nothing else is."""
        self.without_puback &= ~kind
        if not self.without_puback:
            self.failure = ms.EV_NONE
            self.fault.over()

    def address_for(self, command, now):
        """Return the broker's address if the session wants to go there."""
        return (self.host, self.port_number) if command == ms.CMD_OPEN else None

    def connection_lost(self, event, now):
        """The connection is gone: what was out may or may not have arrived."""
        if event == ms.EV_NONE:
            return
        kind = 0
        if self.session.lost_in == ms.UP:
            kind = _kind_of(self.session.tag)
            if kind == _RESULTS:
                is_first = not self._results_ended and event == ms.EV_LOST
                if event == ms.EV_LOST and not is_first:
                    event = ms.EV_TAKES_NONE
                self._results_ended = _LOST_ONCE if is_first else _UNACKNOWLEDGED
        self.failure = ms.EV_UNRETAINED if event == ms.EV_LOST and self._may_be_unretained() else event
        if kind:
            if 2 * kind > self.without_puback:  # none above it
                self.reason = self.failure
            self.without_puback |= kind
        self._announced = 0
        progress = self.progress
        if progress.last_result > progress.base:
            self._send_less(now)
        progress.stand_at_cursor()
        self.forget_extra()
        if self.fault.set(self.port.why, self.session.lost_in, self.port.why_code, 0, self.counts.receipts):
            self.counters.log.add(counter.OUTLET_FAILED, self.index, now)
        self.counters.count(counter.OUTLET_FAILED)

    def _may_be_unretained(self):
        """True if the broker has ended the connection where it may refuse what is retained (rule 8)."""
        why = self.port.why
        if not self.topics.retain or self._retains or (why != WHY_ENDED and why != WHY_RESET):
            return False
        state = self.session.lost_in
        return state == ms.CONNECTING or (state == ms.UP and self._announced == _ANNOUNCED)


class Topics:
    """The topics of a station, and what its state topic says. `before`: the room in front of what is published."""

    def __init__(self, topic, identity, retain):
        self.topic = topic
        self.retain = retain  # RETAIN, or 0 for a broker that keeps nothing
        self.identity = identity.encode()
        self.results = (topic + "/results").encode()
        self.state = (topic + "/state").encode()
        self.receipt = (topic + "/receipt").encode()
        self.before = front_bytes(self.results)
        self.online = bytearray(self.before) + _state(identity, True, "")
        self.offline = bytearray(self.before) + _state(identity, False, "stopped")
        self.lost = _state(identity, False, "connection lost")


def _session(settings, topics, client, needs_receipt, window, receipt_bytes):
    """Return the session of these settings, which subscribes to receipts where one is needed."""
    receipt = topics.receipt if needs_receipt else b""
    connect = connect_packet(
        client.encode(),
        (settings["user"] or "").encode(),
        (settings["password"] or "").encode(),
        KEEPALIVE_S,
        topics.state,
        topics.lost,
        topics.retain,
    )
    subscribe = subscribe_packet(1, receipt)
    return ms.Session(
        connect, subscribe, receipt, window, KEEPALIVE_S * 1000, ACK_TIMEOUT_MS, RECONNECT_MS, receipt_bytes
    )


def topic_of(settings, system, station):
    """Return the base topic of a station: the template with its places filled in."""
    return settings["topic"].replace("{system}", str(system)).replace("{station}", str(station))


def _kind_of(tag):
    if tag == 0:
        return _STATE
    return _RESULTS if tag > 0 else _EXTRA


def _state(identity, is_online, reason):
    text = '{"schema":1,"online":%s,"reason":"%s","identity":"%s"}'
    return (text % ("true" if is_online else "false", reason, identity)).encode()


def make(settings, station, index, kind=Mqtt):
    """Make the outlet of these settings on a board; `kind` is Mqtt or made of it."""
    owner = station.settings["spool"]["owner"]
    port = station.board.tcp()
    before = front_bytes((topic_of(settings, owner[1], owner[2]) + "/results").encode())
    line = Line(bytearray(before + HEAD_MOST + BOARD_OCTETS))
    return kind(port, line, station, index, settings, owner)
