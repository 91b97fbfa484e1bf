"""Counts everything that is refused, dropped, repeated or guessed.

Rules
1. A counter only grows; it starts at 0 with the process. What must survive is kept in the spool.
2. `count` costs only the addition. `note` also keeps the time and a value (toolcart.agent.base.event_log).
3. Nothing is allocated after the start.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.event_log import EventLog

STORED = const(0)
RECOVERED = const(1)
DUPLICATES = const(2)
RAW = const(3)
REFUSED_FULL = const(4)
FLASH_FAILED = const(5)
EDGE_TIME = const(6)
NO_VALUES = const(7)
CUT_SHORT = const(8)
CONTROLLER_CONNECTS = const(9)
CONTROLLER_LOSSES = const(10)
CONTROLLER_REFUSALS = const(11)
CONTROLLER_MALFORMED = const(12)
CONTROLLER_UNKNOWN = const(13)
OTHER_REVISION = const(14)
OUT_OF_SEQUENCE = const(15)
IDS_GONE = const(16)
CONTROLLER_RESETS = const(17)
DELIVERED = const(18)
RESUMED = const(19)
REPEATED = const(20)
REFUSED_BY_SERVER = const(21)
PARKED = const(22)
PARKING_FAILED = const(23)
SERVER_SILENT = const(24)
SERVER_LOSSES = const(25)
SERVER_FOREIGN = const(26)
SERVER_UNKNOWN = const(27)
SERVER_MALFORMED = const(28)
NO_PIM = const(29)
SERVER_EMPTY = const(30)
RESUME_UNKNOWN = const(31)
SERVER_BEHIND = const(32)
OTHER_HOST = const(33)
FAULTS = const(34)
SERVER_CONNECTS = const(35)
ODD_ON_THE_LINE = const(
    36
)  # a result that cannot be right came over a serial line: taken only if it is repeated unchanged
NOT_SAVED = const(37)  # something that must be durable could not be written; it is tried again
OUTLET_FAILED = const(38)  # an outlet's other side accepted nothing: it is tried again
ODD_FIELDS = const(39)  # a result was read leniently: something in it was not written as documented
NO_OWNER = const(40)  # an answer to MID 0064 may be another station's
EVENTS = const(41)  # events of the controller and commands stored; not what the agent found gone
REPEATS_NOTHING = const(42)  # a controller was found to send each result only once: what is not stored must be fetched
CLOCK_APART = const(43)  # the controller's clock and ours differ by more than a few seconds
CLOCK_SET = const(44)  # the controller's clock was set
TRACES = const(45)  # curves and sets of plot parameters stored
TRACES_LOST = const(46)  # came but were not kept; the value says why (toolcart.agent.linux.mid0900)
TRACES_ODD = const(47)  # kept although something in them is not as it should be
HOST_REFUSED = const(48)  # the server that an 08 named is not one of those allowed
# Each reason is logged once; the value is its number (toolcart.agent.base.connection_fault).
CONTROLLER_AWAY = const(49)
SERVER_AWAY = const(50)  # the same for ToolsNet: its PIM or its server
# The controller had stopped pushing; the value says what follows (toolcart.agent.station.subscription_check).
UNSUBSCRIBED = const(51)
PASSED_OVER = const(52)  # results that were not taken, since MID 0065 names another station
IDS_OFF = const(53)  # a controller was found to answer MID 0064 with IDs that are off; value: what they have too much
TEXT_ESCAPED = const(54)  # results stored with text that outlets escape (toolcart.agent.record.escaping)
SHIFTED = const(55)  # results whose fields were found where their revision does not have them
# Orders of an operator at a board's console; the value is how many results of the quarantine that were, or the MID.
DROP_ORDERED = const(56)
RETRY_ORDERED = const(57)
COMMAND_ORDERED = const(58)
# What is no result and was not taken by ToolsNet is not offered again (toolcart.agent.linux.toolsnet_source).
GIVEN_UP = const(59)

# Each as its constant is called; what is said of it and how it is shown is in toolcart.tools.messages.counter_rows.
NAMES = (
    "stored",
    "recovered",
    "duplicates",
    "raw",
    "refused full",
    "flash failed",
    "edge time",
    "no values",
    "cut short",
    "controller connects",
    "controller losses",
    "controller refusals",
    "controller malformed",
    "controller unknown",
    "other revision",
    "out of sequence",
    "ids gone",
    "controller resets",
    "delivered",
    "resumed",
    "repeated",
    "refused by server",
    "parked",
    "parking failed",
    "server silent",
    "server losses",
    "server foreign",
    "server unknown",
    "server malformed",
    "no pim",
    "server empty",
    "resume unknown",
    "server behind",
    "other host",
    "faults",
    "server connects",
    "odd on the line",
    "not saved",
    "outlet failed",
    "odd fields",
    "no owner",
    "events",
    "repeats nothing",
    "clock apart",
    "clock set",
    "traces",
    "traces lost",
    "traces odd",
    "host refused",
    "controller away",
    "server away",
    "unsubscribed",
    "passed over",
    "ids off",
    "text escaped",
    "shifted",
    "drop ordered",
    "retry ordered",
    "command ordered",
    "given up",
    "other unit",  # toolcart.agent.station.named_unit
)


class Counters:
    """The counters of one station, and the log of the latest ones."""

    __slots__ = ("counts", "log")

    def __init__(self):
        self.counts = [0] * len(NAMES)
        self.log = EventLog()

    def count(self, counter):
        """Add one."""
        self.counts[counter] += 1

    def note(self, counter, value, now):
        """Add one and log it with a number that says more (a code, a MID, a byte count)."""
        self.counts[counter] += 1
        self.log.add(counter, value, now)
