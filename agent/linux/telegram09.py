"""Telegram 09: an event of the log as ToolsNet wants it (TN 5.4, protocol.md 9.3).

    octet 4             23      37       42   47    50 52
          |09|ident|type|system|station|time 14|sequence|code|level|n |ID 3|type 1|value 20| ..

Rules
1. ToolsNet defines no codes, levels or parameters. An alarm's code is its digits, CODE_NONE if it has none or
   several; anything else has a code of ours: CODE_OURS plus what it is (toolcart.agent.record.event).
2. Level 0 is information and an acknowledged alarm, 1 an alarm, 2 an alarm with controller or tool not ready, and
   results that are gone.
3. A parameter's ID says what it is, its type how it is shown, as in telegram 04: 0 text, 1 a number. What the event
   does not have is left out. A text longer than one value goes on in the next IDs.

      1 code   2 controller ready   3 tool ready   all others: EVENT_FIELDS of toolcart.agent.linux.json_line
"""

import re

from toolcart.agent.base.fields import is_plain, put_text, unpack_digits
from toolcart.agent.linux.json_line import EVENT_FIELDS
from toolcart.agent.linux.toolsnet_source import telegram
from toolcart.agent.record import event as ev
from toolcart.agent.record.escaping import put_ascii, stripped

CPYTHON_ONLY = True  # a board has room for results alone

ID_EVENT = 9
CODE_NONE = 99999
CODE_OURS = 60000

_VALUE_BYTES = 20
_NO_TIME = b"20000101000000"  # no server takes month 0


def write(page, at, system_type, system, ident, sequence):
    """Return telegram 09 of the event whose payload is at page[at:]; `sequence` is the event's, 1..99999."""
    what = page[at + ev.WHAT]
    time = bytearray(_NO_TIME)
    if page[at + ev.TIME + 2]:
        unpack_digits(time, 0, page, at + ev.TIME, len(time))
    is_alarm = what == ev.ALARM or what == ev.ALARM_ACKNOWLEDGED
    level = 2 if what == ev.GONE else 0
    if what == ev.ALARM:
        level = 2 if 0x30 in (page[at + ev.CONTROLLER_READY], page[at + ev.TOOL_READY]) else 1
    parameters = _parameters(page, at, what)
    head = b"%04d%04d%04d" % (system_type, system, page[at + 4] | page[at + 5] << 8)
    code = _code_of(page[at + ev.CODE : at + ev.CODE + ev.CODE_BYTES]) if is_alarm else CODE_OURS + what
    body = b"%b%05d%05d%03d%02d" % (time, sequence, code, level, len(parameters))
    return telegram(ID_EVENT, ident, head + body + b"".join(parameters))


def _parameters(page, at, what):
    parameters = []
    for parameter, place, width in ((1, ev.CODE, ev.CODE_BYTES), (2, ev.CONTROLLER_READY, 1), (3, ev.TOOL_READY, 1)):
        _add(parameters, parameter, parameter > 1, page[at + place : at + place + width])
    text = page[at + ev.TEXT : at + ev.TEXT + page[at + ev.TEXT_LENGTH]]
    for its, place, width, parameter, is_number, _, _ in EVENT_FIELDS:
        value = text[place : place + width] if its == what else b""
        if not is_plain(value, 0, len(value)):
            room = -(-len(value) // _VALUE_BYTES) * _VALUE_BYTES
            field = bytearray(room)
            put_ascii(field, 0, room, stripped(value, 0, len(value)))
            value = field
        for start in range(0, len(value), _VALUE_BYTES):
            _add(parameters, parameter + start // _VALUE_BYTES, is_number, value[start : start + _VALUE_BYTES])
    return parameters


def _add(parameters, parameter, is_number, value):
    """Add a parameter, unless the field is blank; one that should be a number and is not, or a large one, is text."""
    while value and value[-1] <= 0x20:
        value = value[:-1]
    if value:
        field = bytearray(b" " * _VALUE_BYTES)
        put_text(field, 0, value, 0, len(value))
        is_number = is_number and value.isdigit() and int(value) < 10**9
        parameters.append(b"%03d%d%b" % (parameter, is_number, field))


def _code_of(code):
    """Return the number in an alarm's code: that of E404 is 404 (protocol.md 9.3); of two neither counts."""
    numbers = re.findall(b"[0-9]+", code)
    return int(numbers[0]) if len(numbers) == 1 else CODE_NONE
