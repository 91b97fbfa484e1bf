"""MID 0900 and 0901: how curves are asked for, and what one message says.

    0900  octet 20      30      49                          52
               | result | time  | [object 4, type 1,       | fields | trace  | [traces| trans- | unit | [MID   | ..
                 ID 10    19      reference 4: revision 3]   3, ..    type 2   2: 3]    ducer 2  3      4: 2, 3]
          ..   | parameter fields 3, .. | resolutions 3, each 18 and its value | samples 5 | NUL | samples, 2 each
    0901       | result ID 10 | time 19 | count 3 | [MID 4: 2, 3] | [object 9, trace type 2: 3] | fields
    0008       | 0900 | revision 3 | length 2 | alternative 0 | stamp 19 | index 10 | [flag] | types 2 | each 3 |

(OP 5.27.1 p. 257-264, protocol.md 10.11; a field is 17 octets and its value, toolcart.agent.openprotocol.variable)

Rules
1. The samples begin behind the NUL that follows the number of samples: found by walking the fields, never by looking
   for a NUL. They end where the header says; if that is not the announced number, the curve is odd and keeps what came.
2. Parameter 02213 divides the samples, 02214 multiplies them (OP 5.27.1 p. 259, 6.5 p. 283); both are read from every
   message. Decimal text and exponents become a fraction of integers: a board's floats have too few digits.
3. Curves of several bolts are told apart by PID 01301, which a fixtured system has among the fields that all curves
   share (A310 p. 49), or by the object of revision 3.
4. Of several resolutions only the number of samples of each is used: the document does not say where indexes begin.
5. If the controller rejects the request, its other forms are tried: 35 octets of data for one type (OP 5.27.1.1 p. 261
   and releases from 2.9 on), the same in zeros, 36 with the flag of OP 5.27.1.1 p. 260.

Imported where traces are configured.
"""

from math import gcd

from toolcart.agent.base.fields import is_blank
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.light_result import is_stamp
from toolcart.agent.openprotocol.subscriptions import Subscription
from toolcart.agent.openprotocol.variable import decimal
from toolcart.agent.record.graph import PARAMETERS, STEPS_MOST

CPYTHON_ONLY = True  # no outlet of a board takes curves

CURVES = 900
PLOT_PARAMETERS = 901
TYPES = ("angle", "torque", "current", "gradient", "stroke", "force")  # from 1 on (OP 5.27.1 p. 258)

READ = 0
LOST_UNREADABLE = 1  # its fields do not lead to the samples, or its revision is not known
LOST_EMPTY = 2  # no sample in it
LOST_CUT = 3  # longer than what is taken whole: TRACE_BYTES of toolcart.agent.linux.controller_curves
LOST_ROOM = 4  # the log did not take it
LOST_LONG = 5  # longer than the ring of graphs
LOST_STEPS = 6  # more resolutions than a record has room for

_BOLT = 1301
_DIVISOR = 2213
_FACTOR = 2214
_MS = {200: 1000, 201: 60000, 202: 1, 203: 3600000}  # of the units of time
_POWER_MOST = 40
_TOP = 0x3FFFFFFF
_NUMBER_MOST = 9999  # of a bolt or an object

_PLAIN = 0
_ZEROS = 1
_FLAGGED = 2
_FORMS = ((1, _PLAIN), (2, _PLAIN), (3, _PLAIN), (1, _ZEROS), (1, _FLAGGED))


