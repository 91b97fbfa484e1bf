"""Asks a controller for the names of all its parameter sets: low priority, one request at a time.

Rules
1. The list (MID 0010, 0011) is asked for on each connection, then one after the other the data (MID 0012, 0013) of
   each set whose name is not known since the start. Limits and clock come first, and results before all of it
   (toolcart.agent.openprotocol.queries).
2. ToolsNet is told when the last name is known or the asking ends, not after each one.
3. Each request is sent once. If the list is rejected, or a set is not answered or rejected for good (MID 0004 with
   99, 73 or 75), nothing more is asked for until the next connection. A set rejected for another reason, such as one
   that does not exist (2), is skipped. What is rejected for the moment is asked for again.
"""

from toolcart.agent.base.fields import number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import error_codes, queries
from toolcart.agent.openprotocol.session_states import EV_QUERY, EV_QUERY_REJECTED, EV_QUERY_SILENT

CPYTHON_ONLY = True  # a board has room for results alone

LIST = (10, 11, 23, False, 0, 0, True, EV_QUERY, EV_QUERY_SILENT, EV_QUERY_REJECTED, queries.LIMITS[-1])
DATA = (12, 13, 52, True, 3, 0, True, EV_QUERY, EV_QUERY_SILENT, EV_QUERY_REJECTED, queries.LIMITS[-1])

_COUNT = 20  # MID 0011 (OP 5.3.2 p. 82): how many, 3 digits, and 3 for each
_FIRST = 23
_WIDTH = 3
_PSET = 22  # MID 0013 revision 1 (OP 5.3.4 p. 83)
_NAME = 27


class ParameterSetNames:
    """The queries of a station (`others`, or None), followed by the names of all its parameter sets.

    `on_known(now)` is called when the last one is known.
    """

    def __init__(self, others, names, on_known):
        self._on_known = on_known
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
        """Ask what is due; return ASKED if something was asked, else the ms until something is due, `left` at most."""
        if self._others is not None:
            left = self._others.look(session, now, left)
        if left == queries.ASKED or not session.can_fetch():
            return left
        if self._later.armed and not self._later.expired(now):
            return self._later.least(now, left)
        self._later.stop()
        if self._wants_list:
            session.request.ask(LIST, 10, 10, 1, b"", 1)
            return queries.ASKED
        if self._wanted:
            session.request.ask(DATA, 12, 12, 1, b"%03d" % self._wanted[0], 1)
            return queries.ASKED
        return left

    def take(self, event, session, counters, now):
        """Take an EV_QUERY: the answer to what was asked, or that there is none."""
        row = session.request.row
        if row is not LIST and row is not DATA:
            self._others.take(event, session, counters, now)
            if row is queries.LIMITS and event == EV_QUERY and session.received.revision not in queries.OTHER_LAYOUT:
                self._take_name(session.link, number(session.request.data, 0, _WIDTH))  # comes with its limits
            return
        if event == EV_QUERY_REJECTED and session.received.rejection in (
            error_codes.REJECTED_LATER,
            error_codes.REJECTED_BUSY,
        ):
            self._later.start(now, queries.LATER_MS)
            return
        if row is LIST:
            self._wants_list = False
            if event == EV_QUERY:
                self._take_list(session.link)
        elif event == EV_QUERY_SILENT or (
            event == EV_QUERY_REJECTED and session.received.rejection == error_codes.REJECTED_NEVER
        ):
            self._end()
        else:
            pset = self._wanted.pop(0)
            if event == EV_QUERY:
                self._take_name(session.link, pset)
        if not self._wanted:
            self._end()
            self._on_known(now)

    def _take_list(self, link):
        """Take as many sets as the message says and has room for."""
        count = number(link.buf, link.at + _COUNT, _WIDTH)
        for index in range(min(count, (link.length - _FIRST) // _WIDTH)):
            pset = number(link.buf, link.at + _FIRST + index * _WIDTH, _WIDTH)
            if pset > 0 and pset not in self._names.programs and pset not in self._wanted:
                self._wanted.append(pset)
        self._names.filling = bool(self._wanted)

    def _take_name(self, link, pset):
        if number(link.buf, link.at + _PSET, _WIDTH) == pset:
            self._names.learn(pset, link.buf, link.at + _NAME)

    def _end(self):
        """Ask for nothing more on this connection."""
        self._wanted = []
        self._names.filling = False
