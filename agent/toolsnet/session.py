"""A station's session with ToolsNet: first the PIM, then the server; one telegram outstanding; starts over on a loss.

Sans I/O: `command()` says what the owner's one port should do, the owner reports `opened` and `closed`, feeds
`incoming`, asks `next_event` until EV_NONE, writes `pending` bytes of `tx`, and calls `tick`.

Rules (protocol.md 8.2, 8.3; TN 2)
1. Connect to the PIM, wait for its 12, answer 05 (unless that PIM does not like it), send 07, wait for 08, close.
2. Connect to the server the 08 named. After any loss start at the PIM again.
3. A telegram that expects a 05 is sent again with the same identifier after ACK_TIMEOUT_MS, RETRANSMISSIONS times, then
   the connection is closed. A 05 with another identifier is counted and ignored.
4. After KEEPALIVE_MS without a transmission a 06 goes out. Its 05 is expected until three sessions with a server that
   takes results have shown that none comes.
5. Between connects it waits `reconnect_ms`, or not at all if a 05 came since the last connect. Where no 05 was that of
   a result, or no result was one that had never gone out before, and the other side closed on a result or within
   five seconds, the first pause is none, twelve are a second, and later ones ever longer, up to `reconnect_ms`, until
   such a result has a 05 or an 08 names another one.
6. After a connection on which a result had no answer the next begins with a 06: so `proven` tells whether it was the
   result or the server. A server not known to answer a 06 gets the result all the same, ACK_TIMEOUT_MS later.
7. Results are written into a buffer of their own; everything else, 05, 06 and 07, shares another one. An identifier is
   1..99999 and never 0.

    WAITING -> PIM_OPENING -> PIM_VERIFY --12--> PIM_INFO --08--> _SERVER_OPENING -> STREAMING
       ^___________|______________|_________________|____________________|_______________| any loss
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, number
from toolcart.agent.base.ticks import FOREVER, Timer, ticks_diff
from toolcart.agent.toolsnet import telegram as tel

RESULT_BYTES = const(1164)  # of the buffer for telegram 04
NOTE_BYTES = const(28)  # of the buffer for everything else: 05, 06, 07

VERIFY_TIMEOUT_MS = const(5000)  # for the PIM's 12; TN 2 names no time, so as long as for an answer
ACK_TIMEOUT_MS = const(5000)  # TN 3
RETRANSMISSIONS = const(2)  # TN 3
KEEPALIVE_MS = const(30000)  # without a transmission (TN 3); the server closes after 60 s
_CONNECT_TIMEOUT_MS = const(5000)
_VAIN_MS = const(1000)  # between connections that bring nothing on
_SHORT_MS = const(5000)  # of a connection that brings nothing on and is closed
_VAIN_SOON = const(12)  # so often, as that tells a result which the server does not like from a server in trouble
_SESSIONS_WITHOUT_KEEPALIVE_ACK = const(3)  # protocol.md 8.3 no. 2

# What is outstanding
_OUT_NOTHING = const(0)
_OUT_RESULT = const(1)
_OUT_KEEPALIVE = const(2)
_OUT_INFO_REQUEST = const(3)
_OUT_ACK_12 = const(4)

STOPPED = const(0)
WAITING = const(1)
PIM_OPENING = const(2)
PIM_VERIFY = const(3)
PIM_INFO = const(4)
_SERVER_OPENING = const(5)
STREAMING = const(6)
STATE_NAMES = ("stopped", "closed", "pim opening", "pim verify", "pim info", "server opening", "streaming")

CMD_NONE = const(0)
CMD_OPEN_PIM = const(1)
CMD_OPEN_SERVER = const(2)
CMD_CLOSE = const(3)

EV_NONE = const(0)
EV_INFO = const(1)  # 08: result_sequence and event_sequence can be read
EV_STREAMING = const(2)
EV_ACCEPTED = const(3)  # 05 with code 000 for what was sent
EV_REFUSED = const(4)  # 05 with another code
EV_SILENT = const(5)  # no 05 to any of the sends; the connection is closed
EV_LOST = const(6)  # the connection is gone; the telegram, if one was outstanding, may or may not be stored
EV_FOREIGN = const(7)  # a 05 for something else
EV_UNKNOWN = const(8)  # a telegram that was not asked for, or too large to be one
EV_MALFORMED = const(9)
EV_NO_PIM = const(10)  # no 12 came: not a PIM, or an old 1.5 server


class Heartbeat:
    """Whether this server answers a 06 (rules 4 and 6)."""

    __slots__ = (
        "_has_acked",
        "_mute_sessions",
        "_sent",
        "acks",
        "has_news",
        "in_vain",
        "is_expected",
        "is_known",
        "news_from",
        "opened_at",
        "result_acked",
        "result_answered",
        "wary",
    )

    def __init__(self):
        self.in_vain = 0  # connections in a row that brought nothing on (rule 5)
        self.news_from = 0  # the newest that had gone out as the last of them ended
        self.is_expected = True  # a 06 waits for its 05
        self.is_known = False  # one was answered
        self.wary = False  # the last result that was out had no answer
        self._has_acked = False  # a result, on any connection
        self._mute_sessions = 0
        self.opened(0)

    def opened(self, now):
        """A session begins: neither a result nor a 06 has had its 05 yet."""
        self.opened_at = now
        self.has_news = False  # something that is no result went out for the first time; the owner's
        self.result_acked = self.result_answered = False
        self._sent = False
        self.acks = 0  # of 06s of this session

    def put_sent(self):
        """A 06 goes out."""
        self._sent = True

    def put_acked(self):
        """A 06 has its 05."""
        self.acks += 1
        self.is_known = True

    def put_result_acked(self):
        """A result has its 05."""
        self.result_acked = self._has_acked = True

    def closed(self):
        """A session with the server has ended: learn from it."""
        if not self._sent:
            return
        if self.acks:
            self._mute_sessions = 0
        elif self.result_acked or (self._has_acked and not (self.is_known or self.wary)):
            self._mute_sessions += 1
            if self._mute_sessions >= _SESSIONS_WITHOUT_KEEPALIVE_ACK:
                self.is_expected = False

    def pause(self, has_news, is_cut, longest_ms):
        """Return the ms to the next attempt after a session with an answer.

        `has_news`: something was sent and answered that had never gone out before. `is_cut`: the other side closed on a
        result, or soon.
        """
        if has_news:
            self.in_vain = 0
        if has_news or not is_cut:
            return 0
        ms = _VAIN_MS if self.in_vain else 0
        for _ in range(self.in_vain - _VAIN_SOON):
            ms *= 2
        if ms >= longest_ms:
            return longest_ms
        self.in_vain += 1
        return ms


class ServerInfo:
    """What the PIM's 08 says about the server."""

    def __init__(self):
        self.result_sequence = self.event_sequence = 0
        self.address = bytearray(b" " * tel.ADDRESS_BYTES)
        self.port = -1  # none that can be one

    def read(self, buf, at, result_sequence):
        """Take the 08 at buf[at:], which names this `result_sequence`."""
        self.result_sequence = result_sequence
        self.event_sequence = tel.event_sequence_of(buf, at)
        copy(self.address, 0, buf, at + tel.ADDRESS, tel.ADDRESS_BYTES)
        self.port = tel.port_of(buf, at)


