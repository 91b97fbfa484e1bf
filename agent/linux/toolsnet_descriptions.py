"""Descriptions to ToolsNet: telegrams 01 and 02, once after each start, and again when a name has changed or was lost.

Rules
1. A system or station without a name of its own is not described: what people have entered in the map stays.
2. Programs are those whose name the controller has given: in MID 0013, asked for by the list of MID 0011 (Programs)
   and for limits, or in MID 0015 revision 2 where parameter sets are events. The first one is what goes out for
   parameter set 0.
3. Spindles are those of the results with several that went out since the start, under their bolts' names where MID 0107
   has given them; until then it is the one of the configuration. Each has all programs; what does not fit into a
   telegram of 9999 bytes is left out and counted.
4. A refusal is counted and ends it until a name changes. Silence ends it until the next start: results must not be held
   up by what a server may not know (protocol.md 8.2). One lost connection meanwhile does not count as silence yet.
5. A server whose 08 shows that it lacks results which it had was emptied or restored: it may lack names as well.
"""

from toolcart.agent.base import counters as h
from toolcart.agent.base.fields import is_plain, number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.linux.toolsnet_source import Source, telegram
from toolcart.agent.openprotocol import error_codes, queries
from toolcart.agent.openprotocol.session_states import EV_QUERY, EV_QUERY_REFUSED, EV_QUERY_SILENT
from toolcart.agent.record.escaping import octets_of, put_ascii, shown
from toolcart.agent.record.text import text_of
from toolcart.agent.toolsnet.result04 import PROGRAM_FOR_ZERO

CPYTHON_ONLY = True  # a board has room for results alone


# Telegrams 01 and 02: the names of system and station in ToolsNet's map (TN 5.10, protocol.md 9.1).
#
# Rules
# 1. Names are text as toolcart.agent.record.escaping shows it. Plain ASCII is cut at 25 characters, all else is
#    escaped; an address that is not IPv4 is blank.
# 2. A station has the spindles and programs that it is given; each list has at least one entry.

PROGRAMS_MOST = 300  # the length of a telegram has four digits

_TELEGRAM_MOST = 9999
_HEAD_BYTES = 63
_SPINDLE_BYTES = 33
_PROGRAM_BYTES = 29

_NAME_BYTES = 25
_ADDRESS_BYTES = 15
_SYSTEM = 1
_STATION = 2


def system(ident, system_type, number, address, name):
    """Return telegram 01 with its length in front."""
    body = "%04d%04d%s%s  " % (system_type, number, _address(address), _name(name))
    return telegram(_SYSTEM, ident, body.encode())


def station(ident, system_type, number, own, address, name, spindles):
    """Return telegram 02; `spindles` are (number, name, ((program, name), ..))."""
    parts = ["%04d%04d%04d%s%s%04d" % (system_type, number, own, _address(address), _name(name), len(spindles))]
    for spindle, its_name, programs in spindles:
        parts.append("%04d%s%04d" % (spindle, _name(its_name), len(programs)))
        for program, called in programs:
            parts.append("%04d%s" % (program, _name(called)))
    return telegram(_STATION, ident, "".join(parts).encode())


