"""Inputs for the fuzz of the parsers: valid telegrams of the documents, then spoiled, cut, joined or replaced by noise.

Rules
1. An input follows from its dice alone, on any interpreter.
2. Valid inputs stay frequent: half of the telegrams are left intact, and most parts, so that deep states are
   reached.
3. An input has some 2,000 bytes at most; length fields claim anything.
"""

from toolcart.sim.controller_frames import header, old_result_data, result_data, start_data
from toolcart.sim.controller_model import Identity, Tightening
from toolcart.sim.r3964_peer import ALL_FORMS, block_of, wire_form

PORTABLE = True

_LENGTHS = (
    b"0000",
    b"0019",
    b"0020",
    b"0021",
    b"0120",
    b"0122",
    b"0999",
    b"9999",
    b"    ",
    b"12 4",
    b"-020",
    b"\0\0\0\0",
)
# Bytes with a meaning somewhere: NUL, STX, ETX, BEL, HT, DLE, NAK, blank, digits and their neighbours, high ones.
_OCTETS = b"\x00\x02\x03\x07\x09\x10\x15\x20\x2f\x30\x31\x32\x39\x3a\x41\x7e\x7f\x80\xff"
_NOISE_MAX = 300

# example.md 1: the worked example of the light result
LIGHT = (
    b"01210061999 0101    WVWZZZ1KZAW123456        070120006000400120042370009"
    b"52024-03-14:09:26:532024-02-01:08:00:000001234567"
)
# example.md 4: 12, 05, 06, 08; then a refusal and a 05 with a longer text
TELEGRAMS = (
    b"00071200001",
    b"0024050004220240314092654000",
    b"00070600044",
    b"00370800001000160000310.0.0.5       10111",
    b"0024050004220240314092654017",
    b"00410500042202403140926540010123456789abcdef",
    b"0132" + b"13" + b"x" * 130,
)


def _message(mid, text=b"", revision=1):
    return header(mid, revision, len(text)) + text


def _answers():
    """Return what a controller sends besides results."""
    identity = Identity()
    found = [_message(2, start_data(identity, revision, 0), revision) for revision in (1, 3, 5, 6)]
    identity.sequence_numbers = identity.linking = 1
    found.append(_message(2, start_data(identity, 6, 0), 6))
    found += [_message(5, b"%04d" % mid) for mid in (1, 3, 60, 63, 64)]
    found += [
        _message(4, b"%04d%02d" % pair) for pair in ((1, 97), (60, 97), (60, 9), (64, 15), (40, 99), (3, 1), (60, 98))
    ]
    found += [_message(4, b"0064015"), _message(9999), b"00209999            ", _message(41, b"01C3412129      ")]
    found += [
        b"00249997001     02  0061",
        b"00289998001     02  00610003",
        _message(900, b"1" * 90 + b"\0\x00\x02\x10\x03"),
    ]
    found += [_message(71, b"01E404"), _message(1201, b"001001"), _message(9001, b"x" * 400)]
    return found


def _number(dice, frame):
    """Return the frame with a link-level number or with numbers of parts, if its header allows."""
    if dice.randrange(2):
        return frame[:16] + b"%02d" % dice.randrange(5) + frame[18:]
    return frame[:18] + b"%d%d" % (dice.randrange(5), dice.randrange(5)) + frame[20:]


def _parts(dice, frame, count):
    """Return the frame in `count` parts, mostly in order."""
    step = (len(frame) - 20) // count + 1
    found = []
    for part in range(1, count + 1):
        data = frame[20 + (part - 1) * step : 20 + part * step]
        found.append(b"%04d" % (20 + len(data)) + frame[4:18] + b"%d%d" % (count, part) + data)
    if dice.randrange(4) == 0:
        at = dice.randrange(count)
        found.insert(dice.randrange(count), found.pop(at) if dice.randrange(2) else found[at])
    return found


def _noise(dice, most):
    return bytes([dice.randrange(256) for _ in range(dice.randrange(most))])


def _spoil(dice, octets):
    """Return the bytes with one thing wrong with them."""
    at = dice.randrange(len(octets) + 1)
    how = dice.randrange(9)
    if how == 0:
        return octets[:at]
    if how == 1:
        return octets[at:]
    if how == 2:
        return octets[:at] + _noise(dice, 12) + octets[at:]
    if how == 3:
        return octets[:at] + octets[at + 1 + dice.randrange(9) :]
    if how == 4:
        return _LENGTHS[dice.randrange(len(_LENGTHS))] + octets[4:]
    if how == 5:
        return octets[: at + 1 + dice.randrange(20)] + octets[at:]
    if how == 6:
        return octets[:at] + _noise(dice, 3)[:1] + octets[at + 1 :]
    octet = _OCTETS[dice.randrange(len(_OCTETS))]
    return octets[:at] + bytes([octet]) + octets[at + 1 :]


