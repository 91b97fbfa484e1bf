"""The framing of a message on a serial line: four forms are written, every form seen is read, nothing is copied.

    V0  message [00]                V1  STX message [00] ETX
    V3  message [00] ETX            V2  BEL HT BEL HT STX message [00] ETX

Rules (OP 2.1.2.1 p. 22-24, 3.3.2 p. 42-43; the document's figures and examples disagree, so the form is a setting)
1. Reading: a run of BEL and HT is skipped, then at most one STX, then come the four digits of the length; the message
   may be followed by nothing, NUL, ETX, or NUL and ETX.
2. Writing: a message is at tx[MESSAGE_AT:], so that tag and STX fit before it without moving it. NUL is sent.
3. `auto` uses the next form with each message and keeps the first one that is answered: a peer that does not know a
   form stays silent. After a connection on which nothing was answered the form is given up again.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number

FORM_V0 = const(0)
FORM_V1 = const(1)
FORM_V2 = const(2)
FORM_V3 = const(3)
FORM_NAMES = ("v0", "v1", "v2", "v3")

STX = const(0x02)
ETX = const(0x03)
BEL = const(0x07)
HT = const(0x09)

MESSAGE_AT = const(16)  # what comes before a message fits there
FRONT_BYTES = const(5)  # at most: tag and STX
TAIL_BYTES = const(2)  # at most: NUL and ETX
MESSAGE_MIN = const(20)  # a header
MESSAGE_KB = const(10)  # a length has four digits
NO_MESSAGE = const(-1)

# What both serial links count, in the order of `tally`.
TALLY_NAKS_SENT = const(0)
TALLY_NAKS_GOT = const(1)
TALLY_REPEATS = const(2)  # attempts after the first one
TALLY_SILENCES = const(3)  # QVZ or ZVZ ran out
TALLY_JUNK = const(4)  # bytes that belong to no message
TALLY_REFUSED = const(5)  # whole blocks or messages that are not Open Protocol
TALLY_CONFLICTS = const(6)
TALLY_NAMES = ("naks sent", "naks received", "repeats", "line silences", "junk octets", "not a message", "conflicts")

_AUTO_BLOCK = b"\x02\x00\x01"  # V2, V0, V1: 3964R
_AUTO_PLAIN = b"\x02\x01"  # plain ASCII has no form without STX


class Form:
    """The form that is sent; `name` is a value of the setting `payload` (auto, v0 .. v3)."""

    __slots__ = ("_answered", "_locked", "_next", "auto", "form", "order")

    def __init__(self, name, plain=False):
        self.order = _AUTO_PLAIN if plain else _AUTO_BLOCK
        self.auto = name == "auto"
        self.form = self.order[0] if self.auto else FORM_NAMES.index(name)
        if plain and (self.form == FORM_V0 or self.form == FORM_V3):
            self.form = FORM_V1
        self._next = 0
        self._locked = False
        self._answered = False

    def reset(self):
        """Begin a new connection."""
        if not self._answered:
            self._locked = False
        self._answered = False

    def put(self, tx, n):
        """Frame the n bytes at tx[MESSAGE_AT:]; return where the framed text begins. It ends at `end_of(n)`."""
        if self.auto and not self._locked:
            self.form = self.order[self._next]
            self._next = (self._next + 1) % len(self.order)
        at = MESSAGE_AT + n
        tx[at] = 0
        tx[at + 1] = ETX
        at = MESSAGE_AT
        if self.form == FORM_V1 or self.form == FORM_V2:
            at -= 1
            tx[at] = STX
        if self.form == FORM_V2:
            at -= 4
            tx[at] = tx[at + 2] = BEL
            tx[at + 1] = tx[at + 3] = HT
        return at

    def end_of(self, n):
        """Return where the framed text of an n byte message ends in tx."""
        return MESSAGE_AT + n + (1 if self.form == FORM_V0 else 2)

    def answered(self):
        """Take note that a message came: the peer understands the last form sent."""
        self._answered = True
        self._locked = True


def begin_of(buf, end):
    """Return where the message in buf[0:end] begins, NO_MESSAGE if there is none."""
    at = 0
    while at < end and (buf[at] == BEL or buf[at] == HT):
        at += 1
    if at < end and buf[at] == STX:
        at += 1
    if at + MESSAGE_MIN > end or number(buf, at, 4) < MESSAGE_MIN:
        return NO_MESSAGE
    return at


def tail_fits(buf, at, end):
    """True if buf[at:end], what follows the message, is one of the four tails."""
    if at < end and buf[at] == 0:
        at += 1
    if at < end and buf[at] == ETX:
        at += 1
    return at == end
