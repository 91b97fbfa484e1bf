"""Descriptions to ToolsNet: telegrams 01 and 02, once after each start, and again when a name has changed or was lost.

Rules
1. A system or station without a name of its own is not described: what people have entered in the map stays.
2. Programs are those whose name the controller has given: in MID 0013, asked for by the list of MID 0011
   (toolcart.agent.wide.controller_programs) and for limits, or in MID 0015 revision 2 where parameter sets are events.
   The first one is what goes out for parameter set 0.
3. Spindles are those of the results with several that went out since the start, under their bolts' names where MID 0107
   has given them; until then it is the one of the configuration. Each has all programs; what does not fit into a
   telegram of 9999 bytes is left out and counted.
4. A refusal is counted and ends it until a name changes. Silence ends it until the next start: results must not be held
   up by what a server may not know (DIGEST G.5). One lost connection meanwhile does not count as silence yet.
5. A server whose 08 shows that it lacks results which it had was emptied or restored: it may lack names as well.
"""

from toolcart.agent.base import health as h
from toolcart.agent.base.fields import is_plain
from toolcart.agent.record.text import text_of
from toolcart.agent.record.text_form import octets_of, put_ascii, shown
from toolcart.agent.toolsnet.result04 import PROGRAM_FOR_ZERO
from toolcart.agent.wide.toolsnet_source import Source, telegram

CPYTHON_ONLY = True  # a board has room for results alone


# Telegrams 01 and 02: the names of system and station in ToolsNet's map (004:252-288, DIGEST G.2).
#
# Rules
# 1. Names are text as toolcart.agent.record.text_form shows it. Plain ASCII is cut at 25 characters, all else is
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
        for number, name in named:
            known = self.spindles.get(number)
            if known is None and len(self.spindles) >= SPINDLES_MOST:
                continue
            if known is None or (name and known != name):
                self.spindles[number] = name
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
        number = (session.ident, session.place[0], session.place[1])
        if self._out == _SYSTEM:
            self.tx = system(number[0], number[1], number[2], self.address, self.system_name)
        else:
            spindles = self._spindles()
            self.tx = station(
                number[0], number[1], number[2], session.place[2], self.address, self.station_name, spindles
            )
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
