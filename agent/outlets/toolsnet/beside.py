"""What goes to ToolsNet beside results: events, descriptions, curves, each from a source of its own.

A source gives
    waits()                 whether it may have something to send
    send(now)               bring the next telegram into the buffer: its octets, 0 if nothing may go out now
    accepted(now)           05 or 10 with code 0 has come for it
    refused(code, now)      or with another code
    silent(now)             no answer to any of its copies, or the connection went: it may be stored or not
    resume(now)             the 08 was read, and results know where they go on; False asks for another 08
    busy                    it has still to look at some of the log: step again at once
    hold                    a Timer, until which it sends nothing
    put_state(shown)        add what people want to know
    tx, takes_10            where its telegram lies, and whether a 10 answers it
    gives_way               it sends only while no result waits

Rules
1. One telegram is out at a time, whatever it is. A source whose telegram is refused or gets no answer waits, and
   results go on: nothing here delays them by more than the one telegram that is out.
2. While results are in trouble, refused or sought for, no source sends.
3. Imported only where one is configured.
"""

from agent import health as h
from agent.base.fields import BAD, copy, number, put_number
from agent.outlets.toolsnet.descriptions import Descriptions, Names
from agent.outlets.toolsnet.events import Events, mask_of
from agent.outlets.toolsnet.forward import Forward
from agent.outlets.toolsnet.graphs import Graphs
from agent.outlets.toolsnet.outlet import Outlet
from agent.toolsnet import session as ts
from agent.toolsnet import telegram as tel
from agent.toolsnet.event09 import PARAMETER_NAMES
from agent.toolsnet.session import Session

CPYTHON_ONLY = True  # a board has room for results alone

_10_BYTES = 38


class AnySession(Session):
    """A session in which a 10 may answer what is out, too (DIGEST G.7)."""

    names = None  # what telegram 02 has to say, where it goes out; results tell it which spindles there are

    def send_from(self, buffer, octets, takes_10):
        """Send the telegram of `octets` in this buffer, which stays as it is until its answer has come."""
        self.result = buffer
        self.takes_10 = takes_10
        self.send(octets)

    def back_to(self, results):
        """Nothing but results is out."""
        self.result = results
        self.takes_10 = False

    def _take(self, now):
        frames = self.frames
        head = tel.head_of(frames.buf, frames.at, frames.length)
        if head >= 0 and head // tel.IDENTS == tel.ID_EVENT_ACKNOWLEDGE and self.takes_10:
            if not _make_05(frames.buf, frames.at, frames.length):
                return ts.EV_MALFORMED
        return Session._take(self, now)


class AnyOutlet(Outlet):
    """A log of which more goes out than results."""

    def __init__(self, ring, quarantine, health, cursor_batch, rewinds, resends_if_empty):
        Outlet.__init__(self, ring, quarantine, health, cursor_batch, rewinds, resends_if_empty)
        self.sources = ()

    def add(self, source):
        """Have this source send as well, behind those that are there."""
        self.sources += (source,)

    def waits(self):
        """Tell whether anything waits to be sent."""
        if Outlet.waits(self):
            return True
        for source in self.sources:
            if source.waits():
                return True
        return False

    def save_as_is(self):
        """Make all cursors durable as they are, with what was allowed; whether that is done."""
        return self._save(self.cursor.limit, self._flags())


