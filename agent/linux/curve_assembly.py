"""Curves put together again from their pieces, one after the other, for an outlet with a cursor in their log.

As lines of a file outlet each is behind the line of its result.

Rules
1. A curve goes out once the line of its result is written; at once if its result is not known or not in the log.
2. The cursor in the log of graphs goes past a curve when the file has its line durably. What the file already has is
   found as for results (toolcart.agent.linux.file, rule 2): by its last line of this kind.
3. A curve with missing pieces is returned up to the first gap, and written as cut short. A piece without those in front
   of it is skipped: the log counts it as missed. What a start finds last is settled before anything is read, as in the
   log of results: else the last curve would wait for the next one.
4. Nothing waits for curves: if their log cannot be read now, results go on.
"""

from struct import unpack, unpack_from

from toolcart.agent.base.fields import get_u32
from toolcart.agent.linux.json_line import iso_time, line_with, number_in
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.record import graph as gr
from toolcart.agent.record.json_line import SCHEMA
from toolcart.agent.record.result import FLAG_ODD, FLAG_TRUNCATED, ID_BYTES
from toolcart.agent.record.text import decimal_of, digits_of, packed_time, text_of, time_source

CPYTHON_ONLY = True  # no board sends curves anywhere

CURVES = {1: "angle", 2: "torque", 3: "current", 4: "gradient", 5: "stroke", 6: "force"}
# OP 6.3 p. 267, protocol.md 10.5
_UNITS = """1 Nm|2 ft.lbf|3 cNm|4 kNm|5 MNm|6 in.lbf|7 kpm|9 %|10 ozf.in|11 dNm|12 mNm|13 kgf.cm|14 gf.cm|15 ft.ozf
50 deg|51 rad|90 mNm|200 s|201 min|202 ms|203 h"""
UNITS = {int(one.split()[0]): one.split()[1] for one in _UNITS.replace("\n", "|").split("|")}
_FIELD_BYTES = 17


class Curves:
    """The curves in `log` from the cursor `index` on; `flags` are those of the one read last."""

    def __init__(self, log, index):
        self.log = log
        self.index = index
        self.cursor = log.cursors[index]
        self.flags = 0
        self._scout = Cursor()
        self._behind = Cursor()  # the curve read last
        self._scout.wants = self._behind.wants = self.cursor.wants

    def restart(self):
        """Begin again at the cursor."""
        self._scout.stand_at(self.cursor)

    def advance(self):
        """Pass the curve read last: its line was taken."""
        self._scout.stand_at(self._behind)

    def settle(self):
        """Move the cursor: all that was taken is durable."""
        self.cursor.stand_at(self._scout)

    def read(self):
        """Read the next curve; return its first piece up to the data, all its data, and True if that is complete.

        (None, b"", False) if there is none. Afterwards `_behind` is behind the curve.
        """
        log, behind = self.log, self._behind
        behind.stand_at(self._scout)
        lead, data, awaited = None, b"", 0
        kind = log.peek(behind)
        while kind > RECORD_NONE:
            number, piece, octets = self._piece()
            if lead is None and piece == 0:
                lead = bytes(log.page[log.at : gr.data_at(log.page, log.at)])
                self.flags = log.flags
            elif lead is not None and (piece != awaited or number != get_u32(lead, 0) + awaited):
                break
            behind.advance()
            if lead is not None:
                data += octets
                awaited += 1
                if awaited == lead[gr.PIECES]:
                    return lead, data, True
            kind = log.peek(behind)
        if lead is None and kind == RECORD_NONE:
            self._scout.stand_at(behind)  # pieces of no use
        if kind < RECORD_NONE or log.doubtful:
            return None, b"", False  # it cannot be read now, or the last piece follows when it is settled
        return lead, data, False

    def _piece(self):
        """Return the piece in the page: its number, which one of its curve it is (-1: none), and its data."""
        page = self.log.page
        at = self.log.at
        length = self.log.length
        if not gr.is_piece(page, at, length):
            return 0, -1, b""
        return get_u32(page, at), page[at + gr.PIECE], bytes(page[gr.data_at(page, at) : at + length])


def samples_in(data):
    """Return a curve's samples."""
    count = len(data) // 2
    return list(unpack(">%dh" % count, data[: 2 * count]))


def steps_in(lead):
    """Return of each step how many samples it has, and the ms between two: numerator and denominator."""
    return [
        unpack_from("<HII", lead, gr.FIRST_STEP + index * gr.STEP_BYTES)
        for index in range(lead[gr.STEPS] & gr.STEPS_BITS)
    ]