class Outstanding:
    """The telegram that is out, and how often it may still be sent (rule 3). Session.send sets all of it."""

    def __init__(self):
        self.kind = _OUT_NOTHING
        self.octets = 0
        self.ident = 0
        self.sends_left = 0  # below 0: how often it would have been sent again without `send_once`
        self.is_posted = False
        self.is_whole = False  # it has gone out to its last byte at least once

    def send_once(self):
        """Wait as long for its 05, but send no copy."""
        self.sends_left = -self.sends_left

    def was_late(self):
        """True if its 05 took ACK_TIMEOUT_MS or longer.

        Unless `send_once` was called, a copy is out by then: one may be refused and the other taken.
        """
        left = self.sends_left
        return (left if left > 0 else -left) <= RETRANSMISSIONS

    def is_given_up(self):
        """Count that no 05 came in time; True if that was the last one it was waited for."""
        self.sends_left += 1 if self.sends_left < 0 else -1
        return self.sends_left == 0


class Session:
    """One station's session with ToolsNet. Times in ms; `place` is system type, system and station."""

    def __init__(self, system_type, system, station, reconnect_ms=60000):
        self.place = (system_type, system, station)
        self.reconnect_ms = reconnect_ms
        self.state = STOPPED
        self.incoming = tel.Frames()
        self.info = ServerInfo()
        self.outstanding = Outstanding()
        self.heartbeat = Heartbeat()
        self.wait = Timer()  # for whatever the state waits for; WAITING: for the next attempt
        self._keepalive_timer = Timer()  # since the last transmission
        self.result = bytearray(RESULT_BYTES)  # its writer's alone: what is in it stays there
        self.note = bytearray(NOTE_BYTES)
        self.tx = self.note  # what is going out
        self.tx_from = 0
        self.pending = 0  # bytes of tx[tx_from:] that wait for the port
        self.ident = 1  # what goes out next carries it: 1..99999, never 0 (TN 3)
        self.code = 0  # of the last 05
        self.lost_in = STOPPED  # the state that the last connection was lost in
        self.proven = False  # the server has answered something on it
        self.owner = None  # its `newest_sent` is the number of the newest result that went out
        self.wants_stamp = False  # set by what needs the server's time; the next 05 puts it into `stamp`
        self.stamp = bytearray(14)
        self._own_stamp = bytearray(b"0" * 14)  # our time, for the 05 that answers a 12
        self._sends_ack_12 = True
        self._has_answer = False
        self._streaming_event = False
        self.commanded = CMD_NONE  # what `command` will return

    # -- the owner's calls -------------------------------------------------------------------------------------

    def start(self, now):
        """Begin with the PIM at once."""
        self.state = WAITING
        self.wait.start(now, 0)

    def connect_now(self, now):
        """Make the next attempt now instead of waiting for it."""
        if self.state == WAITING:
            self.wait.start(now, 0)

    def rest(self, ms, now):
        """Make the next attempt only after so long."""
        if self.state == WAITING:
            self.wait.start(now, ms)

    def stop(self):
        """Close and stay closed."""
        self.state = STOPPED
        self.wait.stop()
        self._keepalive_timer.stop()
        self._clear_out()
        self._streaming_event = False
        self.commanded = CMD_CLOSE

    def set_stamp(self, stamp):
        """Take our time, 19 characters, for the 05 that answers the PIM's 12."""
        at = 0
        for octet in stamp:
            if octet >= 0x30 and octet <= 0x39:
                self._own_stamp[at] = octet
                at += 1

    def command(self):
        """Return what the port has to do now, once: CMD_."""
        command = self.commanded
        self.commanded = CMD_NONE
        return command

    def opened(self, now):
        """The connection asked for is open."""
        self.incoming.reset()
        if self.state == PIM_OPENING:
            self.state = PIM_VERIFY
            self._has_answer = False
            self.wait.start(now, VERIFY_TIMEOUT_MS)
        elif self.state == _SERVER_OPENING:
            self.state = STREAMING
            self.heartbeat.opened(now)
            self._streaming_event = True
            self.wait.stop()
            self._keepalive_timer.start(now, KEEPALIVE_MS)
            if self.heartbeat.wary and self.heartbeat.is_expected:
                self._put_out_keepalive()

    def closed(self, now):
        """The connection failed or was closed by the other side; EV_LOST follows if it was in use."""
        if self.state <= WAITING:
            return EV_NONE
        return self._lose(now)

    def can_send(self):
        """True if a result may be written into `result` and sent."""
        return (
            self.state == STREAMING
            and self.outstanding.kind == _OUT_NOTHING
            and self.pending == 0
            and not self._streaming_event
        )

    def is_idle(self):
        """True if nothing is out on this connection."""
        return self.outstanding.kind == _OUT_NOTHING and self.pending == 0

    # -- events ------------------------------------------------------------------------------------------------

    def is_due(self, now):
        """True if `next_event` has something to do although nothing came."""
        return self._streaming_event or (self.wait.armed and self.wait.expired(now))

    def next_event(self, now):
        """Return the next EV_; EV_NONE when there is nothing to do until input or time comes."""
        if self._streaming_event:
            self._streaming_event = False
            return EV_STREAMING
        while self.state >= PIM_VERIFY:
            kind = self.incoming.next()
            if kind == tel.FRAME_NEED_DATA:
                break
            if kind == tel.FRAME_TOO_LARGE:
                return EV_UNKNOWN
            if kind == tel.FRAME_BROKEN:
                self._lose(now)
                return EV_MALFORMED
            event = self._take(now)
            if event != EV_NONE:
                return event
        return self._check_timers(now)

    def tick(self, now, left=FOREVER):
        """Post a keep-alive if it is due; return `left`, or the ms until something may be due again if that is less."""
        outstanding = self.outstanding
        # `can_send`, without a call
        if (
            outstanding.kind == _OUT_NOTHING
            and self.state == STREAMING
            and self.pending == 0
            and not self._streaming_event
        ):
            rest = self._keepalive_timer.left(now)
            if rest == 0:
                self._put_out_keepalive()
            elif rest < left:
                left = rest
        if outstanding.kind != _OUT_NOTHING and not outstanding.is_posted:
            self._post(now)
        return self.wait.least(now, left) if self.wait.armed else left

    # -- what goes out -----------------------------------------------------------------------------------------

    def send(self, octets):
        """Send the telegram of `octets` in `result`, which carries `ident`."""
        ident = self.ident
        outstanding = self.outstanding
        outstanding.kind = _OUT_RESULT
        outstanding.octets = octets
        outstanding.ident = ident
        outstanding.sends_left = RETRANSMISSIONS + 1
        outstanding.is_posted = False
        outstanding.is_whole = False
        self.ident = ident % tel.IDENT_MAX + 1

    def sent(self, n, now):
        """The port took n bytes; True if `tick` has to be called again for that."""
        self.tx_from += n
        self.pending -= n
        if self.pending:
            return False
        outstanding = self.outstanding
        outstanding.is_whole = True
        if outstanding.kind == _OUT_RESULT:
            self._keepalive_timer.start(now, KEEPALIVE_MS)
            return False
        if outstanding.kind == _OUT_NOTHING:
            self.wait.stop()
        if outstanding.kind == _OUT_ACK_12:  # the 07 follows the 05 at once
            outstanding.kind = _OUT_NOTHING
            self._put_out(_OUT_INFO_REQUEST, self._write_info_request())
        else:
            self._keepalive_timer.start(now, KEEPALIVE_MS)
        return True

    def _post(self, now):
        outstanding = self.outstanding
        outstanding.is_posted = True
        self.tx = self.result if outstanding.kind == _OUT_RESULT else self.note
        self.tx_from = 0
        self.pending = outstanding.octets
        self.wait.start(now, ACK_TIMEOUT_MS)
        if outstanding.kind == _OUT_KEEPALIVE and not self.heartbeat.is_expected:
            outstanding.kind = _OUT_NOTHING

    def _write_info_request(self):
        return tel.put_info_request(self.note, self.ident, self.place[0], self.place[1], self.place[2])

    def _put_out(self, kind, octets):
        """Send the telegram of `octets` in `note`, which carries `ident`."""
        Session.send(self, octets)
        self.outstanding.kind = kind

    def _put_out_keepalive(self):
        self.heartbeat.put_sent()
        self._put_out(_OUT_KEEPALIVE, tel.put_keepalive(self.note, self.ident))

    def _clear_out(self):
        self.outstanding.kind = _OUT_NOTHING
        self.pending = 0
        self.tx_from = 0
        self.outstanding.is_posted = False
        self.wait.armed = False

    # -- what comes in -----------------------------------------------------------------------------------------

    def _take(self, now):
        incoming = self.incoming
        head = number(incoming.buf, incoming.at + 4, 7) if incoming.length >= 7 else -1  # tel.head_of, without a call
        if head < 0:
            head = tel.head_of(incoming.buf, incoming.at, incoming.length)  # perhaps with blanks
        if head < 0:
            return EV_MALFORMED
        kind = head // tel.IDENTS
        ident = head % tel.IDENTS
        if kind == tel.ID_ACKNOWLEDGE and self.state == STREAMING:
            return self._acknowledged(ident)
        if kind == tel.ID_VERIFICATION:
            return self._verified(ident) if self.state == PIM_VERIFY else EV_NONE
        if kind == tel.ID_INFO and self.state == PIM_INFO:
            return self._informed(ident, now)
        return EV_UNKNOWN

    def _verified(self, ident):
        self.state = PIM_INFO
        self.wait.stop()
        self._clear_out()
        if self._sends_ack_12:
            self._put_out(_OUT_ACK_12, tel.put_acknowledge(self.note, ident, self._own_stamp))
            self.ident = self.outstanding.ident  # it carries the PIM's
        else:
            self._put_out(_OUT_INFO_REQUEST, self._write_info_request())
        return EV_NONE

    def _informed(self, ident, now):
        if ident != self.outstanding.ident:
            return EV_FOREIGN
        buf = self.incoming.buf
        at = self.incoming.at
        sequence = tel.result_sequence_of(buf, at) if tel.is_info(self.incoming.length) else -1
        if sequence < 0:
            return EV_MALFORMED
        info = self.info
        if info.result_sequence != sequence:
            self.heartbeat.in_vain = 0  # it takes results, though it does not say so
        info.read(buf, at, sequence)
        self._clear_out()
        self.state = _SERVER_OPENING
        self.wait.start(now, _CONNECT_TIMEOUT_MS)
        self.commanded = CMD_OPEN_SERVER
        return EV_INFO

    def _acknowledged(self, ident):
        outstanding = self.outstanding
        if ident != outstanding.ident:
            return EV_FOREIGN
        incoming = self.incoming
        code = number(incoming.buf, incoming.at + 25, 3) if incoming.length >= tel.ACKNOWLEDGE_BYTES else -1
        if code < 0:
            code = tel.code_of(incoming.buf, incoming.at, incoming.length)  # perhaps with blanks
        if code == tel.NO_CODE:
            return EV_MALFORMED
        if self.wants_stamp:
            self.wants_stamp = False
            copy(self.stamp, 0, incoming.buf, incoming.at + 11, 14)  # TN 5.6
        kind = outstanding.kind
        if kind == _OUT_NOTHING:
            return EV_NONE  # the 05 of a 06 that was not awaited, or a second one for the same telegram
        if not outstanding.is_whole:
            return EV_FOREIGN  # what has not gone out cannot be stored
        outstanding.kind = _OUT_NOTHING
        if not self.pending:  # else a second copy is under way: it has to end before anything else begins
            self.wait.armed = False
        self._has_answer = True
        self.heartbeat.wary = False
        if kind == _OUT_KEEPALIVE:
            self.heartbeat.put_acked()
            return EV_NONE
        self.code = code
        self.heartbeat.result_answered = True
        if code == 0:
            if not self.heartbeat.result_acked:
                self.heartbeat.put_result_acked()
            return EV_ACCEPTED
        return EV_REFUSED

    # -- time and loss -----------------------------------------------------------------------------------------

    def _check_timers(self, now):
        if not self.wait.armed or not self.wait.expired(now):
            return EV_NONE
        self.wait.stop()
        state = self.state
        if state == WAITING:
            self.state = PIM_OPENING
            self.commanded = CMD_OPEN_PIM
            self.wait.start(now, _CONNECT_TIMEOUT_MS)
            return EV_NONE
        if state == PIM_VERIFY:
            self._lose(now)
            return EV_NO_PIM
        outstanding = self.outstanding
        if outstanding.kind == _OUT_KEEPALIVE and self.heartbeat.wary and not self.heartbeat.is_known:
            self._clear_out()
            return EV_NONE
        if state >= PIM_INFO and outstanding.kind != _OUT_NOTHING:
            if not outstanding.is_given_up():
                if self.pending or outstanding.sends_left < 0:
                    self.wait.start(now, ACK_TIMEOUT_MS)  # the port still has to take the last copy
                else:
                    outstanding.is_posted = False
                return EV_NONE
            silent = EV_SILENT if outstanding.kind == _OUT_RESULT else EV_LOST
            self._lose(now)
            return silent
        return self._lose(now)

    def _lose(self, now):
        state = self.lost_in = self.state
        if state == PIM_INFO:
            self._sends_ack_12 = not self._sends_ack_12
        if state == STREAMING:
            self.heartbeat.closed()
        is_cut = state == STREAMING and 0 <= ticks_diff(now, self.heartbeat.opened_at) < _SHORT_MS
        if self.outstanding.kind == _OUT_RESULT:
            self.heartbeat.wary = True
            is_cut = self.outstanding.sends_left != 0  # else it was waited for as long as it may take
        newest = self.owner.newest_sent if self.owner else 0
        has_news = self.heartbeat.has_news or (self.heartbeat.result_answered and newest != self.heartbeat.news_from)
        self.heartbeat.news_from = newest
        self.proven = self._has_answer
        self.commanded = CMD_CLOSE
        self._clear_out()
        self._streaming_event = False
        self.state = WAITING
        self._keepalive_timer.stop()
        ms = self.reconnect_ms
        self.wait.start(now, self.heartbeat.pause(has_news, is_cut, ms) if self._has_answer else ms)
        self._has_answer = False
        return EV_LOST
