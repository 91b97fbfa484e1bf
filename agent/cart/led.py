"""One lamp shows what the agent is doing: the number of blinks is the code, docs/boards.md has the table.

Rules
1. The most urgent thing wins; the order of the codes in `code_of` is that order.
2. A code is blinked to its end before the next is looked up, so the count is always right.
3. Nothing allocates: `tick` switches `on` and says when it wants to be called again.

    code 3:   #_#_#______________#_#_#____________
              # _BLINK_MS   _ _DARK_MS between two, _PAUSE_MS behind the last
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.flash import REFUSED_NOTHING
from toolcart.agent.openprotocol.session_states import READY
from toolcart.agent.quarantine.quarantine import PRESSURE_NONE

RUNNING = const(1)
NO_OUTLET = const(2)
NO_CONTROLLER = const(3)
NEITHER = const(4)
SPOOL_FULL = const(5)
SPOOL_UNUSABLE = const(6)
NO_NETWORK = const(7)
SAFE_MODE = const(8)  # shown by toolcart.board.safe_mode, without this module
NEEDS_OPERATOR = const(9)  # the quarantine is full or nearly, or an outlet waits for an operator

_BLINK_MS = const(150)
_DARK_MS = const(250)
_PAUSE_MS = const(1800)


def code_of(stations, has_network):
    """Return the code of the most urgent trouble, RUNNING if there is none."""
    controllers = servers = True
    cannot_store = False
    refused = False
    needs_operator = False
    for station in stations:
        if not station.mounted:
            return SPOOL_UNUSABLE
        cannot_store = cannot_store or station.intake.cannot_store
        cannot_store = cannot_store or not station.log.has_room(station.log.room_bytes)
        refused = refused or station.log.device.refusal() != REFUSED_NOTHING
        if station.quarantine is not None and station.quarantine.pressure() != PRESSURE_NONE:
            needs_operator = True
        controllers = controllers and station.session.state == READY
        for outlet in station.outlets:
            servers = servers and outlet.is_up()
            needs_operator = needs_operator or outlet.needs_operator()
    if refused:
        return SPOOL_UNUSABLE
    if cannot_store:
        return SPOOL_FULL
    if not has_network:
        return NO_NETWORK
    if controllers:
        if servers:
            return NEEDS_OPERATOR if needs_operator else RUNNING
        return NO_OUTLET
    return NO_CONTROLLER if servers else NEITHER


class Blinker:
    """Turns a code into on and off."""

    __slots__ = ("_left", "_timer", "code", "on")

    def __init__(self, now):
        self.code = 0
        self.on = True  # lit from the first moment: there is power, the agent starts
        self._left = 0
        self._timer = Timer()
        self._timer.start(now, _PAUSE_MS)

    def tick(self, now, code):
        """Switch `on` if it is time; return the ms until the next change."""
        if self._timer.expired(now):
            if self.on:
                self.on = False
                self._timer.start(now, _DARK_MS if self._left else _PAUSE_MS)
            else:
                if self._left == 0:
                    self.code = code
                    self._left = code
                self.on = True
                self._left -= 1
                self._timer.start(now, _BLINK_MS)
        return self._timer.left(now)
