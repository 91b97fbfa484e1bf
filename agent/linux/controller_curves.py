"""Writes the curves that a controller pushes into a log of their own, in pieces: the handler of MID 0900 and 0901.

Rules
1. Best effort: every message is acknowledged whatever becomes of it, or the controller would send it again and again
   and then drop the connection that carries the results (OP 4.3.3 p. 62). What is not kept is counted (`traces lost`).
2. What is kept is durable before it is acknowledged. Nothing but the log of graphs is written to.
3. A curve belongs to the result with its ID and its time, give or take two seconds, or else to the one with exactly its
   time (protocol.md 6.2). Only the newest are searched, since a controller sends a curve after its result; none may
   match.
4. The last curves come again with each subscription: after a new connection the newest blocks are searched for them, as
   long as they have curves of that result.
5. Several bolts have curves with one ID and one time. Each is the curve of the row of its result with the object that
   the message names, else with its bolt (PID 01301), else with the spindle of the header. Where the result has no such
   row, the curve keeps the number that its message names, in the order bolt, header, object; else it is of the
   result's spindle. Header and object that are blank or 1 name nothing: most controllers always send that.
6. Samples are kept big endian. A MT Focus 6000 sends them the other way round (MT notes on MID 0900). Where the
   other order would be far smoother, that is counted (`traces odd`) and not corrected.
"""

from itertools import pairwise
from struct import pack_into, unpack

from toolcart.agent.base import counters as counter
from toolcart.agent.base.fields import TIME_BYTES, all_digits, compare, copy, fill, get_u32, pack_time, put_u32
from toolcart.agent.linux.mid0900 import CURVES, LOST_CUT, LOST_LONG, LOST_ROOM, READ, TYPES, Trace, TraceSubscription
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.framing import FRAME_BYTES, RECORD_NONE
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.search import Search
from toolcart.agent.openprotocol.controller_identity import REPEATS_NOTHING
from toolcart.agent.openprotocol.header import SPINDLE, place_of
from toolcart.agent.record import KIND_GRAPH, KIND_RESULT, SEVERAL_LEAST, identifiers
from toolcart.agent.record import graph as gr
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.malformed import decimals_of, unique_numbers
from toolcart.agent.record.provenance import spindle_in

CPYTHON_ONLY = True  # no outlet of a board takes curves

TRACE_BYTES = 4096  # longest message: twice what a Power Focus 6000 sends (768 samples); a larger `buffer_bytes` counts

_KEPT_BEFORE = -1
_RESULT_BLOCKS = 2  # searched for the result; a block of 4 KiB holds 31
_GRAPH_BLOCKS = 4
_APART_S = 2
_SMOOTHER = 20
_JUDGED_LEAST = 8  # samples; fewer say nothing about their byte order

_LIMITS = res.HEAD_BYTES + res.BODY_BYTES
_TELL_APART = (gr.PIECES, gr.WHAT, gr.TRANSDUCER, gr.COUNT, gr.COUNT + 1)


def subscriptions_of(station, controller):
    """Return the subscriptions for the curves that these settings want, and for their plot parameters."""
    controller["buffer_bytes"] = max(controller["buffer_bytes"], TRACE_BYTES)
    handler = Traces(station.graphs, station.log, station.counters, station.board, station.number)
    types = [TYPES.index(name) + 1 for name in controller["traces"]]
    subscriptions = (TraceSubscription(types), TraceSubscription(()))
    for subscription in subscriptions:
        subscription.set_handler(handler)
    return subscriptions


