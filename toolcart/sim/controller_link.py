"""The lower half of a controller connection: bytes to messages and back, every header byte checked.

Rules:
1. A message ends where its length field says, followed by one NUL that is not counted (OP 2.4.1 p. 33). A missing or
   a counted NUL is accepted too.
2. The integrator's header is read field by field (OP 2.2.2 p. 26-27), leniently: oddities are accepted, and are a
   complaint where the options are strict. What cannot be accepted is always a complaint, and answered 0004 if it has an
   answer.
3. If the end of a message cannot be found, the connection is closed.
4. The options decide how our own messages look: header style, NUL missing, late or counted.
"""

from toolcart.agent.base.ticks import Timer
from toolcart.base.octets import digits_only, text_of
from toolcart.sim import controller_frames as frames
from toolcart.sim.endpoint import Endpoint

PORTABLE = True

# Always sent without a number: the start's answer, link acknowledges, the mirrored keep-alive.
UNNUMBERED = (2, 9997, 9998, 9999)
# Data bytes of what an integrator may send, by MID; of others they are not checked.
_DATA_BYTES = {12: 3, 64: 10, 82: 19, 9997: 4, 9998: 8}
_DATA_BYTES.update(
    dict.fromkeys((1, 3, 14, 16, 17, 34, 36, 37, 40, 51, 53, 54, 60, 62, 63, 70, 72, 73, 75, 77, 80, 1001, 9999), 0)
)
_DIGITS = (12, 64, 9997, 9998)
_OFFLINE_FLAG = 10  # from this revision of 0064 on, one more byte says whether an offline result is meant
_KEEP_ALIVE_BYTES = 3  # 0001 may carry them from revision 7 on
CODE_INVALID = 1  # of 0004: invalid data
ANY_MID = 0  # in `ends_refused`
REFUSED = "controller: ends the connection with a rejection"
# Link acknowledges: only these carry a number of ours (OP 3.2.2 p. 36).
_LINK_ACKNOWLEDGES = (9997, 9998)
# Acknowledges that are void where messages are numbered (OP 3.2.2 p. 36, 4.3.5 p. 62).
VOID_WHEN_NUMBERED = (16, 36, 53, 62, 72, 75, 77, 102, 108, 1001)
# MIDs that are never answered.
UNANSWERED = VOID_WHEN_NUMBERED + _LINK_ACKNOWLEDGES
# MIDs of subscriptions: only these may carry a no-ack flag (OP 2.2.2 p. 26).
_SUBSCRIPTIONS = (8, 14, 34, 51, 60, 70, 100, 105)


