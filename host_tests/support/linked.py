"""Results in parts for tests: cuts a message as a controller would, and a plain model of what has to come of parts.

The model keeps the bytes of one message under way and knows nothing of buffers but their sizes. Its rules are those of
toolcart.agent.openprotocol.linked, written down a second time with joins and slices.
"""

from toolcart.agent.link.stream import CUT_SHORT_BYTES
from toolcart.agent.openprotocol import states as st
from toolcart.agent.openprotocol.linked import LEFT_BYTES, LEFT_LARGE_BYTES

PORTABLE = True


def part_of(message, count, part, data, sequence=0):
    """Return one part: the message's own header with its length and numbers, then a piece of its data."""
    number = b"%02d" % sequence if sequence else message[16:18]
    return b"%04d" % (20 + len(data)) + message[4:16] + number + b"%d%d" % (count, part) + data


def parts_of(message, count, first_sequence=0):
    """Cut the message into `count` parts of about the same size; numbered from `first_sequence` on, if it is not 0."""
    step = (len(message) - 20 + count - 1) // count
    parts = []
    for part in range(1, count + 1):
        data = message[20 + (part - 1) * step : 20 + part * step]
        parts.append(part_of(message, count, part, data, first_sequence + part - 1 if first_sequence else 0))
    return parts


def whole(message):
    """Return the message as it comes out of its parts: it says `0` where they had numbers."""
    return message[:18] + b"00" + message[20:]


class Model:
    """What a session makes of whole and linked MID 0061 in a buffer of `size` octets: events, results, answers."""

    def __init__(self, size):
        self.size = size
        self.joined = b""  # what is under way; nothing if empty
        self.events = []
        self.results = []

    def hear(self, frame):
        left = self.size - len(self.joined)
        if len(frame) > left:
            there = frame[: CUT_SHORT_BYTES if left > CUT_SHORT_BYTES else left]
        else:
            there = frame
        count = frame[18] - 0x30
        if frame[4:8] == b"9999":
            return
        if frame[4:8] != b"0061":
            if len(there) < len(frame) <= self.size:
                self.joined = b""
                self.events.append(st.EV_MALFORMED)
            else:
                self.events.append(st.EV_UNKNOWN)
        elif 2 <= count <= 9:
            self._part(frame, there, count, frame[19] - 0x30)
        elif len(there) == len(frame):
            self._result(st.EV_PUSHED, frame)
        elif len(frame) <= self.size:
            self.joined = b""
            self.events.append(st.EV_MALFORMED)
        else:
            self._result(st.EV_PUSHED_CUT, there)

    def _result(self, event, octets):
        self.events.append(event)
        self.results.append(octets)

    def left_bytes(self):
        """What parts leave to other messages: more where the buffer is large."""
        return LEFT_LARGE_BYTES if self.size >= 2048 else LEFT_BYTES

    def _part(self, frame, there, count, part):
        head = frame[4:11] + frame[12:16]
        under_way = self.joined != b""
        fits = under_way and head == self.head and count == self.count
        if fits and part == self.next - 1:
            if self.cut or (len(frame) == len(self.last) and self.last[20:].startswith(there[20:])):
                self.events.append(st.EV_MALFORMED)
                return
        if part == 1:
            self.joined = b""
            if under_way and len(there) < len(frame) <= self.size:
                self.events.append(st.EV_MALFORMED)
                return
            self.head = head
            self.count = count
            most = self.size - self.left_bytes()
            self.cut = len(there) < len(frame) or len(frame) > most
            self.joined = there[:most]
        elif fits and part == self.next:
            left = self.size - len(self.joined)
            most = left if part == count else left - self.left_bytes()
            self.cut = self.cut or len(there) < len(frame) or len(frame) - 20 > most
            if not self.cut:
                self.joined += frame[20:]
        else:
            self.joined = b""
            self.events.append(st.EV_MALFORMED)
            return
        self.next = part + 1
        self.last = frame
        if part == count:
            octets = b"%04d" % len(self.joined) + whole(self.joined)[4:]
            self._result(st.EV_PUSHED_CUT if self.cut else st.EV_PUSHED, octets)
            self.joined = b""
        elif part == 1 and under_way:
            self.events.append(st.EV_MALFORMED)
