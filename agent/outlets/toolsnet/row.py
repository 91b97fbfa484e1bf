"""A session in which several results are out at once, for lines with a long round trip.

Rules
1. Results go out in their order, each under an identifier of its own; their answers may come in any order.
2. None of them is sent again on the same connection. The server may have refused it with its answer lost, and have
   taken one behind it: then it takes the copy for a number that it has passed (DIGEST G.8). What has no answer after
   `ack_timeout_ms` ends the connection instead, and the next 08 tells.
3. Nothing else goes out before all are answered.
4. Whoever sends says how many (`width`); at 1 this is the session it derives from.
"""

from agent.base.ticks import FOREVER, Timer
from agent.outlets.toolsnet.beside import AnySession
from agent.toolsnet import session as ts
from agent.toolsnet.outgoing import OUT_NOTHING, OUT_RESULT

CPYTHON_ONLY = True  # each result that is out has a buffer of its own

UNANSWERED = -1


class Out:
    """One result that is out: its number in the log, and what became of it (`code` of its 05, or UNANSWERED)."""

    def __init__(self, number, ident, telegram):
        self.number = number
        self.ident = ident
        self.telegram = telegram
        self.code = UNANSWERED
        self.is_begun = False  # octets of it may have left
        self.is_whole = False  # all of them have
        self.wait = Timer()  # for its 05


class RowSession(AnySession):
    """A session with a row of results on the line. `row` has those that are out, in their order."""

    def __init__(self, *identity, **settings):
        AnySession.__init__(self, *identity, **settings)
        self.width = 1
        self.row = []  # never another list: who settles it has it too
        self.answered = None  # the Out that the last EV_ACCEPTED or EV_REFUSED speaks of, None: the single telegram
        self.left_open = []  # the row in which the last connection ended
        self._writing = None

    def can_send(self):
        """Tell whether a result may be written into `result` and sent."""
        if not self.row:
            return AnySession.can_send(self)
        return self.state == ts.STREAMING and len(self.row) < self.width

    def send(self, octets):
        """Send the telegram of `octets` in `result`; it carries the identifier of the last `next_ident`."""
        if self.width == 1:
            AnySession.send(self, octets)
        else:
            self.row.append(Out(0, self.ident, self.result[:octets]))

    def sent(self, n, now):
        """The port took n octets; whether `tick` has to be asked again for that."""
        if self._writing is None:
            return AnySession.sent(self, n, now)
        self.tx_from += n
        self.pending -= n
        if not self.pending:
            self._writing.is_whole = True
            self._rest.start(now, self.keepalive_ms)
            self._begin_next(now)
        return False

    def tick(self, now):
        """Begin to write what is due; return the ms until something may be due again."""
        if not self.row:
            return AnySession.tick(self, now)
        if self._writing is None:
            self._begin_next(now)
        out = self._first_unanswered()
        return FOREVER if out is None else out.wait.left(now)

    def is_due(self, now):
        """Tell whether `next_event` has something to do although nothing came."""
        return AnySession.is_due(self, now) or self._is_late(now)

    def _begin_next(self, now):
        self._writing = None
        for out in self.row:
            if not out.is_begun:
                out.is_begun = True
                out.wait.start(now, self.ack_timeout_ms)
                self._writing = out
                self.tx = out.telegram
                self.tx_from = 0
                self.pending = len(out.telegram)
                return

    def _is_late(self, now):
        out = self._first_unanswered()
        return out is not None and out.wait.expired(now)

    def _first_unanswered(self):
        """Return the one that has waited longest, None if all are answered."""
        for out in self.row:
            if out.code == UNANSWERED:
                return out
        return None

    def _acknowledged(self, ident):
        self.answered = None
        for out in self.row:
            if out.ident == ident and out.code == UNANSWERED:
                break
        else:
            return AnySession._acknowledged(self, ident)
        # To the session it is the one that is out as long as it reads the answer.
        self._out = OUT_RESULT
        self._out_ident = ident
        self._whole = out.is_whole
        event = AnySession._acknowledged(self, ident)
        self._out = OUT_NOTHING
        if event in (ts.EV_ACCEPTED, ts.EV_REFUSED):
            out.code = self.code
            self.answered = out
        return event

    def _look_at_time(self, now):
        if self._is_late(now):
            self._lose(now)
            return ts.EV_SILENT
        return ts.EV_NONE if self.row else AnySession._look_at_time(self, now)

    def _lose(self, now):
        self._give_up_row()
        return AnySession._lose(self, now)

    def stop(self):
        """Close and stay closed."""
        self._give_up_row()
        AnySession.stop(self)

    def _give_up_row(self):
        if self.row:
            self.left_open = self.row[:]
            self.row.clear()
        self.width = 1
        self._writing = None
        self.answered = None