def programs_most(spindles):
    """Return how many programs telegram 02 has room for at each of so many spindles."""
    return min(PROGRAMS_MOST, ((_TELEGRAM_MOST - _HEAD_BYTES) // spindles - _SPINDLE_BYTES) // _PROGRAM_BYTES)


def _name(text):
    octets = octets_of(text)
    if is_plain(octets, 0, len(octets)):
        return (text.strip("\0 ") + " " * _NAME_BYTES)[:_NAME_BYTES]
    field = bytearray(_NAME_BYTES)
    put_ascii(field, 0, _NAME_BYTES, octets)
    return field.decode()


def _address(host):
    parts = (host or "").split(".")
    if len(parts) != 4 or not all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        host = ""
    return host + " " * (_ADDRESS_BYTES - len(host))


NAME_BYTES = 25
SPINDLES_MOST = 99  # a result has 50 at most
GIVEN_UP = 2


class Names:
    """What the controller calls its parameter sets and its spindles."""

    def __init__(self):
        self.programs = {}
        self.spindles = {}
        self.changes = 0
        self.filling = False  # more names come in a moment: they are sent together

    def learn_spindles(self, named):
        """Learn that a result has these spindles: (number, name), the name "" if it is not known."""
        for spindle, name in named:
            known = self.spindles.get(spindle)
            if known is None and len(self.spindles) >= SPINDLES_MOST:
                continue
            if known is None or (name and known != name):
                self.spindles[spindle] = name
                self.changes += 1

    def learn(self, program, buf, at):
        """Learn that the name of parameter set `program` is at buf[at:]."""
        name = text_of(buf, at, NAME_BYTES)
        if not name or program < 1 or self.programs.get(program) == name:
            return
        if program in self.programs or len(self.programs) < PROGRAMS_MOST - 1:
            self.programs[program] = name
            self.changes += 1


class Descriptions(Source):
    """System and station of one way to ToolsNet; `spindle` is the number that its results carry, `names` a Names."""

    def __init__(self, health, system_name, station_name, address, spindle, names):
        Source.__init__(self)
        self.health = health
        self.system_name = shown(system_name.encode())
        self.station_name = shown(station_name.encode())
        self.address = address
        self.spindle = spindle
        self.names = names
        self.refusals = self.left_out = 0
        self._due = self._all = (_SYSTEM if system_name else 0) | (_STATION if station_name else 0)
        self._losses = self._server_losses()
        self._stood = -1  # the sequence that the last 08 named
        self._out = 0
        self._changes = names.changes
        self._unanswered = 0

    def join(self, forward):
        """Send over `forward`, whose results tell which spindles there are."""
        self.session = session = forward.session
        session.names = self.names

    def _server_losses(self):
        """Return how often an 08 has shown that the server lacks results which it had."""
        return self.health.counters[h.SERVER_EMPTY] + self.health.counters[h.SERVER_BEHIND]

    def put_state(self, shown):
        shown["descriptions_sent"] = self.sent
        shown["descriptions_refused"] = self.refusals
        shown["descriptions_left_out"] = self.left_out
        shown["descriptions_unanswered"] = self._unanswered >= GIVEN_UP

    def waits(self):
        if self._changes != self.names.changes and not self.names.filling:
            self._changes = self.names.changes
            self._due |= _STATION if self.station_name else 0
        return self._due != 0 and self._unanswered < GIVEN_UP

    def send(self, now):
        session = self.session
        self.is_out = True
        self._out = self._due & _SYSTEM or _STATION
        kind, number, own = session.place
        if self._out == _SYSTEM:
            self.tx = system(session.ident, kind, number, self.address, self.system_name)
        else:
            self.tx = station(session.ident, kind, number, own, self.address, self.station_name, self._spindles())
        return len(self.tx)

    def _spindles(self):
        """Return what telegram 02 says of each spindle."""
        programs = [(PROGRAM_FOR_ZERO, "No parameter set")]
        programs += [one for one in sorted(self.names.programs.items()) if one[0] != PROGRAM_FOR_ZERO]
        spindles = sorted(self.names.spindles.items()) or [(self.spindle, "")]
        most = programs_most(len(spindles))
        self.left_out = max(0, len(programs) - most)
        return [(number, name or "Spindle %d" % number, programs[:most]) for number, name in spindles]

    def go_past(self):
        self._unanswered = 0
        self._due &= ~self._out

    def refused(self, code, now):
        """It is not in the map, and will not be."""
        self.is_out = False
        self.refusals += 1
        self._due &= ~self._out

    def silent(self, now):
        self._unanswered += self.is_out
        self.is_out = False

    def resume(self, now):
        """Describe everything again if the 08 shows a new loss, once for the sequence it names; always True."""
        losses = self._server_losses()
        stands = self.session.info.result_sequence
        if losses != self._losses and stands != self._stood:
            self._due = self._all
        self._losses = losses
        self._stood = stands
        return True


# Asks a controller for the names of all its parameter sets: low priority, one request at a time.
#
# Rules
# 1. The list (MID 0010, 0011) is asked for on each connection, then one after the other the data (MID 0012, 0013) of
#    each set whose name is not known since the start. Limits and clock come first, and results before all of it
#    (toolcart.agent.openprotocol.queries).
# 2. ToolsNet is told when the last name is known or the asking ends, not after each one.
# 3. Each request is sent once. If the list is rejected, or a set is not answered or rejected for good (MID 0004 with
#    99, 73 or 75), nothing more is asked for until the next connection. A set rejected for another reason, such as one
#    that does not exist (2), is skipped. What is rejected for the moment is asked for again.

LIST = (10, 11, 23, False, 0, 0, True, EV_QUERY, EV_QUERY_SILENT, EV_QUERY_REFUSED, queries.LIMITS[-1])
DATA = (12, 13, 52, True, 3, 0, True, EV_QUERY, EV_QUERY_SILENT, EV_QUERY_REFUSED, queries.LIMITS[-1])

_COUNT = 20  # MID 0011 (OP 5.3.2 p. 82): how many, 3 digits, and 3 for each
_FIRST = 23
_WIDTH = 3
_PSET = 22  # MID 0013 revision 1 (OP 5.3.4 p. 83)
_NAME = 27


class Programs:
    """The queries of a station (`others`, or None), followed by the names of all its parameter sets.

    `told(now)` is called when the last one is known.
    """

    def __init__(self, others, names, told):
        self._told = told
        self.clock = others.clock if others is not None else None
        self.limits = others.limits if others is not None else None
        self._others = others
        self._names = names
        self._later = Timer()
        self._wants_list = False
        self._wanted = []

    def opened(self, now):
        """Start again: a new session is open."""
        if self._others is not None:
            self._others.opened(now)
        self._wants_list = True
        self._end()
        self._later.stop()

    def look(self, session, now, left):
        """Ask what is due; return -1 if something was asked, else the ms until something is due, `left` at most."""
        if self._others is not None:
            left = self._others.look(session, now, left)
        if left < 0 or not session.can_fetch():
            return left
        if self._later.armed and not self._later.expired(now):
            return self._later.least(now, left)
        self._later.stop()
        if self._wants_list:
            session.request.ask(LIST, 10, 10, 1, b"", 1)
            return -1
        if self._wanted:
            session.request.ask(DATA, 12, 12, 1, b"%03d" % self._wanted[0], 1)
            return -1
        return left

    def take(self, event, session, health, now):
        """Take an EV_QUERY: the answer to what was asked, or that there is none."""
        row = session.request.row
        if row is not LIST and row is not DATA:
            self._others.take(event, session, health, now)  # type: ignore[union-attr] - who asked is there
            if row is queries.LIMITS and event == EV_QUERY and session.received.revision not in queries.OTHER_LAYOUT:
                self._take_name(session.link, number(session.request.data, 0, _WIDTH))  # comes with its limits
            return
        if event == EV_QUERY_REFUSED and session.received.refusal in (
            error_codes.REFUSED_LATER,
            error_codes.REFUSED_BUSY,
        ):
            self._later.start(now, queries.LATER_MS)
            return
        if row is LIST:
            self._wants_list = False
            if event == EV_QUERY:
                self._take_list(session.link)
        elif event == EV_QUERY_SILENT or (
            event == EV_QUERY_REFUSED and session.received.refusal == error_codes.REFUSED_NEVER
        ):
            self._end()
        else:
            asked = self._wanted.pop(0)
            if event == EV_QUERY:
                self._take_name(session.link, asked)
        if not self._wanted:
            self._end()
            self._told(now)

    def _take_list(self, link):
        """Take as many sets as the message says and has room for."""
        told = number(link.buf, link.at + _COUNT, _WIDTH)
        for index in range(min(told, (link.length - _FIRST) // _WIDTH)):
            pset = number(link.buf, link.at + _FIRST + index * _WIDTH, _WIDTH)
            if pset > 0 and pset not in self._names.programs and pset not in self._wanted:
                self._wanted.append(pset)
        self._names.filling = bool(self._wanted)

    def _take_name(self, link, asked):
        if number(link.buf, link.at + _PSET, _WIDTH) == asked:
            self._names.learn(asked, link.buf, link.at + _NAME)

    def _end(self):
        """Ask for nothing more on this connection."""
        self._wanted = []
        self._names.filling = False
