"""Why one side cannot be reached: a number kept until its connection is up again, reported once per change.

Rules
1. The numbers are one series in three files: up to 7 the session's with the controller
   (toolcart.agent.openprotocol.session_states), to 24 the port's (toolcart.agent.link.port), to 30 ToolsNet's, which
   are here; a later one is the next, wherever it belongs. toolcart.agent.cart.status has a short word for each, in
   order.
2. What else is known is kept with it: the session's state when it happened, a code (of MID 0004, of the system), a MID.
3. It allocates nothing: a side that is away for a year fails every minute.
"""

from toolcart.agent.base.compat import const

NO_PIM = const(25)  # it accepted the connection and sent no telegram 12
FOREIGN_PIM = const(26)  # it sent something, but no 12
NO_INFO = const(27)  # a 12 came, but no 08
NO_ANSWER = const(28)  # the server sent no 05
MALFORMED = const(29)  # it sent something in place of an 08, or a 05, for what was sent to it
NOT_ALLOWED = const(30)  # the PIM named a server that is not in toolsnet.allow_hosts
NO_PORT = const(42)  # the PIM named a server whose port cannot be one
KEPT_AGAIN = const(43)  # we ended it, as results could not be kept; they can be, and the next session begins
NOT_WRITTEN = const(37)  # our own flash does not take, or give, what an 08 means


class ConnectionFault:
    """What keeps one connection down; `why` is 0 while no reason is known."""

    __slots__ = ("_reported", "_reported_state", "_reported_when", "code", "mid", "state", "why")

    def __init__(self):
        self.why = 0
        self.state = 0
        self.code = 0
        self.mid = 0
        self._reported = 0
        self._reported_state = 0
        self._reported_when = 0

    def set(self, why, state, code, mid, when):
        """Keep this; True if it must be reported: it is a new reason, or the side has worked since (`when` moved)."""
        self.why = why
        self.state = state
        self.code = code
        self.mid = mid
        if why == self._reported and state == self._reported_state and when == self._reported_when:
            return False
        self._reported = why
        self._reported_state = state
        self._reported_when = when
        return True

    def over(self):
        """The connection is up."""
        self.why = 0
