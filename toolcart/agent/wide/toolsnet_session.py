"""A session with ToolsNet in which several results may be outstanding, and which sends more than results.

Rules
1. A telegram of another kind goes out from its own buffer, alone; a 10 may answer it, too (DIGEST G.7).
2. With `width` above 1 several results are outstanding: in their order, each with its own identifier and its own copy
   in memory; their answers may come in any order.
3. None of them is sent again on the same connection. The server may have refused it, with the answer lost, and taken
   one behind it: then it would take the copy for a number that it has passed (DIGEST G.8). A result without an answer
   after ACK_TIMEOUT_MS ends the connection instead, and the next 08 settles it.
4. Nothing else goes out before all are answered. The sender says how many; at 1 this is a session like any other.
"""

from toolcart.agent.base.fields import BAD, copy, number, put_number
from toolcart.agent.base.ticks import FOREVER, Timer
from toolcart.agent.toolsnet import session as ts
from toolcart.agent.toolsnet import telegram as tel
from toolcart.agent.toolsnet.session import ACK_TIMEOUT_MS, KEEPALIVE_MS, OUT_NOTHING, OUT_RESULT, Session

CPYTHON_ONLY = True  # each outstanding result has a buffer of its own

UNANSWERED = -1
_10_BYTES = 38


class Out:
    """One outstanding result: its number in the log, and what became of it (`code` of its 05, or UNANSWERED)."""

    def __init__(self, ident, telegram):
        self.number = 0
        self.behind = None  # a cursor behind it
        self.ident = ident
        self.telegram = telegram
        self.code = UNANSWERED
        self.is_begun = False  # some of its bytes may have left
        self.is_whole = False  # all of them have
        self.wait = Timer()  # for its 05


class WideSession(Session):
    """One station's way to ToolsNet. `row` has the outstanding results in their order, where several are allowed."""

    def __init__(self, *identity, **settings):
        Session.__init__(self, *identity, **settings)
        self.names = None  # what telegram 02 has to say, where it goes out; results say which spindles there are
        self.width = 1
        self.row = []  # never replaced by another list: the window has it too
        self.answered = None  # the Out of the last EV_ACCEPTED or EV_REFUSED; None: it was the single telegram
        self.left_open = []  # the row of the last connection when it ended
        self._lent = None  # the buffer of results, while another one takes its place
        self._takes_10 = False
        self._writing = None

    # -- what goes out -----------------------------------------------------------------------------------------

    def can_send(self):
        """True if a result may be written into `result` and sent."""
        if not self.row:
            return Session.can_send(self)
        return self.state == ts.STREAMING and len(self.row) < self.width

    def is_idle(self):
        """True if nothing is outstanding on this connection."""
        return not self.row and Session.is_idle(self)

    def was_late(self):
        """True if a copy of what was answered last may be outstanding: never for one in the row."""
        return self.answered is None and Session.was_late(self)

    def send_from(self, buffer, octets, takes_10):
        """Send the telegram of `octets` bytes in this buffer, which must not change until its answer has come."""
        self._lent = self.result
        self.result = buffer
        self._takes_10 = takes_10
        Session.send(self, octets)

    def send(self, octets):
        """Send the telegram of `octets` bytes in `result`, which carries `ident`."""
        if self.width == 1:
            Session.send(self, octets)
        else:
            self.row.append(Out(self.ident, self.result[:octets]))
            self.ident = self.ident % tel.IDENT_MAX + 1

    def sent(self, n, now):
        """Note that the port took n bytes; True if `tick` has to be called again for that."""
        if self._writing is None:
            return Session.sent(self, n, now)
        self.tx_from += n
        self.pending -= n
        if not self.pending:
            self._writing.is_whole = True
            self._rest.start(now, KEEPALIVE_MS)
            self._begin_next(now)
        return False

    def tick(self, now, left=FOREVER):
        """Begin to write what is due; return `left`, or the ms until something may be due again if that is less."""
        if not self.row:
            return Session.tick(self, now, left)
        if self._writing is None:
            self._begin_next(now)
        out = self._first_unanswered()
        return left if out is None else out.wait.least(now, left)

    def _begin_next(self, now):
        self._writing = None
        for out in self.row:
            if not out.is_begun:
                out.is_begun = True
                out.wait.start(now, ACK_TIMEOUT_MS)
                self._writing = out
                self.tx = out.telegram
                self.tx_from = 0
                self.pending = len(out.telegram)
                return

    # -- what comes in -----------------------------------------------------------------------------------------

    def _take(self, now):
        frames = self.frames
        head = tel.head_of(frames.buf, frames.at, frames.length)
        if self._takes_10 and head >= 0 and head // tel.IDENTS == tel.ID_EVENT_ACKNOWLEDGE:
            if not _make_05(frames.buf, frames.at, frames.length):
                return ts.EV_MALFORMED
        return Session._take(self, now)

    def _acknowledged(self, ident):
        self.answered = None
        for out in self.row:
            if out.ident == ident and out.code == UNANSWERED:
                return self._answer(out)
        event = Session._acknowledged(self, ident)
        if event == ts.EV_ACCEPTED or event == ts.EV_REFUSED:
            self._give_back()
        return event

    def _answer(self, out):
        """Let the base session read the answer with this one as its outstanding telegram."""
        self.out.kind = OUT_RESULT
        self.out.ident = out.ident
        self.out.is_whole = out.is_whole
        event = Session._acknowledged(self, out.ident)
        self.out.kind = OUT_NOTHING
        if event == ts.EV_ACCEPTED or event == ts.EV_REFUSED:
            out.code = self.code
            self.answered = out
        return event

    def _give_back(self):
        """Give the buffer back to the results."""
        if self._lent is not None:
            self.result = self._lent
            self._lent = None
            self._takes_10 = False

    # -- time and loss -----------------------------------------------------------------------------------------

    def is_due(self, now):
        """True if `next_event` has something to do although nothing came."""
        return Session.is_due(self, now) or self._is_late(now)

    def _first_unanswered(self):
        """Return the one that has waited longest; None if all are answered."""
        for out in self.row:
            if out.code == UNANSWERED:
                return out
        return None

    def _is_late(self, now):
        out = self._first_unanswered()
        return out is not None and out.wait.expired(now)

    def _look_at_time(self, now):
        if self._is_late(now):
            self._lose(now)
            return ts.EV_SILENT
        return ts.EV_NONE if self.row else Session._look_at_time(self, now)

    def _lose(self, now):
        self._give_up_row()
        return Session._lose(self, now)

    def stop(self):
        """Close and stay closed."""
        self._give_up_row()
        Session.stop(self)

    def _give_up_row(self):
        if self.row:
            self.left_open = self.row[:]
            self.row.clear()
        self.width = 1
        self._writing = None
        self.answered = None
        self._give_back()


def _make_05(buf, at, length):
    """Make a 05 of the 10 at buf[at:] (004:206-223): its time and its code; False if the code is not a number."""
    code = number(buf, at + 37, 5) if length >= _10_BYTES else BAD
    if code < 0:
        return False
    buf[at + 4] = 0x30
    buf[at + 5] = 0x35
    copy(buf, at + 11, buf, at + 23, 14)
    put_number(buf, at + 25, 3, code if code < 1000 else 999)
    return True
