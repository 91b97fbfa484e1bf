"""Events: what happens besides results (alarm, new parameter set, job, vehicle, results gone, command).

    byte   0      4       6    7       8       15     20        21      22         22+n
           |number|station|what|length |time   |code  |controller|tool  |text      |
           | u32  | u16   | u8 |of text|BCD 7  |5     |ready 1   |ready 1|n, 0 to 115

`number` counts events only. The time is packed like a result's, all zero if it was not valid. A field that the message
does not have is blank; the text ends with its last byte that is not blank. The flags FLAG_EDGE_TIME (the time is the
agent's) and FLAG_COPY mean the same as for a result. `what` says what `code` and the text are:

    what                    code             text, at which byte (from 0)
    1 alarm                 `E404`, `1010`   its words, 50 at most
    2 alarm acknowledged    the same         none
    3 parameter set         its number       0 when it was last changed 19, 19 its name 25
    4 job                   its number       0 status 1, 1 batch mode 1, 2 batch size 4, 6 batch counter 4, 10 step 3,
                                             13 steps 3, 16 step type 2, 18 last tightening 2, 20 sequence number 5
    5 vehicle               none             0 VIN 40 (25 but on a PowerMACS), 40, 65, 90 the other identifiers 25 each
    16 results gone         why, in a word   0 first ID 10, 10 last ID 10, 20 how many of these 10, 30 how many are
                                             reported so far, with these 10, 40 epoch of the IDs 3; blank where unknown
                                             (toolcart.agent.station.missing_results)
    17 command              code of 0004     0 its outcome 8, 8 MID 4, 12 who asked 36, 48 the command itself 67;
                            (toolcart.agent.station.commands): `sent` before it goes out, then `accepted`, `refused` or
                            `unknown`

`ready` is one digit, 1 for ready, blank where the message does not say (OP 5.10.2 p. 163-164).
"""

from struct import pack_into

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import TIME_BYTES, copy, fill, pack_time

WHAT = const(6)
TEXT_LENGTH = const(7)
TIME = const(8)
CODE = const(15)
CONTROLLER_READY = const(20)
TOOL_READY = const(21)
TEXT = const(22)

CODE_BYTES = const(5)
TEXT_MOST = const(115)
EVENT_LEAST = const(22)
EVENT_MOST = const(137)

ALARM = const(1)  # MID 0071 or 1000, or a 0076 that says one is active
ALARM_ACKNOWLEDGED = const(2)  # MID 0074: acknowledged on the controller
PSET_SELECTED = const(3)  # MID 0015
JOB = const(4)  # MID 0035: selected, done, aborted
VIN = const(5)  # MID 0052
GONE = const(
    16
)  # results that the controller no longer has; made by the agent itself (toolcart.agent.station.missing_results)
COMMAND = const(17)  # a command was given to the controller (toolcart.agent.station.commands)

# Places in the text.
PSET_CHANGE = const(0)
PSET_NAME = const(19)
NAME_BYTES = const(25)
JOB_STATUS = const(0)
JOB_MODE = const(1)
JOB_SIZE = const(2)
JOB_COUNTER = const(6)
JOB_STEP = const(10)
JOB_STEPS = const(13)
JOB_STEP_TYPE = const(16)
JOB_TIGHTENING = const(18)
JOB_SEQUENCE = const(20)
VIN_MOST = const(40)
IDENTIFIER_2 = const(40)
IDENTIFIER_3 = const(65)
IDENTIFIER_4 = const(90)

GONE_FIRST = const(0)
GONE_LAST = const(10)
GONE_COUNT = const(20)
GONE_TOTAL = const(30)  # counted as gone and reported so far, these included
GONE_EPOCH = const(40)  # three digits: how often the controller's IDs had begun again, mod 256
GONE_BYTES = const(43)

COMMAND_OUTCOME = const(0)
COMMAND_OUTCOME_BYTES = const(8)
COMMAND_MID = const(8)
COMMAND_WHO = const(12)
COMMAND_WHO_BYTES = const(36)
COMMAND_WORDS = const(48)
COMMAND_WORDS_BYTES = const(67)


def put_event(target, to, number, station, what):
    """Write an event without code, time and text to target[to:]; return its length."""
    pack_into("<IHBB", target, to, number, station, what, 0)
    fill(target, to + TIME, TIME_BYTES, 0)
    fill(target, to + CODE, EVENT_LEAST - CODE)
    return EVENT_LEAST


def put_code(target, to, buf, at, width):
    """Write the code of `width` bytes, at most five, from buf[at:] into the event."""
    fill(target, to + CODE, CODE_BYTES)
    copy(target, to + CODE, buf, at, width if width < CODE_BYTES else CODE_BYTES)


def put_time(target, to, buf, at):
    """Pack the time `YYYY-MM-DD:HH:MM:SS` at buf[at:] into the event; zeros if it is not a time."""
    pack_time(target, to + TIME, buf, at)


def put_ready(target, to, controller, tool):
    """Write the two digits that say whether controller and tool are ready."""
    target[to + CONTROLLER_READY] = controller
    target[to + TOOL_READY] = tool


def end_text(target, to, width):
    """Keep the text of `width` bytes already in the event, without its padding; return the event's length."""
    while width > 0 and (target[to + TEXT + width - 1] == 0x20 or target[to + TEXT + width - 1] == 0):
        width -= 1
    target[to + TEXT_LENGTH] = width
    return EVENT_LEAST + width


assert COMMAND_WORDS + COMMAND_WORDS_BYTES == TEXT_MOST
assert TEXT == EVENT_LEAST and EVENT_MOST == EVENT_LEAST + TEXT_MOST and TEXT_MOST == IDENTIFIER_4 + NAME_BYTES