class GraphLines(Curves):
    """The curves of one station for the outlet with this cursor."""

    def __init__(self, log, index):
        Curves.__init__(self, log, index)
        self.looking = False
        self._last = b""

    def begin(self, last):
        """Go on behind the curve that `last` was made from, if it is still there."""
        self._scout.stand_at(self.cursor)
        self._last = last
        self.looking = len(last) > 0

    def look(self, count):
        """Look through `count` curves for that of the last line; `looking` says if there may be more to look at."""
        for _ in range(count):
            lead, data, whole = self.read()
            # A line has the number of its first piece, and numbers ascend.
            if lead is None or get_u32(lead, 0) > number_in(self._last):
                break
            self._scout.stand_at(self._behind)
            if graph_line(lead, self.flags, data, whole) == self._last:
                self.cursor.stand_at(self._scout)
                break
        else:
            return
        self.looking = False

    def next(self, number, newest):
        """Return the line of the next curve if its result is not behind `number`; None if there is none now.

        `newest` is the last number of the log: a curve whose result is above it belongs to none.
        """
        lead, data, whole = self.read()
        if lead is None:
            return None
        result = get_u32(lead, gr.RESULT)
        if number < result <= newest:
            return None
        return graph_line(lead, self.flags, data, whole)


def graph_line(lead, flags, data, whole):
    """Return the curve, or the plot parameters, as a line with its line end."""
    what = lead[gr.WHAT]
    result = get_u32(lead, gr.RESULT)
    fields = [
        ("schema", SCHEMA),
        ("type", "graph" if what else "plot parameters"),
        ("station", lead[4] | lead[5] << 8),
        ("number", get_u32(lead, 0)),
        ("result", result or None),
        ("tightening_id", digits_of(lead, gr.RESULT_ID, ID_BYTES) or None),
        ("time", iso_time(packed_time(lead, gr.TIME))),
        ("time_source", time_source(flags, lead, gr.TIME)),
        ("result_time", iso_time(packed_time(lead, gr.RESULT_TIME))),
        ("spindle", gr.spindle_of(lead, 0)),
        ("bolt", gr.bolt_of(lead, 0) or None),
        ("object", gr.object_of(lead, 0) or None),
        ("program", digits_of(lead, gr.PROGRAM, 4) or None),
    ]
    if what:
        fields += _curve(lead, data)
    else:
        fields.append(("fields", _fields(data)))
    cut_short = not whole or flags & FLAG_TRUNCATED != 0
    return line_with(fields + [("cut_short", cut_short), ("odd", flags & FLAG_ODD != 0)])


def _curve(lead, data):
    what = lead[gr.WHAT]
    unit = lead[gr.UNIT] | lead[gr.UNIT + 1] << 8
    shift = lead[gr.SHIFT] - (lead[gr.SHIFT] >> 7 << 8)
    decimals = lead[gr.DECIMALS]
    steps = []
    for count, numerator, denominator in steps_in(lead):
        ms = numerator / max(1, denominator) if numerator else None
        steps.append([count, int(ms) if ms is not None and ms == int(ms) else ms])
    return [
        ("curve", CURVES.get(what, "type %d" % what)),
        ("transducer", lead[gr.TRANSDUCER]),
        ("unit", _unit(unit)),
        ("low", decimal_of(lead, gr.LOW, gr.LIMIT_BYTES, decimals) or None),
        ("high", decimal_of(lead, gr.HIGH, gr.LIMIT_BYTES, decimals) or None),
        ("numerator", get_u32(lead, gr.NUMERATOR) << max(0, shift)),
        ("denominator", get_u32(lead, gr.DENOMINATOR) << max(0, -shift)),
        ("steps", steps),
        ("announced", get_u32(lead, gr.ANNOUNCED)),
        ("samples", samples_in(data)),
    ]


def _unit(number):
    return UNITS.get(number, "unit %03d" % number) if number else None


def _fields(data):
    """Return the data fields of a MID 0901, as far as they can be told apart."""
    fields = []
    at = 0
    while at + _FIELD_BYTES <= len(data):
        head = data[at : at + _FIELD_BYTES].replace(b" ", b"0")
        octets = int(head[5:8]) if head.isdigit() else len(data)
        if at + _FIELD_BYTES + octets > len(data):
            break
        unit = int(head[10:13])
        value = text_of(data, at + _FIELD_BYTES, octets)
        step = int(head[13:17])
        fields.append([int(head[:5]), _unit(unit), step, value])
        at += _FIELD_BYTES + octets
    return fields
