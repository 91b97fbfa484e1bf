"""Why one side cannot be reached: a number that lasts until its connection stands again, told once for each change.

Rules
1. The first numbers are the session's with the controller (agent.openprotocol.states), then come the port's
   (agent.link.port), then ToolsNet's, which are here. agent.cart.status has a short word for each.
2. What else is known goes with it: the session's state when it happened, a code (of MID 0004, of the system), a MID.
3. It allocates nothing: a side that is away for a year fails every minute.
"""

from agent.base.compat import const

NO_PIM = const(25)  # it took the connection and sent no 12
FOREIGN_PIM = const(26)  # it sent something, and no 12
NO_INFO = const(27)  # a 12 came, and no 08
NO_ANSWER = const(28)  # the server sent no 05
MALFORMED = const(29)  # it sent what is no telegram
NOT_ALLOWED = const(30)  # the PIM names a server that toolsnet.allow_hosts does not have


class Trouble:
    """What keeps one connection from standing; `why` is 0 while nothing is known to."""

    __slots__ = ("_told", "_told_state", "_told_when", "code", "mid", "state", "why")

    def __init__(self):
        self.why = 0
        self.state = 0
        self.code = 0
        self.mid = 0
        self._told = 0
        self._told_state = 0
        self._told_when = 0

    def set(self, why, state, code, mid, when):
        """Take this; True if it has to be told: it is another one, or something has worked (`when` moved) meanwhile."""
        self.why = why
        self.state = state
        self.code = code
        self.mid = mid
        if why == self._told and state == self._told_state and when == self._told_when:
            return False
        self._told = why
        self._told_state = state
        self._told_when = when
        return True

    def over(self):
        """The connection stands."""
        self.why = 0