class Traces:
    """Takes the MID 0900 of one station into `log`; `main` is its log of results."""

    def __init__(self, log, main, counters, clock, station):
        self.log = log
        self.main = main
        self.counters = counters
        self.clock = clock
        self.station = station
        self.trace = Trace()
        self._lead = bytearray(gr.FIRST_STEP + gr.STEPS_MOST * gr.STEP_BYTES + gr.NAMED_BYTES)
        self._last = bytes(self._lead)  # of the curve kept last
        self._connects = -1
        self._looks = False
        self._named = ()  # by which numbers the message names the bolt or spindle, the surest of a row first
        self._spindle = 0  # of the header
        self._own = 0  # the number to go by where there is no such row; 0: it names none
        pieces = (log.device.block_bytes - HEAD_OCTETS) // (FRAME_BYTES + gr.PIECE_BYTES)
        self._most = (log.device.block_count - 2) * pieces
        self._stand()

    def take(self, intake, cut_short, now):
        """Keep the message that the session has just handed over, if possible, and acknowledge it."""
        session = intake.session
        link = intake.link
        why = LOST_CUT
        if not cut_short:
            why = self.trace.read(link.buf, link.at, link.length, session.received.mid, session.received.revision)
        if why == READ:
            little = session.system_type == REPEATS_NOTHING
            why = self.put(link.buf, link.at, session.received.mid == CURVES and little, now)
        session.acknowledge()
        if why > READ:
            self.counters.note(counter.TRACES_LOST, why, now)
        elif why == READ:
            self.counters.count(counter.TRACES)
            if link.is_event_driven and link.is_empty():
                # Between two tightenings there is time to erase.
                if not self.log.maintain():
                    self.counters.count(counter.NOT_SAVED)
            intake.wake_outlets(now)

    def put(self, buf, at, little, now):
        """Keep what `trace` has read of the message at buf[at:]: READ, a LOST_ code, below 0 if it was kept before."""
        trace = self.trace
        self._read_named(buf, at)
        first = gr.FIRST_STEP + gr.STEP_BYTES * len(trace.steps) + (gr.NAMED_BYTES if self._own else 0)
        pieces = 1
        if trace.octets > gr.PIECE_BYTES - first:
            pieces += (trace.octets - (gr.PIECE_BYTES - first) - 1) // (gr.PIECE_BYTES - gr.PIECE_DATA) + 1
        if pieces > gr.PIECES_MOST or pieces > self._most:
            return LOST_LONG
        flags = self._write_lead(buf, at, pieces)
        self._find_result()
        if self._is_again():
            return _KEPT_BEFORE
        if trace.what != gr.PARAMETERS and self._is_byte_swapped(buf, little):
            trace.odd = True
        if trace.odd:
            flags |= res.FLAG_ODD
            self.counters.note(counter.TRACES_ODD, trace.what, now)
        if trace.count < trace.announced and trace.what != gr.PARAMETERS:
            flags |= res.FLAG_TRUNCATED
        done = 0
        for piece in range(pieces):
            lead = gr.PIECE_DATA if piece else first
            octets = min(gr.PIECE_BYTES - lead, trace.octets - done)
            if not self._put_piece(piece, lead, buf, trace.at + done, octets, little, flags):
                return LOST_ROOM
            done += octets
        self._last = bytes(self._lead)
        self._stand()
        return READ

    def _put_piece(self, piece, lead, buf, at, octets, little, flags):
        log = self.log
        place = log.payload_at
        stage = log.stage
        put_u32(stage, place, log.next)
        stage[place + 4 : place + lead] = self._lead[4:lead]
        stage[place + gr.PIECE] = piece
        first = place + lead
        stage[first : first + octets] = buf[at : at + octets]
        if little:
            stage[first : first + octets : 2] = buf[at + 1 : at + octets : 2]
            stage[first + 1 : first + octets : 2] = buf[at : at + octets : 2]
        if log.append(KIND_GRAPH, flags, lead + octets) == LOG_DONE:
            return True
        put_u32(stage, place, 0)  # no result has this number
        return False

    def _stand(self):
        """Keep the cursors of outlets that take no graphs at the end of the log: nothing waits for them."""
        for cursor in self.log.cursors:
            if not cursor.wants:
                cursor.number = self.log.number

    # -- the part in front of the samples ----------------------------------------------------------------------

    def _read_named(self, buf, at):
        trace = self.trace
        self._spindle = place_of(buf, at + SPINDLE)
        self._named = (trace.object, trace.bolt, self._spindle)
        self._own = trace.bolt or next((one for one in (self._spindle, trace.object) if one > 1), 0)

    def _write_lead(self, buf, at, pieces):
        """Write everything but the result into the first piece's lead; return the record's flags."""
        trace = self.trace
        lead = self._lead
        fill(lead, 0, len(lead), 0)
        fill(lead, gr.PROGRAM, gr.DECIMALS - gr.PROGRAM)
        numerator, denominator, shift = trace.scale
        pack_into("<HBBI", lead, 4, self.station, 0, pieces, 0)
        lead[gr.WHAT] = trace.what
        lead[gr.TRANSDUCER] = trace.transducer
        lead[gr.STEPS] = len(trace.steps)
        pack_into("<H", lead, gr.UNIT, trace.unit)
        pack_into("<bIIIH", lead, gr.SHIFT, shift, numerator, denominator, trace.announced, trace.count)
        place = gr.FIRST_STEP
        for count, numerator, denominator in trace.steps:
            pack_into("<HII", lead, place, count, numerator, denominator)
            place += gr.STEP_BYTES
        if self._own:
            lead[gr.STEPS] |= gr.HAS_NAMED
            pack_into("<BBHH", lead, place, 0, self._spindle, trace.bolt, trace.object)
        copy(lead, gr.RESULT_ID, buf, at + 20, res.ID_BYTES)
        pack_time(lead, gr.TIME, buf, at + 30)
        if lead[gr.TIME + 2]:  # there is no month 0
            return 0
        stamp = bytearray(res.STAMP_BYTES)
        self.clock.stamp_into(stamp)
        pack_time(lead, gr.TIME, stamp, 0)
        return res.FLAG_EDGE_TIME

    def _find_result(self):
        """Write into the lead which result the curve belongs to, if it is one of the newest."""
        main = self.main
        search = Search(main)
        search.begin_newest(_RESULT_BLOCKS)
        self._put_spindle(self._own or self._spindle or 1)
        best = newest = 0
        while search.next() > RECORD_NONE:
            if main.kind != KIND_RESULT:
                continue
            number = get_u32(main.page, main.at)
            fits = self._fits(main.page, main.at, main.length)
            if fits > best or (fits and fits == best and number > newest):  # of equally good ones the newest
                best = fits
                newest = number
                self._put_result(main.page, main.at, main.length)

    def _put_spindle(self, spindle):
        lead = self._lead
        lead[gr.SPINDLE] = spindle & 0xFF
        if self._own:
            lead[gr.named_at(lead, 0)] = spindle >> 8

    def _fits(self, page, at, length):
        """Return how well the result at page[at:] fits the curve: 4 by ID and time, 2 by time alone, 0 not at all.

        One more if it is of the same spindle: several may have results with one ID and time.
        """
        lead = self._lead
        body = at + res.HEAD_BYTES
        spindle = self._own or self._spindle
        is_of_it = spindle in (0, spindle_in(page, at)) or self._row_in(_rows_of(page, at, length)) is not None
        if compare(page, body + res.TIGHTENING_ID, lead, gr.RESULT_ID, res.ID_BYTES) == 0:
            apart = _seconds(page, body + res.TIME) - _seconds(lead, gr.TIME)
            if -_APART_S <= apart <= _APART_S:
                return 4 + is_of_it
        return 2 + is_of_it if compare(page, body + res.TIME, lead, gr.TIME, TIME_BYTES) == 0 else 0

    def _put_result(self, page, at, length):
        lead = self._lead
        body = at + res.HEAD_BYTES
        copy(lead, gr.RESULT, page, at, 4)
        copy(lead, gr.RESULT_TIME, page, body + res.TIME, TIME_BYTES)
        copy(lead, gr.PROGRAM, page, body + res.PSET, 4)
        fill(lead, gr.LOW, gr.DECIMALS - gr.LOW)
        lead[gr.DECIMALS] = 0
        self._put_spindle(self._own or spindle_in(page, at))
        rows_found = _rows_of(page, at, length)
        row = self._row_in(rows_found)
        if row is not None:
            self._put_row(*row)
        if rows_found and (row is not None or self._own):
            return  # the limits of the record are those of its first bolt
        if length < _LIMITS + res.LIMITS_BYTES:
            return
        limits = at + _LIMITS
        if lead[gr.WHAT] == gr.TORQUE:
            self._put_limits(page, limits + res.TORQUE_MIN, limits + res.TORQUE_MAX, res.TORQUE_BYTES, 2)
        elif lead[gr.WHAT] == gr.ANGLE:
            decimals = decimals_of(page, at, length)
            self._put_limits(page, limits + res.ANGLE_MIN, limits + res.ANGLE_MAX, res.ANGLE_BYTES, decimals)

    def _row_in(self, found):
        """Return the spindle and the row that the message names, None if it names none of them."""
        for number in self._named:
            for spindle, row in found:
                if number and row.number == number:
                    return spindle, row
        return None

    def _put_row(self, spindle, row):
        lead = self._lead
        self._put_spindle(spindle)
        if lead[gr.WHAT] != gr.TORQUE and lead[gr.WHAT] != gr.ANGLE:
            return
        is_torque = lead[gr.WHAT] == gr.TORQUE
        limits = (row.torque_min, row.torque_max) if is_torque else (row.angle_min, row.angle_max)
        decimals = max(len(one.partition(".")[2]) for one in limits)
        digits = [one.replace(".", "") + "0" * (decimals - len(one.partition(".")[2])) for one in limits]
        if all(one.isdigit() and len(one) <= gr.LIMIT_BYTES for one in digits):
            lead[gr.LOW : gr.DECIMALS] = "".join([one.zfill(gr.LIMIT_BYTES) for one in digits]).encode()
            lead[gr.DECIMALS] = decimals

    def _put_limits(self, page, low, high, width, decimals):
        lead = self._lead
        if not all_digits(page, low, width) or not all_digits(page, high, width):
            return
        fill(lead, gr.LOW, 2 * gr.LIMIT_BYTES, 0x30)
        copy(lead, gr.LOW + gr.LIMIT_BYTES - width, page, low, width)
        copy(lead, gr.HIGH + gr.LIMIT_BYTES - width, page, high, width)
        lead[gr.DECIMALS] = decimals

    # -- repeats and order -------------------------------------------------------------------------------------

    def _is_again(self):
        """True if this very curve is already kept, all of it."""
        if _is_same(self._lead, 0, self._last):
            return True
        connects = self.counters.counts[counter.CONTROLLER_CONNECTS]
        if connects != self._connects:
            self._connects = connects
            self._looks = True
        if not self._looks:
            return False
        self._looks = self._is_held()
        return self._looks

    def _is_held(self):
        """True if the newest blocks have this curve, with all its pieces one behind the other."""
        log = self.log
        if not log.settle():
            return False
        search = Search(log)
        search.begin_newest(log.device.block_count)
        first = 0  # number of its first piece
        others = {}  # the other pieces, by number
        blocks, place, ends_here = 0, search.place, False
        while search.next() > RECORD_NONE:
            if search.place != place:
                blocks, place = blocks + 1, search.place
                if blocks >= _GRAPH_BLOCKS and ends_here:
                    break
                ends_here = False
            number = get_u32(log.page, log.at)
            piece = log.page[log.at + gr.PIECE]
            if piece:
                others[number] = piece
            elif _is_same(log.page, log.at, self._lead):
                first = max(first, number)
            elif not _is_of_result(log.page, log.at, self._lead):
                ends_here = True
        return first > 0 and all(others.get(first + piece) == piece for piece in range(1, self._lead[gr.PIECES]))

    def _is_byte_swapped(self, buf, little):
        """True if the samples would be far smoother in the other byte order."""
        if self.trace.count < _JUDGED_LEAST:
            return False
        octets = buf[self.trace.at : self.trace.at + self.trace.octets]
        big, swapped = (
            sum(abs(one - other) for one, other in pairwise(unpack("%s%dh" % (order, self.trace.count), octets)))
            for order in "><"
        )
        return swapped > _SMOOTHER * big if little else big > _SMOOTHER * swapped


