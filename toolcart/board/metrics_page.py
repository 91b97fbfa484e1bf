"""The figures of a chip as lines of Prometheus' text, made one at a time in a buffer of its own.

Rules
1. Names and labels are those of `toolcart web` (toolcart.tools.web.metrics), except `agent`: a client knows which one
   it asked.
2. A figure that is not known is left out, never 0.
3. `add` allocates nothing; `begin` may. A number is a small int. A line is made when there is room for it, so the
   figures of one page come from moments a few turns apart.
"""

# pyright: reportOptionalMemberAccess=false

import gc

from toolcart.agent.base.compat import const, give_back
from toolcart.agent.base.fields import copy, number, put_number
from toolcart.agent.base.health import CONTROLLER_CONNECTS, DUPLICATES, REPEATED, SERVER_CONNECTS
from toolcart.agent.base.words import unpack_digits
from toolcart.agent.log.cursor import WANTS_RESULTS, Cursor
from toolcart.agent.log.numbers import COUNTS_TO, DAMAGED, DELIVERED, LOG, OVERWRITTEN, STORED
from toolcart.agent.openprotocol.states import READY
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.result import HEAD_BYTES as BODY_AT
from toolcart.agent.record.result import TIME, has_time
from toolcart.board.clock import SOURCE_NTP, SOURCE_TOOLSNET

PIECE_BYTES = const(512)
LINE_BYTES = const(176)  # the longest line and its TYPE without the station's labels, with room to spare
_MANY_DAYS = const(10000)  # in seconds still a small int
_UNKNOWN = const(-1)  # the line is left out

# Lines of the board, then of each station. All of a station's but the first need its spool to be up.
_BOARD = (
    b"agent_memory_bytes",
    b"agent_memory_free_bytes",
    b"agent_faults_total",
    b"clock_kept",
    b"clock_error_seconds",
)
_CLOCK_ERROR = const(4)
# Each with the label that follows the station's, and the place of the outlet whose kind ends that label, or _NONE.
_NONE = const(-1)
_CONTROLLER = b',side="controller"'
_SIDE = b',side="'
_STATION = (
    (b"spool_up", b"", _NONE),
    (b"results_produced_total", b"", _NONE),
    (b"results_stored_total", b"", _NONE),
    (b"results_delivered_total", b"", _NONE),
    (b"results_waiting", b"", _NONE),
    (b"results_parked", b"", _NONE),
    (b"results_missing", b"", _NONE),
    (b"results_gone_total", b"", _NONE),
    (b"results_overwritten_total", b"", _NONE),
    (b"oldest_waiting_seconds", b"", _NONE),
    (b"connected", _CONTROLLER, _NONE),
    (b"connected", _SIDE, 0),
    (b"connected", _SIDE, 1),
    (b"connection_why", _CONTROLLER, _NONE),
    (b"connection_why", _SIDE, 0),
    (b"connection_why", _SIDE, 1),
    (b"outlet_waiting", b',outlet="', 0),
    (b"outlet_waiting", b',outlet="', 1),
    (b"connects_total", _CONTROLLER, _NONE),
    (b"connects_total", _SIDE, 0),
    (b"repeats_total", _CONTROLLER, _NONE),
    (b"repeats_total", _SIDE, 0),
    (b"spool_blocks", b"", _NONE),
    (b"spool_used_blocks", b"", _NONE),
    (b"spool_bad_records", b',kind="damaged"', _NONE),
    (b"spool_bad_records", b',kind="torn"', _NONE),
    (b"spool_bad_records", b',kind="worn"', _NONE),
    (b"flash_erases_total", b"", _NONE),
    (b"flash_erases_rated", b"", _NONE),
    (b"serial_overruns_total", b"", _NONE),
    (b"needs", b',what="disk",level="bad"', _NONE),
    (b"needs", b',what="full",level="bad"', _NONE),
    (b"needs", b',what="refused",level="bad"', _NONE),
    (b"needs", b',what="operator",level="bad"', _NONE),
    (b"needs", b',what="state",level="warn"', _NONE),
)
_OLDEST = const(9)
_CONNECTED = const(10)
_WHY_FIRST = const(13)
_WHY_LAST = const(15)
_WAITING = const(16)
_COUNTED = const(18)
_BLOCKS = const(22)
_RATED = const(28)
_OVERRUNS = const(29)
_NEEDS = const(30)  # each is 1 or left out, like toolcart.tools.words.attention

_KINDS = {"toolsnet": b"toolsnet", "mqtt": b"mqtt"}  # of a board's outlets


