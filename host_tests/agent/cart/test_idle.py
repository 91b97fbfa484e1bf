"""An idle agent sleeps: it wakes for keep-alives and their answers, a board for its lamp and watchdog besides.

Rules
1. The agent, `toolcart.board.loop` and `toolcart.board.housekeeping` are the real ones; the board sleeps as
   `toolcart.board.sockets` does, to the next deadline or input and WAIT_MAX_MS at most, on a clock that moves only in
   its `wait`.
2. The peers answer at once (lab.harness.allocation_free_peers): an answer is one more wake, as with a real peer.
3. A wake is in vain if no byte came or went, no port was opened, the lamp did not change and the watchdog was not fed.
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.agent.cart.app import App
from toolcart.agent.cart.led import _BLINK_MS, _PAUSE_MS
from toolcart.agent.cart.watchdog import ASKED_MS
from toolcart.agent.toolsnet.session import KEEPALIVE_MS as TOOLSNET_KEEPALIVE_MS
from toolcart.board import loop
from toolcart.board.clock import Clock
from toolcart.board.housekeeping import Housekeeping
from toolcart.board.no_network import NoNetwork
from toolcart.board.ram_flash import RamFlash
from host_tests.board.test_clock import Rtc
from lab.harness.allocation_free_peers import QuietBoard, QuietController, QuietToolsNet, configuration

HOUR_MS = 3600000
CONTROLLER_KEEPALIVE_MS = 7000  # the default of toolcart.agent.openprotocol.session
DEMANDED = 2 * (HOUR_MS // CONTROLLER_KEEPALIVE_MS + HOUR_MS // TOOLSNET_KEEPALIVE_MS)  # each wakes, its answer too
WAIT_MAX_MS = 60000  # as toolcart.board.sockets, which cannot be imported without a chip's `select`
SETTLE_MS = 10 * 60000  # connected, confirmed, and reported to the console as often as usual
START_TICKS = (1 << 30) - 5000


class _Port:
    """A quiet peer's port that counts what moves."""

    why = why_code = 0

    def __init__(self, peer):
        self.peer = peer
        self.moves = 0
        self.asleep = 0  # the state at the last wait, so that a change wakes as a poll does

    def open(self, host, port_number):
        self.moves += 1
        self.peer.open(host, port_number)

    def state(self):
        return self.peer.state()

    def readinto(self, buf, n):
        n = self.peer.readinto(buf, n)
        self.moves += n > 0
        return n

    def write(self, buf, start, n):
        self.moves += 1
        return self.peer.write(buf, start, n)

    def close(self):
        self.peer.close()


class _Network(NoNetwork):
    """A network that is always up."""

    def restart(self, is_deep, now):
        raise AssertionError("a link that carries keep-alives was restarted")


class _Sockets:
    """toolcart.board.sockets.Sockets, as far as toolcart.board.housekeeping uses it."""

    has_received = True
    tried = False


class _Output:
    """The console: output is dropped."""

    def write(self, text):
        pass


class Board(QuietBoard):
    """A board whose time passes only in `wait`; it counts its turns."""

    ntp = None

    def __init__(self):
        self.turns = 0
        self.in_vain = 0
        self.lamp_changes = 0
        self.feeds = 0
        self.controller = _Port(QuietController())
        self.toolsnet = _Port(QuietToolsNet())
        QuietBoard.__init__(self, (self.controller, self.toolsnet), RamFlash(32), START_TICKS)
        self.watchdog = self
        self.network = _Network()
        self.sockets = _Sockets()
        self.clock = Clock(Rtc(), self.moment)
        self._seen = 0

    def show_lamp(self, on):
        self.lamp_changes += 1

    def feed(self):
        self.feeds += 1

    def read_console(self):
        return ""

    def wait(self, app, wait_ms):
        """Sleep until input or for `wait_ms`, as toolcart.board.sockets does."""
        self.turns += 1
        seen = self.controller.moves + self.toolsnet.moves + self.lamp_changes + self.feeds
        self.in_vain += seen == self._seen
        self._seen = seen
        if wait_ms > WAIT_MAX_MS:
            wait_ms = WAIT_MAX_MS
        for port, slot in self.watched:
            state = port.state()
            if port.peer.left or state > port.asleep:
                app.scheduler.wake(slot, self.moment)
                wait_ms = 0
            port.asleep = state
        self.moment = ticks_add(self.moment, wait_ms)


class _Confirmation:
    def came_up(self):
        pass

    healthy = came_up


def hour(whole_board):
    """Return the turns of the loop in one idle hour, and those in which nothing moved."""
    tree = configuration()
    board = Board()
    app = App(tree, board)
    on_turn = loop.forever
    if whole_board:
        housekeeping = Housekeeping(app, board, tree, "/nowhere", _Confirmation(), board.now())
        housekeeping.console._out = _Output()
        on_turn = housekeeping.on_turn
    _pass(app, board, on_turn, SETTLE_MS)
    turns, in_vain = board.turns, board.in_vain
    _pass(app, board, on_turn, HOUR_MS)
    fault = app.scheduler.last_fault
    if fault is not None:
        raise fault
    return board.turns - turns, board.in_vain - in_vain


def _pass(app, board, on_turn, ms):
    """Run the loop until `ms` have passed."""
    until = ticks_add(board.moment, ms)
    board._seen = -1  # its first turn counts: it comes when the last pass ended

    def bounded(now):
        left = ticks_diff(until, now)
        turn_ms = on_turn(now)
        if left <= 0 or turn_ms < 0:
            return -1
        return min(turn_ms, left, FOREVER)

    loop.run(app, board, bounded)


def test_idle_agent_wakes_for_keep_alives_and_their_answers_alone():
    turns, in_vain = hour(whole_board=False)
    assert in_vain == 0
    assert 0.9 * DEMANDED < turns <= DEMANDED


def test_whole_board_wakes_for_nothing_besides_its_lamp_and_its_watchdog():
    turns, in_vain = hour(whole_board=True)
    assert in_vain == 0
    most = DEMANDED + 2 * HOUR_MS // (_BLINK_MS + _PAUSE_MS) + HOUR_MS // ASKED_MS
    assert turns <= most + 2 * HOUR_MS // 60000  # the clock is looked after each minute
