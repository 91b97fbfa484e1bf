"""Telegram 09: an event of the log as ToolsNet wants it (004:189-204, DIGEST G.7).

    octet 4             23      37       42   47    50 52
          |09|ident|type|system|station|time 14|sequence|code|level|n |ID 3|type 1|value 20| ..

Rules
1. ToolsNet defines no codes, levels or parameters. An alarm's code is its digits, CODE_NONE if it has none or too many
   to fit; anything else has a code of ours: CODE_OURS plus what it is (toolcart.agent.record.event).
2. Level 0 is information and an acknowledged alarm, 1 an alarm, 2 an alarm with controller or tool not ready, and
   results that are gone.
3. A parameter's ID says what it is, its type how it is shown, as in telegram 04: 0 text, 1 a number. What the event
   does not have is left out. A text longer than one value goes on in the next IDs.

      1 code   2 controller ready   3 tool ready   4 to 7 words of an alarm, a parameter set, a command
     10 last change of a parameter set   20 to 28 fields of a job   30 to 37 identifiers of a vehicle
     40 first ID   41 last ID   42 how many   43 how many in all   44 epoch of results that are gone
     50 what became of a command   51 its MID   52, 53 who asked
"""

from toolcart.agent.base.fields import fill, is_plain, number, put_number, put_text, unpack_digits
from toolcart.agent.record import event as ev
from toolcart.agent.record.text_form import put_ascii, stripped
from toolcart.agent.toolsnet.telegram import begin, finish

CPYTHON_ONLY = True  # a board has room for results alone

ID_EVENT = 9

EVENT_BYTES_MAX = 340  # 4 + 48 + 12 parameters of 24
CODE_NONE = 99999
CODE_OURS = 60000


_TIME = 23
_SEQUENCE = 37
_CODE = 42
_LEVEL = 47
_COUNT = 50
_PARAMETERS = 52
_PARAMETER_BYTES = 24
_VALUE_BYTES = 20
_TIME_DIGITS = 14

# The fields of each kind: parameter, type, place in the text and width.
_DETAILS = {
    ev.ALARM: ((4, 0, 0, 50),),
    ev.PSET_SELECTED: ((4, 0, ev.PSET_NAME, 25), (10, 0, ev.PSET_CHANGE, 19)),
    ev.JOB: (
        (20, 1, ev.JOB_STATUS, 1),
        (21, 1, ev.JOB_MODE, 1),
        (22, 1, ev.JOB_SIZE, 4),
        (23, 1, ev.JOB_COUNTER, 4),
        (24, 1, ev.JOB_STEP, 3),
        (25, 1, ev.JOB_STEPS, 3),
        (26, 1, ev.JOB_STEP_TYPE, 2),
        (27, 1, ev.JOB_TIGHTENING, 2),
        (28, 1, ev.JOB_SEQUENCE, 5),
    ),
    ev.VIN: (
        (30, 0, 0, ev.VIN_MOST),
        (32, 0, ev.IDENTIFIER_2, 25),
        (34, 0, ev.IDENTIFIER_3, 25),
        (36, 0, ev.IDENTIFIER_4, 25),
    ),
    ev.GONE: (
        (40, 0, ev.GONE_FIRST, 10),
        (41, 0, ev.GONE_LAST, 10),
        (42, 1, ev.GONE_COUNT, 10),
        (43, 1, ev.GONE_TOTAL, 10),
        (44, 1, ev.GONE_EPOCH, 3),
    ),
    ev.COMMAND: (
        (50, 0, ev.COMMAND_OUTCOME, ev.COMMAND_OUTCOME_BYTES),
        (51, 1, ev.COMMAND_MID, 4),
        (52, 0, ev.COMMAND_WHO, ev.COMMAND_WHO_BYTES),
        (4, 0, ev.COMMAND_WORDS, ev.COMMAND_WORDS_BYTES),
    ),
}
_NO_DETAILS = ()