class Beside(Forward):
    """One station of ToolsNet with its sources, the first one first."""

    def __init__(self, port, session, writer, ring, quarantine, health, clock, settings, cursor_batch):
        Forward.__init__(self, port, session, writer, ring, quarantine, health, clock, settings, cursor_batch)
        self.outlet = AnyOutlet(
            ring, quarantine, health, cursor_batch, settings["rewind"], settings["server_empty"] == "resend"
        )
        session.back_to(writer.tx)
        self._out = None  # the source whose telegram is out

    def add(self, source):
        """Have this source send as well, behind those that are there."""
        self.outlet.add(source)

    def step(self, now):
        """Do what can be done now; return the ms until there may be more."""
        left = Forward.step(self, now)
        if left and self._may_add() and self.session.can_send() and not self._waits:
            for source in self.outlet.sources:
                if source.busy or source.hold.expired(now):
                    source.hold.stop()
                    return 0
                left = source.hold.least(now, left)
        return left

    def put_state(self, shown):
        """Add what people want to know."""
        Forward.put_state(self, shown)
        for source in self.outlet.sources:
            source.put_state(shown)

    def server_losses(self):
        """Return how often an 08 has shown that the server lacks results which it had."""
        return self.health.counters[h.SERVER_EMPTY] + self.health.counters[h.SERVER_BEHIND]

    def may_write(self):
        """Tell whether a source may use the flash now; if not, it is asked again soon."""
        if self._flash_free():
            return True
        self._waits = True
        return False

    # -- what is out -------------------------------------------------------------------------------------------

    def _send_next(self, now):
        if self._may_add():
            for source in self.outlet.sources:
                if source.gives_way and Outlet.waits(self.outlet):
                    continue
                octets = source.send(now) if source.waits() else 0
                if octets:
                    self._out = source
                    self.session.send_from(source.tx, octets, source.takes_10)
                    return
        if Outlet.waits(self.outlet) or self._taken or self._reach:
            Forward._send_next(self, now)

    def _may_add(self):
        """Tell whether results are not in trouble."""
        return not (self._hold.armed or self._sweeping or self._taken or self._reach or self._stopping)

    def _release(self):
        """Return the source whose telegram was out; the buffer is the results' again."""
        source = self._out
        self._out = None
        self.session.back_to(self.writer.tx)
        return source

    def _accepted(self, now):
        if self._out is None:
            Forward._accepted(self, now)
        else:
            self._release().accepted(now)  # type: ignore

    def _refused(self, now):
        if self._out is None:
            Forward._refused(self, now)
            return
        self.health.note(h.REFUSED_BY_SERVER, self.session.code, now)
        self._release().refused(self.session.code, now)  # type: ignore
        if self.session.was_late():  # only the next 08 tells what became of the copy
            self._break(now)

    def _silent(self, now):
        if self._out is None:
            Forward._silent(self, now)
            return
        self.health.note(h.SERVER_SILENT, 0, now)
        self._release().silent(now)  # type: ignore

    def _lost(self, event, now):
        if self._out is not None:
            self._release().silent(now)  # type: ignore
        Forward._lost(self, event, now)

    def _resume(self, now):
        Forward._resume(self, now)
        if self.session.state != ts.SERVER_OPENING:
            return  # asked anew
        for source in self.outlet.sources:
            if not source.resume(now):
                self.health.note(h.NOT_SAVED, 10, now)
                self._break(now)
                return


def is_wanted(toolsnet):
    """Tell whether the `toolsnet` part of the completed configuration wants more than results sent."""
    return bool(toolsnet["events"] or toolsnet["describe"] or toolsnet["graphs"])


def add_sources(outlet, station, system, toolsnet):
    """Have `outlet` send what these settings want, descriptions first."""
    controller = station.settings["controller"]
    if toolsnet["describe"]:
        names = Names()
        address = controller["host"] if controller["link"] == "tcp" else ""
        zero = toolsnet["program_for_zero"]
        spindle = controller["spindle_id"] or 1
        outlet.add(Descriptions(outlet, system["name"], station.name, address, spindle, zero, names))
        intake = station.intake
        if intake.happenings is not None:
            intake.happenings.names = names
        if intake.errands is not None and intake.errands.limits is not None:
            intake.errands.limits.names = names
        outlet.session.names = names
    if toolsnet["events"]:
        mask = 0
        for name in toolsnet["event_parameters"]:
            mask |= 1 << PARAMETER_NAMES.index(name)
        outlet.add(Events(outlet, mask_of(toolsnet["events"]), mask, toolsnet))
    if toolsnet["graphs"] and station.graphs is not None:
        outlet.add(Graphs(outlet, station.graphs, toolsnet["program_for_zero"], toolsnet))


def _make_05(buf, at, length):
    """Make a 05 of the 10 at buf[at:] (004:206-223): its time and its code; False if the code is none."""
    code = number(buf, at + 37, 5) if length >= _10_BYTES else BAD
    if code < 0:
        return False
    buf[at + 4] = 0x30
    buf[at + 5] = 0x35
    copy(buf, at + 11, buf, at + 23, 14)
    put_number(buf, at + 25, 3, code if code < 1000 else 999)
    return True
