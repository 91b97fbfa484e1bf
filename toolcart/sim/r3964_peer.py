"""The controller's end of a serial line: 3964R or plain ASCII around a simulated controller's session.

Written from the document and docs/serial.md alone; shares nothing with agent/link, so that each proves the
other.

Rules:
1. Whole messages go to the session's `receive`, as on TCP; what it sends goes out block by block.
2. A block equal to the last one, with nothing sent in between, is a repeat after a lost DLE: it is answered
   and not passed on, since a second 0062 would count for the next result.
3. A session that closes is followed by a new one, as there is no connection to close.
4. A 0062 acknowledges the oldest waiting result; if there is none it is dropped and counted.
5. Faults of the line are excused: then a silence is not a complaint.
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.base.octets import digits_only

PORTABLE = True

STX = 0x02
ETX = 0x03
DLE = 0x10
NAK = 0x15
TAG = b"\x07\x09\x07\x09"
ALL_FORMS = ("v0", "v1", "v2", "v3")
REPEAT_WAIT_MS = 4000
GAP_MS = 100  # between two octets of a plain message


def wire_form(message, form):
    """Return the payload of a message (without NUL) in one of the four forms."""
    if form == "v0":
        return message + b"\0"
    if form == "v3":
        return message + b"\0\x03"
    return (TAG if form == "v2" else b"") + b"\x02" + message + b"\0\x03"


def form_of(payload):
    """Return (form, message) of a payload, or (None, reason)."""
    rest = payload
    form = None
    if rest[:4] == TAG:
        rest = rest[4:]
        form = "v2"
    if rest[:1] == b"\x02":
        rest = rest[1:]
        form = form or "v1"
    elif form:
        return None, "tag without STX"
    if len(rest) < 20 or not digits_only(rest[:4]):
        return None, "no length"
    length = int(rest[:4])
    tail = rest[length:]
    if len(rest) < length or tail not in (b"", b"\0", b"\x03", b"\0\x03"):
        return None, "length %d does not fit" % length
    if form is None:
        form = "v3" if tail.endswith(b"\x03") else "v0"
    return form, rest[:length]


def block_of(payload):
    """Return the bytes of a block on the wire."""
    body = payload.replace(b"\x10", b"\x10\x10") + b"\x10\x03"
    check = 0
    for octet in body:
        check ^= octet
    return body + bytes([check])


class Peer:
    """What both kinds share: the session, its messages, the clock."""

    def __init__(self, make_endpoint, clock):
        self.make_endpoint = make_endpoint
        self.clock = clock
        self.messages = []  # to send, without NUL
        self.refused = []  # why something was not understood
        self.surplus = 0  # 0062 without a waiting result
        self.mute = False  # hears nothing, says nothing: powered off
        self.excused = True
        self._out = b""
        self._unsplit = b""
        self.endpoint = None
        self._renew(clock.now)

    def outgoing(self):
        octets = self._out
        self._out = b""
        return octets

    def say(self, octets):
        if not self.mute:
            self._out += octets

    def hand_over(self, message, now):
        endpoint = self.endpoint
        if message[4:8] == b"0062" and endpoint.numbers is None:
            # A copy sent earlier may have been lost: one 0062 settles all copies of the oldest result.
            endpoint.owed = [sent.item.tightening_id for sent in endpoint.waiting[:1]]
            if not endpoint.owed:
                self.surplus += 1
                return
        endpoint.receive(message + b"\0", now)
        if self.endpoint.wants_close:
            self._renew(now)

    def restart(self):
        """Switch the controller off and on: the session and everything under way are gone."""
        self.messages = []
        self._unsplit = b""
        self._renew(self.clock.now)

    def collect(self, now):
        """Take over what the session wants to send; return ms until it needs to be called again."""
        wait = self.endpoint.tick(now)
        self._unsplit += self.endpoint.outgoing()
        if self.endpoint.wants_close:
            self._renew(now)
            return 0
        while len(self._unsplit) >= 4:
            length = int(self._unsplit[:4])
            if len(self._unsplit) < length:
                break
            self.messages.append(self._unsplit[:length])
            self._unsplit = self._unsplit[length:]
            while self._unsplit[:1] == b"\0":
                self._unsplit = self._unsplit[1:]
        return wait

    def _renew(self, now):
        if self.endpoint is not None:
            self.endpoint.disconnected(now)
        self.endpoint = self.make_endpoint()
        self.endpoint.excused = self.excused
        self.endpoint.connected(now)


class R3964Peer(Peer):
    """3964R as a controller runs it; high priority by default."""

    def __init__(
        self, make_endpoint, clock, high=True, form="v1", accepts=ALL_FORMS, qvz_ms=2000, zvz_ms=100, attempts=6
    ):
        super().__init__(make_endpoint, clock)
        self.high = high
        self.form = form
        self.accepts = accepts
        self.qvz_ms = qvz_ms
        self.zvz_ms = zvz_ms
        self.attempts = attempts
        self.naks_all = False
        self.sent_anything = False
        self._state = "idle"
        self._job = None
        self._tries = 0
        self._raw = b""
        self._last = b""
        self._deadline = None
        self._wait_ms = 0

    # Bytes in

    def octet(self, value, now):
        if self.mute:
            return
        if self.naks_all:
            self.say(bytes([NAK]))
            return
        getattr(self, "_in_" + self._state)(value, now)

    def _in_idle(self, value, now):
        if value == STX:
            self._receive(now)
        elif value != NAK:
            self._enter("junk", now, self.zvz_ms)

    def _in_junk(self, value, now):
        self._enter("junk", now, self.zvz_ms)

    def _in_asked(self, value, now):
        if value == DLE:
            self.say(block_of(wire_form(self._job, self.form)))
            self._enter("sending", now, None)
        elif value == STX:
            if not self.high:
                self._receive(now)
        else:
            self._again(now)

    def _in_sending(self, value, now):
        if value == DLE:  # its answer came before our wire was reported free
            self._in_sent(value, now)
        else:
            self._again(now)

    def _in_sent(self, value, now):
        if value == DLE:
            self.sent_anything = True
            self._job = None
            self._enter("idle", now, None)
        else:
            self._again(now)

    def _in_block(self, value, now):
        self._raw += bytes([value])
        self._enter("block", now, self.zvz_ms)
        if not self._is_whole():
            return
        check = 0
        for octet in self._raw[:-1]:
            check ^= octet
        payload = _undoubled(self._raw[:-3])
        if check != self._raw[-1] or payload is None:
            self._nak(now)
            return
        self.say(bytes([DLE]))
        self._enter("idle", now, None)
        self._take(payload, now)

    def _is_whole(self):
        """True if the bytes so far end with a 10 03 that is not a doubled 10, and one more."""
        raw = self._raw
        if len(raw) < 3 or raw[-3] != DLE or raw[-2] != ETX:
            return False
        index = 0
        while index < len(raw) - 3:
            index += 2 if raw[index] == DLE else 1
        return index == len(raw) - 3

    def _take(self, payload, now):
        if payload == self._last and not self.sent_anything:
            return
        self._last = payload
        self.sent_anything = False
        form, message = form_of(payload)
        if form is None or form not in self.accepts:
            self.refused.append(message if form is None else "form " + form)
            return
        self.hand_over(message, now)

    # Steps

    def wire_free(self, now):
        """All that was sent has left the wire: the waits begin now."""
        if self._state == "sending":
            self._state = "sent"
        if self._wait_ms:
            self._deadline = ticks_add(now, self._wait_ms)

    def tick(self, now):
        wait = self.collect(now)
        if self.mute:
            return wait
        if self._deadline is not None:
            left = ticks_diff(self._deadline, now)
            if left <= 0:
                self._late(now)
                left = 0
            wait = min(wait, left)
        if self._state == "idle":
            if self._job is None and self.messages:
                self._job = self.messages.pop(0)
                self._tries = 0
            if self._job is not None:
                self._ask(now)
        return wait

    def restart(self):
        super().restart()
        self._job = None
        self._last = b""
        self._enter("idle", self.clock.now, None)

    def _late(self, now):
        state = self._state
        if state == "block" or state == "junk":
            self._nak(now)
        elif state == "repeat":
            self._enter("idle", now, None)
        else:
            self._again(now)

    def _nak(self, now):
        self.say(bytes([NAK]))
        self._enter("idle" if self._state == "junk" else "repeat", now, None)
        if self._state == "repeat":
            self._enter("repeat", now, REPEAT_WAIT_MS)

    _in_repeat = _in_idle

    def _receive(self, now):
        self._raw = b""
        self.say(bytes([DLE]))
        self._enter("block", now, self.zvz_ms)

    def _ask(self, now):
        self.say(bytes([STX]))
        self._enter("asked", now, self.qvz_ms)

    def _again(self, now):
        self._tries += 1
        if self._tries < self.attempts:
            self._out = b""
            self._ask(now)
            return
        self._job = None
        self.say(bytes([NAK]))
        self._enter("idle", now, None)

    def _enter(self, state, now, wait_ms):
        """Start the wait now, and again when what we send has left the wire."""
        self._state = state
        self._wait_ms = self.qvz_ms if state == "sending" else wait_ms or 0
        self._deadline = ticks_add(now, wait_ms) if wait_ms else None


def _undoubled(body):
    """Return the payload of a block's body, None if a single 10 is in it."""
    pieces = body.split(b"\x10\x10")
    for piece in pieces:
        if b"\x10" in piece:
            return None
    return b"\x10".join(pieces)


