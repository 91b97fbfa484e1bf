"""The one telegram that is out: built in its buffer, sent again with the same identifier, until its answer has come.

Rules (DIGEST G.5, G.9)
1. Results are written into a buffer of their own; everything else, 05, 06 and 07, shares another one.
2. An identifier is 1..99999 and never 0 (004:73). What is sent again carries the one it had.
3. A 07 follows the 05 to the PIM's 12 at once.
4. The 05 to a 06 is expected until three sessions have shown that none comes.
"""

from agent.base.compat import const
from agent.base.ticks import Timer
from agent.toolsnet import telegram as tel

AUTO = const(0)
ALWAYS = const(1)
NEVER = const(2)

RESULT_BYTES = const(1164)  # of the buffer for telegram 04
NOTE_BYTES = const(28)  # of the buffer for everything else: 05, 06, 07

SESSIONS_WITHOUT_KEEPALIVE_ACK = const(3)  # DIGEST G.9 no. 2

OUT_NOTHING = const(0)
OUT_RESULT = const(1)
OUT_KEEPALIVE = const(2)
OUT_INFO_REQUEST = const(3)
OUT_ACK_12 = const(4)


class Outgoing:
    """One station's outgoing telegrams. Times in ms; identity as the configuration has it."""

    def __init__(self, system_type, system, station, ack_timeout_ms, retransmissions, keepalive_ms, keepalive_ack):
        self.system_type = system_type
        self.system = system
        self.station = station
        self.ack_timeout_ms = ack_timeout_ms
        self.retransmissions = retransmissions
        self.keepalive_ms = keepalive_ms
        self.result = bytearray(RESULT_BYTES)  # its writer's alone: what is in it stays there
        self.note = bytearray(NOTE_BYTES)
        self.tx = self.note  # what is going out
        self.tx_from = 0
        self.pending = 0  # octets of tx[tx_from:] that wait for the port
        self.ident = 0
        self._out = OUT_NOTHING
        self._out_bytes = 0
        self._out_ident = 0
        self._sends_left = 0  # below 0: so often it would have been sent again, if `send_once` had not been called
        self._posted = False
        self._whole = False  # the telegram has gone out to its last octet at least once
        self.keepalive_ack = keepalive_ack
        self._expects_keepalive_ack = keepalive_ack != NEVER
        self._mute_sessions = 0
        self._begin_keepalives()
        self._wait = Timer()  # for whatever the state waits for
        self._rest = Timer()  # since the last transmission

    def next_ident(self):
        """Return a new identifier, 1..99999, never 0 (004:73)."""
        self.ident = self.ident + 1 if self.ident < tel.IDENT_MAX else 1
        return self.ident

    def send(self, octets):
        """Send the telegram of `octets` in `result`; it carries the identifier of the last `next_ident`."""
        self._put_out(OUT_RESULT, octets, self.ident)

    def send_once(self):
        """Wait as long for the 05 to what was just sent, but send no copy."""
        self._sends_left = -self._sends_left

    def was_late(self):
        """Tell whether what was answered last had waited for `ack_timeout_ms` and longer.

        Unless it was sent once, a copy is out by then: the one may be refused and the other one taken.
        """
        left = self._sends_left
        return (left if left > 0 else -left) <= self.retransmissions

    def waited(self, now):
        """Return for how many ms the result that was answered last had been out, `keepalive_ms` at most."""
        return self.keepalive_ms - self._rest.left(now)

    def sent(self, n, now):
        """The port took n octets; whether `tick` has to be asked again for that."""
        self.tx_from += n
        self.pending -= n
        if self.pending:
            return False
        self._whole = True
        if self._out == OUT_RESULT:
            self._rest.start(now, self.keepalive_ms)
            return False
        if self._out == OUT_NOTHING:
            self._wait.stop()
        if self._out == OUT_ACK_12:  # the 07 follows the 05 at once
            self._out = OUT_NOTHING
            self._put_out(OUT_INFO_REQUEST, self._write_info_request(), self.ident)
        else:
            self._rest.start(now, self.keepalive_ms)
        return True

    def _post(self, now):
        self._posted = True
        self.tx = self.result if self._out == OUT_RESULT else self.note
        self.tx_from = 0
        self.pending = self._out_bytes
        self._wait.start(now, self.ack_timeout_ms)
        if self._out == OUT_KEEPALIVE and not self._expects_keepalive_ack:
            self._out = OUT_NOTHING

    def _write_info_request(self):
        return tel.put_info_request(self.note, self.next_ident(), self.system_type, self.system, self.station)

    def _put_out(self, kind, octets, ident):
        self._out = kind
        self._out_bytes = octets
        self._out_ident = ident
        self._sends_left = self.retransmissions + 1
        self._posted = False
        self._whole = False

    def _clear_out(self):
        self._out = OUT_NOTHING
        self.pending = 0
        self.tx_from = 0
        self._posted = False
        self._wait.armed = False

    def _begin_keepalives(self):
        """A session begins: neither a result nor a 06 has had its 05 yet."""
        self._result_acked = False
        self._keepalive_sent = False
        self._keepalive_acked = False

    def _learn_of_keepalives(self):
        if self.keepalive_ack != AUTO or not self._keepalive_sent:
            return
        if self._keepalive_acked:
            self._mute_sessions = 0
        elif self._result_acked:
            self._mute_sessions += 1
            if self._mute_sessions >= SESSIONS_WITHOUT_KEEPALIVE_ACK:
                self._expects_keepalive_ack = False
