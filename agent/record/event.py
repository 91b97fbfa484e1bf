"""Something that happened at the controller and is no result: an alarm, or an alarm acknowledged there.

    octet  0      4       6    7       8       15     20        21      22         22+n
           |number|station|what|length |time   |code  |controller|tool  |text      |
           | u32  | u16   | u8 |of text|BCD 7  |5     |ready 1   |ready 1|n, 0 to 50|

`number` counts events alone. `code` is the controller's, blanks behind it (`E404`, `1010`, 003:792); `ready` is one
digit, 1 for ready, blank where the message does not say (003:7448-7508). The time is packed as a result's, all zero if
it was none. Flags: FLAG_EDGE_TIME (the time is the agent's) and FLAG_COPY mean what they mean with a result.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import fill, put_text
from agent.base.words import TIME_BYTES, get_u32, pack_time

WHAT = const(6)
TEXT_LENGTH = const(7)
TIME = const(8)
CODE = const(15)
CONTROLLER_READY = const(20)
TOOL_READY = const(21)
TEXT = const(22)

CODE_BYTES = const(5)
TEXT_MOST = const(50)
EVENT_LEAST = const(22)
EVENT_MOST = const(72)

ALARM = const(1)  # MID 0071, or 0076 that says one is active
ALARM_ACKNOWLEDGED = const(2)  # MID 0074: acknowledged on the controller


def put_event(target, to, number, station, what):
    """Write an event without code, time and text to target[to:]; return its octets."""
    pack_into("<IHBB", target, to, number, station, what, 0)
    fill(target, to + TIME, TIME_BYTES, 0)
    fill(target, to + CODE, EVENT_LEAST - CODE)
    return EVENT_LEAST


def put_code(target, to, buf, at, width):
    """Write the code of `width` octets, five at most, at buf[at:] into the event's."""
    fill(target, to + CODE, CODE_BYTES)
    put_text(target, to + CODE, buf, at, width if width < CODE_BYTES else CODE_BYTES)


def put_time(target, to, buf, at):
    """Pack the time `YYYY-MM-DD:HH:MM:SS` at buf[at:] into the event's; zeros if it is none."""
    pack_time(target, to + TIME, buf, at)


def put_ready(target, to, controller, tool):
    """Write the two digits that say whether controller and tool are ready."""
    target[to + CONTROLLER_READY] = controller
    target[to + TOOL_READY] = tool


def put_words(target, to, buf, at, width):
    """Write the text of `width` octets at buf[at:] into the event, without its padding; return the event's octets."""
    while width > 0 and (width > TEXT_MOST or buf[at + width - 1] == 0x20 or buf[at + width - 1] == 0):
        width -= 1
    put_text(target, to + TEXT, buf, at, width)
    target[to + TEXT_LENGTH] = width
    return EVENT_LEAST + width


def number_of(page, at):
    """Return the number of the event at page[at:]."""
    return get_u32(page, at)


def is_event(page, at, length):
    """Tell whether a payload of `length` octets at page[at:] can be an event."""
    return EVENT_LEAST <= length <= EVENT_MOST and page[at + TEXT_LENGTH] == length - EVENT_LEAST


assert TEXT == EVENT_LEAST and EVENT_MOST == EVENT_LEAST + TEXT_MOST