class Page:
    """The page's lines: `buf[sent:at]` is made and not sent yet; the sender moves `sent`."""

    def __init__(self, app, board):
        from toolcart.agent.cart.status import WHY_NAMES

        self._reasons = WHY_NAMES.encode()
        give_back("toolcart.agent.cart", "status")
        self._app = app
        self._board = board
        self._labels = [_labels(station) for station in app.stations]
        self._line_bytes = LINE_BYTES + max([len(labels) for labels in self._labels])
        self.buf = bytearray(PIECE_BYTES + self._line_bytes)
        self.at = 0
        self.sent = 0
        self._line = 0  # of the page: the board's lines, then every line for each station
        self._station = 0
        self._stamp = bytearray(19)
        self._digits = bytearray(14)
        self._day = 0
        self._second = 0
        self._scout = Cursor()
        self._scout.wants = WANTS_RESULTS

    def begin(self):
        """Begin again, with ages as of now."""
        self.at = self.sent = self._station = self._line = 0
        self._board.stamp_into(self._stamp)
        self._day = _day(self._stamp, 5, 8)
        self._second = _second(self._stamp, 11, 3)

    def put_text(self, octets):
        """Write these bytes."""
        copy(self.buf, self.at, octets, 0, len(octets))
        self.at += len(octets)

    def fill(self):
        """Make as many lines as there is room for; False if nothing is left to send."""
        if self.sent == self.at:
            self.at = self.sent = 0
        while len(self.buf) - self.at >= self._line_bytes and self._add():
            pass
        return self.sent < self.at

    def _add(self):
        """Make the next line, unless its figure is not known; False after the last."""
        line = self._line
        if line < len(_BOARD):
            self._line += 1
            self._add_board(line)
            return True
        line -= len(_BOARD)
        if line >= len(_STATION):
            return False
        name = _STATION[line][0]
        if self._station == 0 and (line == 0 or _STATION[line - 1][0] != name):
            self._kind(name)
        self._add_station(line, self._app.stations[self._station], self._labels[self._station])
        self._station += 1
        if self._station == len(self._app.stations):
            self._station = 0
            self._line += 1
        return True

    def _add_board(self, line):
        value = self._of_board(line)
        if value == _UNKNOWN:
            return
        self._kind(_BOARD[line])
        self._name(_BOARD[line])
        self.put_text(b" ")
        if line == _CLOCK_ERROR:
            self._figure(value // 1000)
            self.put_text(b".")
            put_number(self.buf, self.at, 3, value % 1000)
            self.at += 3
        else:
            self._figure(value)
        self.put_text(b"\n")

    def _add_station(self, line, station, labels):
        value = _of_station(station, line) if station.mounted or line == 0 else _UNKNOWN
        if line == _OLDEST and value > 0:
            value = self._oldest_s(station)
        is_why = _WHY_FIRST <= line <= _WHY_LAST
        if value == _UNKNOWN or ((is_why or line >= _NEEDS) and value == 0):
            return
        name, label, place = _STATION[line]
        self._name(name)
        self.put_text(labels)
        self.put_text(label)
        if place >= 0:
            self.put_text(_KINDS[station.outlets[place].kind])
            self.put_text(b'"')
        if is_why:
            self.put_text(b',why="')
            self._why(value)
            value = 1
        self.put_text(b"} ")
        self._figure(value)
        self.put_text(b"00000\n" if line == _RATED else b"\n")

    def _kind(self, name):
        self.put_text(b"# TYPE toolcart_")
        self.put_text(name)
        self.put_text(b" counter\n" if name.endswith(b"_total") else b" gauge\n")

    def _name(self, name):
        self.put_text(b"toolcart_")
        self.put_text(name)

    def _figure(self, value):
        """Write a number, which must not be negative."""
        width = 1
        rest = value // 10
        while rest:
            width += 1
            rest //= 10
        put_number(self.buf, self.at, width, value)
        self.at += width

    def _why(self, why):
        """Write the word of a reason, a number of toolcart.agent.cart.status.WHY_NAMES."""
        reasons = self._reasons
        at = 0
        while why:
            if reasons[at] == 0x2C:
                why -= 1
            at += 1
        while at < len(reasons) and reasons[at] != 0x2C:
            self.buf[self.at] = reasons[at]
            self.at += 1
            at += 1
        self.put_text(b'"')

    def _of_board(self, line):
        board = self._board
        if line == 0:
            return gc.mem_alloc()  # type: ignore[attr-defined]
        if line == 1:
            return gc.mem_free()  # type: ignore[attr-defined]
        if line == 2:
            return self._app.scheduler.faults
        if line == _CLOCK_ERROR:
            return board.ntp.dispersion_ms if board.clock.source == SOURCE_NTP else _UNKNOWN
        return 1 if board.clock.source >= SOURCE_TOOLSNET else 0

    def _oldest_s(self, station):
        """Return how long the oldest result has waited, by the controller's clock; _UNKNOWN if it has no time."""
        log = station.log
        scout = self._scout
        scout.stand_at(log.cursors[0])
        if log.peek(scout) != KIND_RESULT:
            return _UNKNOWN
        return self._age_s(log.page, log.at + BODY_AT)

    def _age_s(self, page, body):
        if not has_time(page, body):
            return _UNKNOWN
        digits = self._digits
        unpack_digits(digits, 0, page, body + TIME, 14)
        days = self._day - _day(digits, 4, 6)
        if not -1 <= days <= _MANY_DAYS:
            return _UNKNOWN
        age_s = days * 86400 + self._second - _second(digits, 8, 2)
        return age_s if age_s > 0 else 0


def _labels(station):
    """Return the labels that all lines of a station begin with."""
    name = station.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return ('{station="%d",name="%s"' % (station.number, name)).encode()


def _of_station(station, line):
    """Return the figure of one line; _UNKNOWN if there is none."""
    if line == 0:
        return 1 if station.mounted else 0
    if line <= _OLDEST:
        return _of_results(station, line)
    place = _STATION[line][2]
    if place >= 0:
        return _of_outlet(station, line, place) if place < len(station.outlets) else _UNKNOWN
    if line == _CONNECTED:
        return 1 if station.session.state == READY else 0
    if line == _WHY_FIRST:
        return 0 if station.session.state == READY else station.intake.trouble.why
    if line < _BLOCKS:
        return station.health.counters[CONTROLLER_CONNECTS if line == _COUNTED else DUPLICATES]
    if line == _OVERRUNS:
        return _UNKNOWN if station.session.link.steady else station.controller_port.overruns()
    if line >= _NEEDS:
        return _need(station, line - _NEEDS)
    return _of_spool(station.log, station.state, line)


def _of_outlet(station, line, place):
    outlet = station.outlets[place]
    if line < _WHY_FIRST:
        return 1 if outlet.is_up() else 0
    if line < _WAITING:
        return 0 if outlet.is_up() else outlet.trouble.why
    if line < _COUNTED:
        return station.log.waits(station.log.cursors[place])
    if station.quarantine is None:
        return _UNKNOWN  # only ToolsNet's are counted
    return station.health.counters[SERVER_CONNECTS if line == _COUNTED + 1 else REPEATED]


def _need(station, need):
    if need == 0:
        return 1 if station.log.device.refusal() else 0
    if need == 1:
        return 1 if station.intake.full and not station.intake.refused else 0
    if need == 4:
        return 1 if station.state.is_worn() else 0
    quarantine, outlet = station.quarantine, station.outlets[0]
    if quarantine is None:
        return 0
    if need == 2:
        return 1 if outlet.refuses() else 0
    return 1 if not outlet.holds() and quarantine.pressure() else 0


def _of_results(station, line):
    numbers = station.state.numbers
    if line == 1:
        return numbers[STORED] + station.known.gone()
    if line == 2:
        return numbers[STORED]
    if line == 3:
        return numbers[DELIVERED] if station.quarantine is not None else _UNKNOWN
    if line == 5:
        return station.quarantine.count() if station.quarantine is not None else _UNKNOWN
    if line == 6:
        return station.known.missing()
    if line == 7:
        return station.known.gone()
    if line == 8:
        return numbers[OVERWRITTEN]
    return station.log.waits(station.log.cursors[0])  # also says whether there is an oldest one


def _of_spool(log, state, line):
    if line == _BLOCKS + 1:
        return log.device.block_count - log.free_blocks()
    if line == _BLOCKS + 2:
        return state.numbers[DAMAGED]
    if line == _BLOCKS + 3:
        return log.torn
    if line == _BLOCKS + 4:
        return log.worn
    if line == _BLOCKS + 5:
        return state.numbers[LOG + COUNTS_TO] // log.device.block_count  # at most (toolcart.agent.log.head)
    return log.device.block_count  # what it is rated for is a hundred thousand times this


# -- time, in small ints ---------------------------------------------------------------------------------------------


def _day(digits, month_at, day_at):
    """Return the number of the day given by the digits yyyy, mm and dd, from a day long ago."""
    year = number(digits, 0, 4)
    month = number(digits, month_at, 2)
    if month < 3:
        year -= 1
        month += 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 - 457) // 5 + number(digits, day_at, 2)


def _second(digits, at, step):
    """Return the second of the day given by the digits hh, mm and ss, `step` apart."""
    return (number(digits, at, 2) * 60 + number(digits, at + step, 2)) * 60 + number(digits, at + 2 * step, 2)
