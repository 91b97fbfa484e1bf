"""A session with ToolsNet which sends more than results.

A telegram of another kind goes out from its own buffer, alone; a 10 may answer it, too (protocol.md 9.3).
"""

from toolcart.agent.base.fields import BAD, copy, number, put_number
from toolcart.agent.toolsnet import session as ts
from toolcart.agent.toolsnet import telegram as tel
from toolcart.agent.toolsnet.session import Session

CPYTHON_ONLY = True  # a board sends results alone

_10_BYTES = 38


class ExtendedSession(Session):
    """One station's way to ToolsNet."""

    def __init__(self, *identity, **settings):
        Session.__init__(self, *identity, **settings)
        self.names = None  # what telegram 02 has to say, where it goes out; results say which spindles there are
        self._lent = None  # the buffer of results, while another one takes its place
        self._takes_10 = False

    def send_from(self, buffer, octets, takes_10):
        """Send the telegram of `octets` bytes in this buffer, which must not change until its answer has come."""
        self._lent = self.result
        self.result = buffer
        self._takes_10 = takes_10
        self.send(octets)

    def _take(self, now):
        incoming = self.incoming
        head = tel.head_of(incoming.buf, incoming.at, incoming.length)
        if self._takes_10 and head >= 0 and head // tel.IDENTS == tel.ID_EVENT_ACKNOWLEDGE:
            if not _make_05(incoming.buf, incoming.at, incoming.length):
                return ts.EV_MALFORMED
        return Session._take(self, now)

    def _acknowledged(self, ident):
        answered = self.heartbeat.result_answered
        event = Session._acknowledged(self, ident)
        if event == ts.EV_ACCEPTED or event == ts.EV_REFUSED:
            if self._lent is not None:
                self.heartbeat.result_answered = answered  # another telegram's tells nothing of results
            self._give_back()
        return event

    def _lose(self, now):
        self._give_back()
        return Session._lose(self, now)

    def stop(self):
        """Close and stay closed."""
        self._give_back()
        Session.stop(self)

    def _give_back(self):
        """Give the buffer back to the results."""
        if self._lent is not None:
            self.result = self._lent
            self._lent = None
            self._takes_10 = False


def _make_05(buf, at, length):
    """Make a 05 of the 10 at buf[at:] (TN 5.5): its time and its code; False if the code is not a number."""
    code = number(buf, at + 37, 5) if length >= _10_BYTES else BAD
    if code < 0:
        return False
    buf[at + 4] = 0x30
    buf[at + 5] = 0x35
    copy(buf, at + 11, buf, at + 23, 14)
    put_number(buf, at + 25, 3, code if code < 1000 else 999)
    return True