class EventWriter:
    """Writes telegram 09 of one station into `tx`."""

    def __init__(self, tx, system_type, system):
        if len(tx) < EVENT_BYTES_MAX:
            raise ValueError("an event takes up to %d octets, the buffer has %d" % (EVENT_BYTES_MAX, len(tx)))
        self.tx = tx
        self.system_type = system_type
        self.system = system
        self._count = 0

    def write(self, buf, at, ident, sequence):
        """Write the event whose payload is at buf[at:]; return the number of bytes to send.

        `sequence` is the event sequence 1..99999, `ident` the telegram's identifier.
        """
        tx = self.tx
        what = buf[at + ev.WHAT]
        begin(tx, ID_EVENT, ident)
        put_number(tx, 11, 4, self.system_type)
        put_number(tx, 15, 4, self.system)
        put_number(tx, 19, 4, buf[at + 4] | buf[at + 5] << 8)
        unpack_digits(tx, _TIME, buf, at + ev.TIME, _TIME_DIGITS)
        if buf[at + ev.TIME + 2] == 0:  # there is no month 0, and no server takes one
            fill(tx, _TIME, _TIME_DIGITS, 0x30)
            tx[_TIME] = 0x32
            tx[_TIME + 5] = tx[_TIME + 7] = 0x31
        put_number(tx, _SEQUENCE, 5, sequence)
        is_alarm = what == ev.ALARM or what == ev.ALARM_ACKNOWLEDGED
        put_number(tx, _CODE, 5, _code_of(buf, at + ev.CODE) if is_alarm else CODE_OURS + what)
        put_number(tx, _LEVEL, 3, _level_of(what, buf, at))
        self._count = 0
        self._put_parameters(what, buf, at)
        put_number(tx, _COUNT, 2, self._count)
        return finish(tx, _PARAMETERS + _PARAMETER_BYTES * self._count)

    def _put_parameters(self, what, buf, at):
        self._put(1, 0, buf, at + ev.CODE, ev.CODE_BYTES)
        self._put(2, 1, buf, at + ev.CONTROLLER_READY, 1)
        self._put(3, 1, buf, at + ev.TOOL_READY, 1)
        length = buf[at + ev.TEXT_LENGTH]
        for parameter, kind, place, width in _DETAILS.get(what, _NO_DETAILS):
            if place + width > length:
                width = length - place
            start = at + ev.TEXT + place
            text = buf
            if width > 0 and not is_plain(buf, start, width):
                room = -(-width // _VALUE_BYTES) * _VALUE_BYTES
                text = bytearray(room)
                put_ascii(text, 0, room, stripped(buf, start, width))
                start, width = 0, room
            while width > 0:
                self._put(parameter, kind, text, start, width if width < _VALUE_BYTES else _VALUE_BYTES)
                parameter += 1
                start += _VALUE_BYTES
                width -= _VALUE_BYTES

    def _put(self, parameter, kind, buf, start, width):
        """Add a parameter, unless the field is blank; one that should be a number and is not goes out as text."""
        while width > 0 and buf[start + width - 1] <= 0x20:
            width -= 1
        if width == 0:
            return
        if kind:
            if not _fits_integer(buf, start, width):
                kind = 0
        tx = self.tx
        at = _PARAMETERS + _PARAMETER_BYTES * self._count
        put_number(tx, at, 3, parameter)
        tx[at + 3] = 0x30 + kind
        fill(tx, at + 4, _VALUE_BYTES)
        put_text(tx, at + 4, buf, start, width)
        self._count += 1


def _fits_integer(buf, start, width):
    """True if these are the digits of a number below 2**31: at most nine, zeros in front apart."""
    while width > 9 and buf[start] == 0x30:
        start += 1
        width -= 1
    return width <= 9 and number(buf, start, width) >= 0


def _code_of(buf, at):
    """Return the number in an alarm's code: `E404` is 404 (DIGEST G.7); the field has five bytes."""
    value = -1
    ended = False
    for index in range(at, at + ev.CODE_BYTES):
        octet = buf[index]
        if not 0x30 <= octet <= 0x39:
            ended = value >= 0
        elif ended:
            return CODE_NONE  # two numbers: neither counts
        else:
            value = octet - 0x30 if value < 0 else value * 10 + octet - 0x30
    return value if value >= 0 else CODE_NONE


def _level_of(what, buf, at):
    if what == ev.GONE:
        return 2
    if what != ev.ALARM:
        return 0
    return 2 if buf[at + ev.CONTROLLER_READY] == 0x30 or buf[at + ev.TOOL_READY] == 0x30 else 1
