"""Descriptions to ToolsNet: telegrams 01 and 02, once after each start, and again when a name has changed or was lost.

Rules
1. A system or station without a name of its own is not described: what people have entered in the map stays.
2. Programs are those whose name the controller has given: in MID 0013, asked for by the list of MID 0011 (Programs)
   and for limits, or in MID 0015 revision 2 where parameter sets are events. The first one is what goes out for
   parameter set 0.
3. Spindles are those of the results with several that went out since the start, under their bolts' names where MID 0107
   has given them; until then it is the one of the configuration. Each has all programs; what does not fit into a
   telegram of 9999 bytes is left out and counted.
4. What is refused is counted, and offered again with the next connection, or when a name changes. What gets no answer
   is offered again with the next connection; after the second silence, with the first one that is an hour or more
   later: results must not be held up by what a server may not know (protocol.md 8.2). What is offered again gives way
   to results.
5. A server whose 08 shows that it lacks results or events which it had was emptied, restored or exchanged: it may lack
   names as well. A loss counts once, when it shows; that the 08s after it name the same is no other one.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.linux import telegram01_02
from toolcart.agent.linux.telegram01_02 import STATION, SYSTEM
from toolcart.agent.linux.toolsnet_source import PAUSE_MOST_MS, ToolsNetSource
from toolcart.agent.record.escaping import decoded
from toolcart.agent.toolsnet.result04 import PROGRAM_FOR_ZERO

CPYTHON_ONLY = True  # a board has room for results alone

GIVEN_UP = 2


class Descriptions(ToolsNetSource):
    """System and station of one way to ToolsNet.

    `spindle` is the number that its results carry, `names` are ControllerNames.
    """

    def __init__(self, counters, system_name, station_name, address, spindle, names):
        ToolsNetSource.__init__(self)
        self.counters = counters
        self.system_name = decoded(system_name.encode())
        self.station_name = decoded(station_name.encode())
        self.address = address
        self.spindle = spindle
        self.names = names
        self.refusals = self.left_out = 0
        self._due = self._all = (SYSTEM if system_name else 0) | (STATION if station_name else 0)
        self._sources = ()
        self._losses = self._server_losses()
        self._out = 0
        self._refused = 0  # on this connection
        self._changes = names.changes
        self._unanswered = 0

    def join(self, forward):
        """Send over `forward`, whose results tell which spindles there are."""
        self.session = session = forward.session
        session.names = self.names
        self._sources = forward.sources

    def _server_losses(self):
        """Return how often an 08 has shown that the server lacks results or events which it had."""
        counts = self.counters.counts
        of_results = counts[counter.SERVER_EMPTY] + counts[counter.SERVER_BEHIND] + counts[counter.RESUME_UNKNOWN]
        return of_results + sum(source.losses for source in self._sources)

    def put_state(self, report):
        report["descriptions_sent"] = self.sent
        report["descriptions_refused"] = self.refusals
        report["descriptions_left_out"] = self.left_out
        report["descriptions_unanswered"] = self._unanswered >= GIVEN_UP

    def waits(self):
        if self._changes != self.names.changes and not self.names.filling:
            self._changes = self.names.changes
            self._due |= STATION if self.station_name else 0
        losses = self._server_losses()
        if losses != self._losses:
            self._losses = losses
            self._due = self._all
        return self._due != 0 and self._unanswered < GIVEN_UP

    def send(self, now):
        session = self.session
        self.is_out = True
        self._out = self._due & SYSTEM or STATION
        kind, number, own = session.place
        if self._out == SYSTEM:
            self.tx = telegram01_02.system(session.ident, kind, number, self.address, self.system_name)
        else:
            self.tx = telegram01_02.station(
                session.ident, kind, number, own, self.address, self.station_name, self._spindles()
            )
        return len(self.tx)

    def _spindles(self):
        """Return what telegram 02 says of each spindle."""
        programs = [(PROGRAM_FOR_ZERO, "No parameter set")]
        programs += [one for one in sorted(self.names.programs.items()) if one[0] != PROGRAM_FOR_ZERO]
        spindles = sorted(self.names.spindles.items()) or [(self.spindle, "")]
        most = telegram01_02.programs_most(len(spindles))
        self.left_out = max(0, len(programs) - most)
        return [(number, name or "Spindle %d" % number, programs[:most]) for number, name in spindles]

    def go_past(self):
        self._unanswered = 0
        self.gives_way = False
        self._due &= ~self._out

    def refused(self, code, now):
        """It is not in the map: offer it again with the next connection."""
        self.is_out = False
        self.refusals += 1
        self.gives_way = True
        self._due &= ~self._out
        self._refused |= self._out

    def silent(self, now):
        if self.is_out:
            self.is_out = False
            self.gives_way = True
            self._unanswered += 1
            self.pause.start(now, PAUSE_MOST_MS)

    def resume(self, now):
        """Describe again what was not taken; always True."""
        self._due |= self._refused
        self._refused = 0
        if not self.is_pausing(now):
            self._unanswered = min(self._unanswered, GIVEN_UP - 1)
        return True
