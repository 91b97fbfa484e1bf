"""The way to ToolsNet's server: the PIM first, then the host that its 08 names. Knows nothing of results.

Rules
1. The session says when to open and to close; here it is done, and what became of it is told to the session.
2. A port that is open or closed at once will never wake anybody: it is looked at straight after `open`.
3. Whoever sends over it says in `lost` what a lost connection means for what was out.
4. Why there is no connection lasts in `trouble` until the server takes results, and is logged once for each change.
"""

from agent.base import health as h
from agent.base.trouble import FOREIGN_PIM, NO_ANSWER, NO_INFO, NO_PIM, NOT_ALLOWED, Trouble
from agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING, WHY_TIMED_OUT
from agent.record.result import STAMP_BYTES
from agent.toolsnet import session as ts


class Upstream:
    """One station's connection. `settings` is the `toolsnet` part of the completed configuration."""

    def __init__(self, port, session, health, clock, settings):
        self.port = port
        self.session = session
        self.health = health
        self.clock = clock
        self.pim_host = settings["pim_host"]
        self.pim_port = settings["pim_port"]
        self.host_override = settings["host_override"]
        self.allow_hosts = settings["allow_hosts"]
        self.longest_ms = session.reconnect_ms
        self.attempts = 0  # connections begun or given up: agent.cart.liveness looks whether it moves
        self.trouble = Trouble()
        self._is_foreign = False  # what was sent before the 12 is no telegram, or one of nobody's
        self._stamp = bytearray(STAMP_BYTES)
        self._opening = False
        self._reached = False  # by the last attempt: somebody's connection is open, or was

    def hurry(self, now):
        """The network is there now: do not wait for the next connection, if the last one has reached nobody."""
        if not self._reached:
            self.session.hurry(now)

    def put_state(self, shown):
        """Add what people want to know."""
        from agent.toolsnet.shown import put_connection  # only while somebody looks

        put_connection(shown, self)

    def recover(self, now):
        """After a fault: begin with a new connection."""
        self.health.note(h.FAULTS, 1, now)
        self.port.close()
        self._opening = False
        self.session.closed(now)

    def lost(self, event, now):
        """The connection is gone."""

    def _blame(self, why, now):
        """Say why the connection is gone: the caller knows, or the port does, or what was waited for in vain."""
        session = self.session
        port = self.port
        state = session.lost_in
        why = why or port.why
        if state == ts.PIM_VERIFY and self._is_foreign:
            why = FOREIGN_PIM
        elif why == 0:
            if state == ts.PIM_VERIFY:
                why = NO_PIM
            elif state == ts.PIM_INFO:
                why = NO_INFO
            else:
                why = NO_ANSWER if state == ts.STREAMING else WHY_TIMED_OUT
        health = self.health
        health.count(h.SERVER_AWAY)
        if self.trouble.set(why, state, port.why_code, 0, health.counters[h.DELIVERED]):
            health.log(h.SERVER_AWAY, why, now)

    def _look_at_opening(self, now):
        state = self.port.state()
        if state == PORT_OPEN:
            self._opening = False
            self._reached = True
            self.session.opened(now)
        elif state == PORT_CLOSED:
            self._opening = False
            self.session.closed(now)
            self._blame(0, now)

    def _obey(self, now):
        command = self.session.command()
        self.port.close()
        self._opening = False
        self._reached = self._reached and command == ts.CMD_CLOSE
        self.attempts += 1
        self._is_foreign = False
        if command == ts.CMD_OPEN_PIM:
            self.clock.stamp_into(self._stamp)
            self.session.set_stamp(self._stamp)
            self.port.open(self.pim_host, self.pim_port)
            self._opening = True
        elif command == ts.CMD_OPEN_SERVER:
            host = self._server_host(now)
            if not host:
                self.session.closed(now)
                self._blame(NOT_ALLOWED, now)
                return
            self.port.open(host, self.session.server_port or self.pim_port)
            self._opening = True
        # Open at once is a server next door, closed at once a network that is away: nothing will ever wake us for them.
        if self._opening and self.port.state() != PORT_OPENING:
            self._look_at_opening(now)

    def _server_host(self, now):
        """The host named by the 08, "" if it may not be; blank and 0.0.0.0 mean the PIM's own (DIGEST G.9 no. 14)."""
        if self.host_override:
            return self.host_override
        try:
            named = bytes(self.session.server_address).decode().strip(" \x00")
        except UnicodeError:
            named = ""
        if not named or named == "0.0.0.0":
            return self.pim_host
        if named != self.pim_host:
            if self.allow_hosts is not None and named not in self.allow_hosts:
                self.health.note(h.HOST_REFUSED, self.session.server_port, now)
                return ""
            self.health.note(h.OTHER_HOST, self.session.server_port, now)
        return named

    def _write(self, left, now):
        """Write until nothing more is due or the port takes no more; return the ms until the next deadline."""
        session = self.session
        pending = session.pending
        while pending:
            n = self.port.write(session.tx, session.tx_from, pending)
            if n < 0:
                self.lost(session.closed(now), now)
                self._blame(0, now)
                return 0
            if n == 0:
                break
            if session.sent(n, now):
                left = session.tick(now)
            pending = session.pending
        return left