def _is_same(page, at, other):
    """True if both first pieces, at page[at:] and in `other`, agree in all that tells curves apart."""
    if not _is_of_result(page, at, other) or not gr.is_of_same(page, at, other, 0):
        return False
    return all(page[at + one] == other[one] for one in _TELL_APART)


def _is_of_result(page, at, other):
    """True if both first pieces have the ID and time of one result."""
    return page[at + gr.RESULT_ID : at + gr.RESULT_TIME] == other[gr.RESULT_ID : gr.RESULT_TIME]


def _rows_of(page, at, length):
    """Return the rows of a result with several spindles, each behind the number that telegram 04 gives it."""
    if length < SEVERAL_LEAST or identifiers.has_identifiers(page, at, length):
        return []
    found = sp.rows_of(page, at)
    return list(zip(unique_numbers([row.number for row in found]), found, strict=True))


def _seconds(buf, at):
    """Return the packed time as a second of its month; times of different months come out far apart."""
    total = 0
    for index, factor in ((3, 24), (4, 60), (5, 60), (6, 1)):
        octet = buf[at + index]
        total = (total + (octet >> 4) * 10 + (octet & 0x0F)) * factor
    return total + (buf[at + 2] << 22 if buf[at + 2] < 0x20 else 0)


assert gr.RESULT_ID + res.ID_BYTES == gr.TIME and gr.HIGH + gr.LIMIT_BYTES == gr.DECIMALS