class AsciiPeer(Peer):
    """Plain ASCII as a controller runs it: wants the tag, answers STX message NUL ETX."""

    def __init__(self, make_endpoint, clock):
        super().__init__(make_endpoint, clock)
        self._got = b""
        self._before = b""
        self._received_at = None

    def octet(self, value, now):
        if self.mute:
            return
        self._received_at = now
        if not self._got:
            if value == STX:
                self._got = b"\x02"
            else:
                self._before = (self._before + bytes([value]))[-4:]
            return
        self._got += bytes([value])
        if not digits_only(self._got[1:5]) or (len(self._got) == 5 and int(self._got[1:5]) < 20):
            self._spoiled("length")
        elif len(self._got) >= 5 and len(self._got) > int(self._got[1:5]) + 1:
            self._end(int(self._got[1:5]), now)

    def _end(self, length, now):
        tail = self._got[length + 1 :]
        if tail == b"\0":
            return
        if tail not in (b"\x03", b"\0\x03"):
            self._spoiled("end")
            return
        message = self._got[1 : length + 1]
        tagged = self._before == TAG
        self._got = b""
        self._before = b""
        if tagged:
            self.hand_over(message, now)
        else:
            self.refused.append("no tag")

    def _spoiled(self, why):
        self.refused.append(why)
        self._got = b""
        self._before = b""

    def wire_free(self, now):
        """Nothing here waits for the wire."""

    def tick(self, now):
        wait = self.collect(now)
        if self._got and self._received_at is not None:
            left = GAP_MS - ticks_diff(now, self._received_at)
            if left <= 0:
                self._spoiled("gap")
            else:
                wait = min(wait, left)
        while self.messages:
            self.say(wire_form(self.messages.pop(0), "v1"))
        return min(wait, FOREVER)
