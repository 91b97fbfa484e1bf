"""A log of results and one of curves on one flash, and what brings curves into it; for tests of
toolcart.agent.linux.controller_curves.
"""

from toolcart.agent.base.counters import Counters
from toolcart.agent.base.fields import get_u32
from toolcart.agent.linux.controller_curves import Traces
from toolcart.agent.log.cursor import WANTS_GRAPHS
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.agent.openprotocol.session_states import READY
from toolcart.agent.record import graph as gr
from toolcart.agent.record import result as res
from toolcart.sim import curve_frames
from host_tests.support.frames import message
from host_tests.support.log import Area, body_of, held, put
from host_tests.support.station import Clock
from lab.harness.cart import Cart

TIME = "2024-03-14:09:26:53"
PACKED = b"\x20\x24\x03\x14\x09\x26\x53"
STATION = 10
FACTOR = ((2214, 3, 1, "0.01"),)


def trace_message(ident=1, what=2, samples=(1, 2, 3), time=TIME, **more):
    """Return a whole MID 0900."""
    steps = (curve_frames.resolution(0, len(samples) - 1, "2.0"),)
    parameters = more.pop("parameters", FACTOR)
    return message(900, curve_frames.curve_data(ident, time, 1, what, 1, samples, parameters, steps, **more))


def samples_for(ident, what=2, count=300):
    """Return samples that no other curve has."""
    return tuple([(ident * 37 + what * 11 + index * (index & 7)) % 65536 - 32768 for index in range(count)])


class Bench:
    """A station's log and its ring of `graphs` blocks, and what brings curves into it."""

    best_effort = ()
    cursors = 1  # of the log of results
    wanting = 0  # which cursor wants curves

    def __init__(self, blocks=23, block_bytes=4096, unit_bytes=16, graphs=6):
        self.area = Area(blocks, block_bytes, unit_bytes, graph_blocks=graphs)
        self.flash = self.area.flash
        self.start()

    def start(self):
        """A start: what is in memory is gone."""
        self.counters = Counters()
        self.state, self.main = self.area.mount(self.best_effort, cursors=self.cursors)
        self.log = self.area.graphs
        assert self.area.mount_result == MOUNT_DONE
        for index in range(2):
            self.log.cursors[index].wants = WANTS_GRAPHS if index == self.wanting else 0
        assert self.main.settle() and self.log.settle()
        self.traces = Traces(self.log, self.main, self.counters, Clock(), STATION)

    def put_result(self, ident, limits=b""):
        """Store the result with this ID, at TIME, of program 12 and spindle 3."""
        body = body_of(ident)
        body[res.TIME : res.TIME + res.TIME_BYTES] = PACKED
        body[res.PSET : res.PSET + 4] = b"0012"
        assert put(self.main, body + limits, origin=bytes((STATION, 0, 3, 0))) == LOG_DONE

    def put(self, frame, mid=900, revision=1, little=False):
        """Hand one message over; what became of it."""
        buf = bytearray(b"##" + frame)
        why = self.traces.trace.read(buf, 2, len(frame), mid, revision)
        return why if why else self.traces.put(buf, 2, little, 1000)

    def put_curve(self, ident, what=2, count=300):
        return self.put(trace_message(ident, what, samples_for(ident, what, count)))

    def curves(self):
        """Return (lead, data, flags) of every curve of which all pieces are there, oldest first."""
        return curves_in(self.log)


def cart_with_curves(wanted=("torque", "angle"), controller=None, settings=None, **more):
    """A cart that is up; its controller pushes all curves, of which these are wanted, and has these options."""
    tables = {"spool": {"graphs_kib": 64, "size_kib": 256}, **(settings or {})}
    tables["controller"] = {"traces": list(wanted), **tables.get("controller", {})}
    options = {"traces": (1, 2, 3), "max_clients": 9, **(controller or {})}
    cart = Cart(controller=options, settings=tables, blocks=40, **more)
    cart.until(lambda: cart.station.session is not None and cart.station.session.state == READY)
    return cart


def curves_in(log):
    """Return (lead, data, flags) of every curve in the log of graphs of which all pieces are there, oldest first."""
    pieces = {}
    for number, _, flags, payload in held(log):
        assert gr.is_piece(payload, 0, len(payload)) and get_u32(payload, 0) == number
        pieces[number] = (payload, flags)
    curves = []
    for number in sorted(pieces):
        payload, flags = pieces[number]
        if payload[gr.PIECE]:
            continue
        first = gr.data_at(payload, 0)
        data = payload[first:]
        for piece in range(1, payload[gr.PIECES]):
            other = pieces.get(number + piece)
            if other is None or other[0][gr.PIECE] != piece:
                break
            data += other[0][gr.PIECE_DATA :]
        else:
            curves.append((payload[:first], data, flags & ~4))
    return curves


def ident_of(lead):
    return int(lead[gr.RESULT_ID : gr.RESULT_ID + 10])


def samples_in(data):
    return tuple([((data[i] << 8 | data[i + 1]) ^ 0x8000) - 0x8000 for i in range(0, len(data), 2)])
