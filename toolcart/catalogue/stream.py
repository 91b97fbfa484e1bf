"""From octets of a connection to whole messages: frames by their length, linked parts put together (OP 2.2.6 p. 30).

    frames = Frames()
    linked = Linked()
    for frame in frames.feed(octets):
        parts = linked.add(frame)
        if parts:
            message = catalogue.decode(parts[0]) if len(parts) == 1 else catalogue.decode_parts(parts)

Rules
1. A frame ends where its length says, never at a NUL: samples may hold any octet. NULs before a length are dropped.
2. A length that is none ends in FrameError, when all frames before it were given: at once, or at the next call. The
   connection is to be closed then, for it is unknown where the next begins. Each later call raises the same, and keeps
   nothing more.
3. A frame is a part where the first of its two digits is 2 to 9. With anything else there (1 of 1, 1 of 0, a letter) it
   is whole, as it is to the agent.
4. Parts belong together by MID, revision, station and spindle. Part 1 begins again; the same part twice counts once.
"""

from .errors import FrameError, octets_of, quoted
from .forms import HEADER_BYTES

WAITING_MOST = 16  # messages of which parts are kept at the same time


class Frames:
    """Cuts a stream into frames, however the bytes come.

    >>> import toolcart
    >>> frames = toolcart.Frames()
    >>> list(frames.feed(b"0020999")), list(frames.feed(b"9001         \\0"))
    ([], [b'00209999001         '])
    """

    def __init__(self):
        self.buffer = b""

    def _end(self, buffer, at):
        """Return where the frame at `at` ends; 0 where no length stands there."""
        length = buffer[at : at + 4]
        announced = int(length) if length.isdigit() else 0
        return at + announced if announced >= HEADER_BYTES else 0

    def feed(self, octets):
        """Return the frames that these bytes complete, as bytes without the NUL behind them.

        FrameError where a length belongs and none stands, now and at each later call; `feed(b"")` asks for it.
        """
        if len(self.buffer) >= 4 and not self._end(self.buffer, 0):
            raise FrameError("%s in place of a length" % quoted(self.buffer[:4]))
        buffer = self.buffer + octets_of(octets)
        frames = []
        at = 0
        while True:
            while buffer[at : at + 1] == b"\0":
                at += 1
            if len(buffer) - at < 4:
                break
            end = self._end(buffer, at)
            if not end:
                if frames:
                    break
                self.buffer = buffer[at:]
                raise FrameError("%s in place of a length" % quoted(self.buffer[:4]))
            if len(buffer) < end:
                break
            frames.append(buffer[at:end])
            at = end
        self.buffer = buffer[at:]
        return frames


class Linked:
    """Keeps the parts of linked messages until all are there.

    >>> import toolcart
    >>> linked = toolcart.Linked()
    >>> first, second = toolcart.encode_linked(31, 2, most=40, job_ids=[1, 2, 3, 4, 5])
    >>> linked.add(first)
    []
    >>> toolcart.decode_parts(linked.add(second))["job_count"]
    5
    """

    def __init__(self):
        self.waiting = {}  # MID, revision, station, spindle -> the parts so far
        self.abandoned = 0  # messages of which not all parts came

    def add(self, frame):
        """Return the parts of the message that this frame completes, [] while some are missing.

        FrameError for a part that is not the next one; its message is forgotten.
        """
        frame = octets_of(frame)
        parts, part = frame[18:19], frame[19:20]
        if not b"2" <= parts <= b"9":
            return [frame]
        if not (part.isdigit() and 1 <= int(part) <= int(parts)):
            raise FrameError("part %s of %s" % (quoted(part), quoted(parts)))
        key = frame[4:11] + frame[12:16]
        had = self.waiting.pop(key, [])
        if part == b"1":
            if had and had != [frame]:
                self.abandoned += 1
            had = []
        elif had and had[-1] == frame:
            self.waiting[key] = had
            return []
        elif len(had) != int(part) - 1 or had[0][18:19] != parts:
            self.abandoned += 1 if had else 0
            raise FrameError("part %d of %d came where part %d belongs" % (int(part), int(parts), len(had) + 1))
        had.append(frame)
        if part == parts:
            return had
        if len(self.waiting) >= WAITING_MOST:
            self.waiting.pop(next(iter(self.waiting)))  # the oldest one; any of them on MicroPython
            self.abandoned += 1
        self.waiting[key] = had
        return []