class ControllerLink(Endpoint):
    """Framing and header checks; ControllerSession gives `message` its meaning, and knows what it answers now."""

    def __init__(self, controller):
        super().__init__(controller.complaints, controller.closings, controller.options)
        self.controller = controller
        self.spindle_first = self.options.header in frames.HEADER_SPINDLE_FIRST
        self.drop_sent = 0  # close after this many messages; 0: never
        self.numbers = None  # the NumberedSender of a session with link-level numbers
        self.received_numbers = None  # and its NumberedReceiver
        self._owes_nul = False  # the message before this byte may still get its NUL
        self._has_nul_in_front = False
        self._last = b""
        self.ends = Timer()  # until a rejection ends the connection
        self.count_sent = 0

    def next_frame(self):
        """Return the next whole message without its NUL, or None; close if its end cannot be found."""
        if self._owes_nul and self._received:
            self._owes_nul = False
            self._end_of(self._last)
        while self._received[:1] == b"\0":
            self._has_nul_in_front = True
            self._received = self._received[1:]
        received = self._received
        if len(received) < 4:
            return None
        if not digits_only(received[:4]):
            return self.malformed("length field is not four digits")
        length = int(received[:4])
        if length < frames.HEADER_BYTES:
            return self.malformed("length is below 20")
        if len(received) < length:
            return None
        frame = received[:length]
        self._received = received[length:]
        self._owes_nul = not self._received
        self._last = frame
        if self._has_nul_in_front:
            self._has_nul_in_front = False
            self._odd_around(frame, "NUL in front of a message")
        if self._received:
            self._end_of(frame)
        return frames.usual_header(frame) if self.spindle_first else frame

    def _end_of(self, frame):
        """Take the NUL after a message (OP 2.4.1 p. 33)."""
        if self._received[:1] == b"\0":
            self._received = self._received[1:]
        elif frame[-1:] != b"\0":
            self._odd_around(frame, "no NUL at its end")

    def ended(self):
        """Take the end of the connection in order: a NUL that has not come does not come any more."""
        if self._owes_nul:
            self._owes_nul = False
            self._end_of(self._last)

    def _odd_around(self, frame, what):
        if digits_only(frame[4:8]):  # else it is refused for that
            self.odd(int(frame[4:8]), what, frame)

    def malformed(self, why):
        self.complain(why + ": " + text_of(self._received[:60]))
        self._received = b""
        self.close("controller: malformed message")

    def odd(self, mid, what, frame):
        """Note something unusual that is accepted; a complaint if the options are strict."""
        if self.controller.note_odd(mid, what) and self.options.strict:
            self.complain("%04d: odd, and taken: %s: %s" % (mid, what, text_of(frame)))

    def read_header(self, frame, mid):
        """Return (revision, data) of a message; complain and return None if it cannot be accepted (OP 2.2.2 p. 26-27).

        The document allows several ways to write unused fields: all are accepted, and the rare ones are odd.
        """
        revision = 1
        digits = frame[8:11].strip()
        if digits_only(digits):
            revision = int(digits) or 1
        elif digits:
            return self._refuse_header(mid, 97, "revision is not a number", frame)
        elif mid == 1:
            revision = self.options.blank_start_revision
        is_right = digits_only(frame[8:11]) and frame[8:11] != b"000"
        if not is_right and not self.options.blank_revision_only:
            self.odd(mid, "revision is not 001..999", frame)
        if frame[11:12] not in (b" ", b"0", b"1") or (frame[11:12] != b" " and mid not in _SUBSCRIPTIONS):
            self.odd(mid, "no-ack flag", frame)
        for name, octets in (("station", frame[12:14]), ("spindle", frame[14:16])):
            zero_is_odd = octets == b"00" and not self.spindle_first
            if octets != b"  " and (not digits_only(octets) or zero_is_odd):
                self.odd(mid, name, frame)
        if self.spindle_first and frame[14:16] not in self._spindles():
            return self._refuse_header(mid, None, "spindle is not there", frame)
        if self.options.expected_station is not None and frame[12:14] != self.options.expected_station:
            return self._refuse_header(mid, None, "station is not the expected one", frame)
        if mid in _LINK_ACKNOWLEDGES:
            if not _number(frame[16:18]) or frame[18:20] not in (b"  ", b"00"):
                return self._refuse_header(mid, None, "number of a link acknowledge", frame)
            if frame[18:20] != b"  ":
                self.odd(mid, "message parts are not blank", frame)
        elif frame[16:20] != b"    " and not (self.numbers is not None and mid != 1 and _number(frame[16:18])):
            self.odd(mid, "sequence number or message parts are not blank", frame)
        return self._read_data(frame, mid, revision)

    def _spindles(self):
        """Return the spindles that a message may name where each one has to name one."""
        numbers = (0,) + tuple(self.options.header_spindles)
        return [self.options.spindle.encode()] + [frames.field(number, 2) for number in numbers]

    def _read_data(self, frame, mid, revision):
        data = frame[frames.HEADER_BYTES :]
        if data[-1:] == b"\0":
            self.odd(mid, "NUL is counted in the length", frame)
            data = data[:-1]
        wanted = _DATA_BYTES.get(mid, len(data)) + (mid == 64 and revision >= _OFFLINE_FLAG)
        if len(data) != wanted and (mid, len(data)) != (1, _KEEP_ALIVE_BYTES):
            what = "data field of %d bytes instead of %d" % (len(data), wanted)
            if len(data) < wanted:
                return self._refuse_header(mid, CODE_INVALID, what, frame)
            self.odd(mid, what, frame)
            data = data[:wanted]
        if mid in _DIGITS and not digits_only(data):
            if not digits_only(data.strip()):
                return self._refuse_header(mid, CODE_INVALID, "data field is not digits", frame)
            self.odd(mid, "data field is not digits only", frame)
            data = data.strip()
        return revision, data

    def _refuse_header(self, mid, code, what, frame):
        """Complain; reject with 0004 unless it would not be heard (code None, or a message without an answer)."""
        self.complain("%04d: %s: %s" % (mid, what, text_of(frame)))
        if code is not None and mid not in UNANSWERED and self.accepts_refusals(mid):
            self.refuse(mid, code)

    def accept(self, mid):
        self.say(5, 1, self._answering(mid))

    def _answering(self, mid):
        how = self.options.names_answered
        digits = str(mid).encode()
        if how == "digits":
            return frames.field(mid, 4)
        return b" " * 4 if how == "blank" else digits if how == "short" else b" " * (4 - len(digits)) + digits

    def refuse(self, mid, code):
        ends = self.options.ends_refused
        after_ms = ends.get(mid, ends.get(ANY_MID))
        if after_ms is None or after_ms >= 0:
            text = self.options.refusal_text
            data = frames.field(code, self.options.refuse_digits) if text is None else text.encode()
            self.say(4, 1, self._answering(mid) + data)
        if after_ms is None:
            return
        if after_ms > 0:
            self.ends.start(self.controller.clock.now, after_ms)
        else:
            self.close(REFUSED)

    def rejects(self, mid, *reasons):
        """Refuse a message with the first code whose condition holds, (condition, code); False if none does."""
        for holds, code in reasons:
            if holds:
                self.refuse(mid, code)
                return True
        return False

    def say(self, mid, revision, octets, tightening_id=None, spindle=None):
        options = self.options
        counted = 1 if options.nul == "counted" else 0
        spindle = spindle or options.spindle
        head = frames.header(mid, revision, len(octets) + counted, options.header, options.station, spindle)
        if self.numbers is not None and mid not in UNNUMBERED:
            self.numbers.add(mid, head + octets, tightening_id, self.controller.clock.now)
        else:
            self.deliver(head + octets)

    def give_up(self, what):
        """Close: this was not acknowledged, however often it was sent."""
        self.close("controller: %s was not acknowledged" % what)

    def say_exactly(self, mid, revision, octets, spindle=None):
        """Send a message without a NUL: its last bytes are samples (OP 3.8 p. 58). `spindle`: of its header."""
        options = self.options
        if self.numbers is not None:
            self.say(mid, revision, octets, None, spindle)
        elif not self.wants_close:
            place = options.station, spindle or options.spindle
            self.send(frames.header(mid, revision, len(octets), options.header, *place) + octets)

    def deliver(self, frame):
        """Send a message with its NUL, in the way the options ask for."""
        options = self.options
        if self.wants_close:
            return
        if options.nul == "late":
            self.send(frame)
            self.send_later(b"\0", options.nul_late_ms, self.controller.clock.now)
        else:
            self.send(frame if options.nul == "missing" else frame + b"\0")
        self.count_sent += 1
        if self.count_sent == self.drop_sent:
            self.close("controller: drops after sending message %d" % self.count_sent)


def _number(octets):
    return digits_only(octets) and octets != b"00"
