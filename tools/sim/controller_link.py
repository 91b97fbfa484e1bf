"""The strict half of a controller connection: bytes to messages, every header byte checked, and back.

Rules:
1. A message ends where its length field says, followed by one NUL that is not counted (003:1387-1390).
2. The integrator's header is checked field by field (003:1078-1163); what is wrong is a complaint, its
   message ignored.
3. What can no longer be told apart closes the connection.
4. The options decide how our own messages look: header style, NUL missing, late or counted.
"""

from tools.sim import controller_frames as frames
from tools.sim.controller_numbers import UNNUMBERED
from tools.sim.endpoint import Endpoint, digits_only, text_of

PORTABLE = True

# Data bytes of what an integrator may send, by MID; None: not checked.
_DATA_BYTES = {
    1: 0,
    3: 0,
    12: 3,
    40: 0,
    60: 0,
    62: 0,
    63: 0,
    64: 10,
    70: 0,
    72: 0,
    73: 0,
    75: 0,
    77: 0,
    80: 0,
    9997: 4,
    9998: 8,
    9999: 0,
}
# Link acknowledges: these alone carry a number of ours (003:1463-1468).
_LINK_ACKNOWLEDGES = (9997, 9998)
# MIDs of subscriptions: only these may carry a no-ack flag (003:1114-1125).
_SUBSCRIPTIONS = (8, 60, 70)


class ControllerLink(Endpoint):
    """Framing and header checks; ControllerSession gives `message` its meaning."""

    def __init__(self, controller):
        super().__init__(controller.complaints, controller.closings)
        self.controller = controller
        self.options = controller.options
        self.drop_sent = 0  # close after this many messages; 0: never
        self.numbers = None  # the NumberedSender of a session with link-level numbers
        self._received = b""
        self.count_sent = 0

    def message(self, frame, now):
        """Do what a whole message asks for."""
        raise NotImplementedError

    def receive(self, octets, now):
        self._received += octets
        taken = 0
        while not self.wants_close:
            frame = self._next_frame()
            if frame is None:
                break
            taken += 1
            self.message(frame, now)
        if self.options.whole_writes and (self._received or not taken):
            self.complain("message in pieces: " + text_of(octets))

    def _next_frame(self):
        """Return the next whole message without its NUL, or None; what is malformed closes."""
        received = self._received
        if len(received) < 4:
            return None
        if not digits_only(received[:4]):
            return self.malformed("length field is not four digits")
        length = int(received[:4])
        if length < frames.HEADER_BYTES:
            return self.malformed("length is below 20")
        if len(received) <= length:
            return None
        if received[length] != 0:
            return self.malformed("no NUL after %d bytes" % length)
        self._received = received[length + 1 :]
        return received[:length]

    def malformed(self, why):
        self.complain(why + ": " + text_of(self._received[:60]))
        self._received = b""
        self.close("controller: malformed message")

    def check_header(self, frame, mid):
        """Complain and return False if the header is not what an integrator writes (003:1078-1163)."""
        wrong = None
        if not digits_only(frame[8:11]) or frame[8:11] == b"000":
            wrong = "revision is not 001..999"
        elif frame[11:12] != b" " and not (mid in _SUBSCRIPTIONS and frame[11:12] == b"0"):
            wrong = "no-ack flag"
        elif not _blank_or_number(frame[12:14]):
            wrong = "station"
        elif not _blank_or_number(frame[14:16]):
            wrong = "spindle"
        elif self.options.expected_station is not None and frame[12:14] != self.options.expected_station:
            wrong = "station is not the expected one"
        elif mid in _LINK_ACKNOWLEDGES and (not _number(frame[16:18]) or frame[18:20] != b"  "):
            wrong = "number of a link acknowledge"
        elif mid not in _LINK_ACKNOWLEDGES and frame[16:20] != b"    ":
            wrong = "sequence number or message parts are not blank"
        elif mid in _DATA_BYTES and len(frame) - frames.HEADER_BYTES != _DATA_BYTES[mid]:
            wrong = "data field of %d bytes instead of %d" % (
                len(frame) - frames.HEADER_BYTES,
                _DATA_BYTES[mid],
            )
        elif mid in (12, 64, 9997, 9998) and not digits_only(frame[20:]):
            wrong = "data field is not digits"
        if wrong is None:
            return True
        self.complain("%04d: %s: %s" % (mid, wrong, text_of(frame)))
        return False

    def accept(self, mid):
        self.say(5, 1, frames.field(mid, 4))

    def refuse(self, mid, code):
        self.say(4, 1, frames.field(mid, 4) + frames.field(code, self.options.refuse_digits))

    def say(self, mid, revision, octets, tightening_id=None):
        options = self.options
        counted = 1 if options.nul == "counted" else 0
        head = frames.header(mid, revision, len(octets) + counted, options.header, options.station, options.spindle)
        if self.numbers is not None and mid not in UNNUMBERED:
            self.numbers.add(mid, head + octets, tightening_id, self.controller.clock.now)
        else:
            self.deliver(head + octets)

    def deliver(self, frame):
        """Send a message with its NUL, in the way the options want it."""
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


def _blank_or_number(octets):
    return octets == b"  " or _number(octets)


def _number(octets):
    return digits_only(octets) and octets != b"00"