class TraceSubscription(Subscription):
    """Curves of these types (numbers), or the plot parameters if there are none; `handler` takes what comes."""

    def __init__(self, types):
        mid = CURVES if types else PLOT_PARAMETERS
        Subscription.__init__(self, (8, 9, mid, b"", False, ((mid, 5),)), _FORMS if types else _FORMS[:3])
        self._types = b"%02d" % len(types) + b"".join([b"%03d" % one for one in types]) if types else b""
        self.clearing = b"%04d001%02d" % (mid, len(self._types)) + self._types
        self.data = bytes(self._extra_bytes(_FLAGGED) + 9)  # as long as the longest: the link makes room for it

    def revision(self):
        """Write the data of the request; return the header's own revision, 1."""
        revision, form = self.revisions.wanted()
        extra = b""
        if self._types:
            extra = b"0" + (b" " if form != _ZEROS else b"0") * 29 + (b"0" if form == _FLAGGED else b"") + self._types
        self.data = b"%04d%03d%02d" % (self.row[2], revision, self._extra_bytes(form)) + extra
        return 1

    def _extra_bytes(self, form):
        return 30 + len(self._types) + (form == _FLAGGED) if self._types else 0


class _Unreadable(Exception):
    """A field is not what it has to be, or behind the end."""


class Trace:
    """The contents of one message. Offsets are those of its buffer."""

    def __init__(self):
        self._buf = b""
        self._end = 0
        self.at = 0
        self.odd = False
        self.what = PARAMETERS
        self.bolt = 0  # of PID 01301, 0 if there is none
        self.object = 0  # of revision 3
        self.transducer = 0
        self.unit = 0
        self.scale = (1, 1, 0)  # numerator, denominator, power of two
        self.steps = []  # (samples, numerator, denominator of the ms between two)
        self.announced = 0
        self.count = 0  # samples; bytes of text in a 0901
        self.octets = 0

    def read(self, buf, at, length, mid, revision):
        """Read the message at buf[at:at+length]: READ or a LOST_ code. Afterwards `at` is where its data begins."""
        self._buf = buf
        self._end = at + length
        self.odd = False
        self.at = at + HEADER_BYTES + 29
        self.scale = (1, 1, 0)
        self.bolt = self.object = 0
        self.steps = []
        stamp = at + HEADER_BYTES + 10
        if not 1 <= revision <= 3 or length < HEADER_BYTES + 29:
            return LOST_UNREADABLE
        if not is_stamp(buf, stamp) and not is_blank(buf, stamp, 19):
            return LOST_UNREADABLE
        try:
            return self._curve(revision) if mid == CURVES else self._parameters(revision)
        except _Unreadable:
            return LOST_UNREADABLE

    def _parameters(self, revision):
        self.what = PARAMETERS
        self.transducer = self.unit = self.announced = 0
        first = self.at + (3, 7, 18)[revision - 1]
        try:
            self.announced = self._number(3)
            if revision > 2:
                self.at += 4  # MID that it was asked for by
                self._read_object()
            self.at = first
            for _ in range(self.announced):
                self._note_bolt(*self._field())
            self.odd = self.at != self._end
        except _Unreadable:
            self.odd = True
        self.at = first
        self.count = self.octets = self._end - first
        if self.octets <= 0:
            return LOST_EMPTY if self.octets == 0 else LOST_UNREADABLE
        return READ

    def _curve(self, revision):
        if revision > 2:
            self._read_object()
            self.at += 5  # its type, and what it refers to
        self.odd = True  # until a coefficient is found
        self._read_scale(self._number(3))
        self.what = self._number(2)
        if revision > 2:
            self.at += 2
        self.transducer = self._number(2)
        self.unit = self._number(3)
        if revision > 1:
            self.at += 4
        self._read_scale(self._number(3))
        steps = self._number(3)
        if steps > STEPS_MOST:
            return LOST_STEPS
        for _ in range(steps):
            self._read_step()
        self.announced = self._number(5)
        if self.what == PARAMETERS:
            return LOST_UNREADABLE
        if self.at >= self._end:
            return LOST_EMPTY if self.announced == 0 else LOST_UNREADABLE
        if self._buf[self.at]:
            return LOST_UNREADABLE
        self.at += 1
        octets = self._end - self.at
        self.count = octets // 2
        self.octets = self.count * 2
        if self.count == 0:
            return LOST_EMPTY
        if octets & 1 or self.count != self.announced:
            self.odd = True
        self._fit_steps()
        return READ

    def _read_scale(self, count):
        """Find the coefficient among the fields; some have it in front of the unit, among what all curves share."""
        for _ in range(count):
            pid, value = self._field()
            self._note_bolt(pid, value)
            if pid != _DIVISOR and pid != _FACTOR:
                continue
            found = fraction(value)
            if found is not None and pid == _DIVISOR:
                found = (found[1], found[0])
            scale = None if found is None else within(found[0], found[1])
            self.odd = scale is None
            if scale is not None:
                self.scale = scale

    def _read_object(self):
        text = self._text(4)
        self.object = int(text) if text.isdigit() else 0

    def _note_bolt(self, pid, value):
        if pid == _BOLT and value.isdigit() and int(value) <= _NUMBER_MOST:
            self.bolt = int(value)

    def _read_step(self):
        first = self._number(5)
        last = self._number(5)
        octets = self._number(3)
        self.at += 2
        scale = _MS.get(self._number(3), 0)
        value = self._text(octets)
        found = fraction(value) if scale else None
        step = None
        if found is not None:
            numerator, denominator = found[0] * scale, found[1]
            while numerator >> 30 and denominator > 9:  # a power of ten: only what is behind the ninth digit is lost
                numerator //= 10
                denominator //= 10
            step = within(numerator, denominator)
        if step is not None and step[2]:  # a record has no power of two here: both lose their last digits
            numerator, denominator, shift = step
            step = (numerator, denominator >> shift) if shift > 0 else (numerator >> -shift, denominator)
        if step is None or not step[0] or not step[1]:
            step = (0, 1)  # not known
            self.odd = True
        self.steps.append((last - first + 1, step[0], step[1]))

    def _fit_steps(self):
        """Give every sample a step: the last step holds for all that are left."""
        left = self.count
        for index in range(len(self.steps)):
            count, numerator, denominator = self.steps[index]
            if index == len(self.steps) - 1:
                if count != left:
                    self.odd = True
                count = left
            elif not 0 <= count <= left:
                self.odd = True
                count = left
            self.steps[index] = (count, numerator, denominator)
            left -= count
        if not self.steps:
            self.odd = True

    # -- pieces of the message ---------------------------------------------------------------------------------

    def _text(self, width):
        first = self.at
        self.at = first + width
        if self.at > self._end:
            raise _Unreadable
        return bytes(self._buf[first : self.at]).replace(b"\0", b" ").strip()

    def _number(self, width):
        """Return the number of so many digits, padded on either side; 0 if it is blank or not a number."""
        text = self._text(width)
        if text and not text.isdigit():
            raise _Unreadable
        return int(text or 0)

    def _field(self):
        """Read a variable data field and go past it; return its PID and its value."""
        pid = self._number(5)
        octets = self._number(3)
        for width in (2, 3, 4):  # data type, unit, step: what is no number there is no field
            self._number(width)
        return pid, self._text(octets)


def fraction(text):
    """Return a decimal number, with or without an exponent, as (numerator, denominator); None if it is not above 0.

    `0.000854` is (854, 1000000), `00001.234e+2` (1234, 10).
    """
    found = decimal(text, 0, len(text)) if text[:1] != b"+" else None
    if found is None or found[0] <= 0 or not -_POWER_MOST <= found[1] <= _POWER_MOST:
        return None
    value, power = found
    return (value * 10**power, 1) if power >= 0 else (value, 10**-power)


def within(numerator, denominator):
    """Reduce a fraction until both are below 2**30: (numerator, denominator, power of two); None if one becomes 0."""
    common = gcd(numerator, denominator)
    numerator //= common
    denominator //= common
    shift = 0
    while numerator > _TOP:
        numerator >>= 1
        shift += 1
    while denominator > _TOP:
        denominator >>= 1
        shift -= 1
    return (numerator, denominator, shift) if numerator and denominator and -127 <= shift <= 127 else None