class Messages:
    """Streams of Open Protocol messages, each with its NUL."""

    spoilt = 2  # one in so many telegrams

    def __init__(self):
        result = Tightening()
        result.tightening_id = 1234567
        result.vin = b"WVWZZZ1KZAW123456"
        result.torque, result.angle = 4237, 95
        result.time, result.pset_change = "2024-03-14:09:26:53", "2024-02-01:08:00:00"
        found = [LIGHT, LIGHT]
        for revision in range(1, 8):
            found.append(_message(61, result_data(result, revision), revision))
            found.append(_message(65, old_result_data(result, revision), revision))
        found.append(_message(61, result_data(result, 6) + b"560257020042370009500423700095", 998))
        self.results = found
        self.answers = _answers()

    def make(self, dice):
        if dice.randrange(50) == 0:
            return _noise(dice, _NOISE_MAX)
        found = b""
        for _ in range(1 + dice.randrange(5)):
            for frame in self._frames(dice):
                text = self.wrap(dice, frame)
                found += text if dice.randrange(self.spoilt) else _spoil(dice, text)
            if len(found) > 1500:
                break
        return found

    def _frames(self, dice):
        source = self.results if dice.randrange(3) else self.answers
        frame = source[dice.randrange(len(source))]
        how = dice.randrange(6)
        if how == 0:
            return (_number(dice, frame),)
        return _parts(dice, frame, 2 + dice.randrange(3)) if how == 1 else (frame,)

    def wrap(self, dice, frame):
        return frame + b"\0" * (1 if dice.randrange(8) else dice.randrange(3))

    def beginnings(self, way):
        """Return what a session receives first: nothing, a start, a subscription, one with link-level numbers."""
        if way == 0:
            return ()
        start = self.answers[4 if way == 5 else 0]
        subscribed = _message(5, b"0060")
        if way == 5:
            subscribed = subscribed[:16] + b"01" + subscribed[18:]
        first = self.wrap(_Even, start)
        return (first,) if way == 1 else (first, self.wrap(_Even, subscribed))


class _Even:
    """Dice that always give the same: the usual form of everything."""

    @staticmethod
    def randrange(most):
        return 1 % most


class Ascii(Messages):
    """The same on a plain serial line."""

    def wrap(self, dice, frame):
        return (
            b"\x07\x09\x07\x09"[: 4 * (dice.randrange(9) == 0)] + b"\x02" + frame + b"\0\x03"[dice.randrange(3) == 0 :]
        )


class Blocks(Messages):
    """The same in blocks of 3964R, in each of the four forms, handshake and all."""

    def wrap(self, dice, frame):
        text = wire_form(frame, ALL_FORMS[dice.randrange(4)])
        block = block_of(text if dice.randrange(3) else _spoil(dice, text))
        return b"\x02" + block + (b"" if dice.randrange(6) else b"\x10\x15"[dice.randrange(2) :])


class OneByOne(Messages):
    """What a controller sends over 3964R if it keeps to it: a list of handshakes with blocks, whatever they hold."""

    def make(self, dice):
        found = []
        for _ in range(1 + dice.randrange(5)):
            for frame in self._frames(dice):
                found.append(self.wrap(dice, frame if dice.randrange(self.spoilt) else _spoil(dice, frame)))
        return found

    def wrap(self, dice, frame):
        return b"\x02" + block_of(wire_form(frame, ALL_FORMS[dice.randrange(4)]))


class Linked(Messages):
    """Results of which most come in parts, from a controller whose MID 0002 revision 6 announces that."""

    spoilt = 12  # of parts: one is enough to spoil a result

    def __init__(self):
        Messages.__init__(self)
        identity = Identity()
        identity.linking = 1
        self.answers[0] = self.answers[4] = _message(2, start_data(identity, 6, 0), 6)

    def _frames(self, dice):
        if dice.randrange(4) == 0:
            return Messages._frames(self, dice)
        return _parts(dice, self.results[dice.randrange(len(self.results))], 2 + dice.randrange(8))


class LinkedOneByOne(Linked):
    """The same over 3964R."""

    make = OneByOne.make
    wrap = OneByOne.wrap


class OneMessage(Messages):
    """One message with its header, however spoiled after its first 20 bytes; its length field may lie."""

    def make(self, dice):
        source = (self.results, (LIGHT,), (LIGHT[:20] + _noise(dice, 300),))[dice.randrange(9) // 4]
        frame = source[dice.randrange(len(source))]
        if dice.randrange(5) == 0:
            frame = _number(dice, frame)
        for _ in range(dice.randrange(4)):
            frame = frame[:8] + _spoil(dice, frame[8:])
        return frame if len(frame) >= 20 else frame + b" " * 20


class Telegrams:
    """Streams of ToolsNet telegrams."""

    def make(self, dice):
        if dice.randrange(50) == 0:
            return _noise(dice, _NOISE_MAX)
        found = b""
        for _ in range(1 + dice.randrange(6)):
            telegram = TELEGRAMS[dice.randrange(len(TELEGRAMS))]
            found += telegram if dice.randrange(2) else _spoil(dice, telegram)
        return found
