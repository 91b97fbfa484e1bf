"""A log of results and a ring of graphs on one flash, and what brings curves into it; for tests of agent.traces."""

from agent.base.words import get_u32
from agent.health import Health
from agent.record import KIND_GRAPH
from agent.record import graph as gr
from agent.spool import record as rec
from agent.spool.cursors import WANTS_GRAPHS
from agent.log.flash import Part
from agent.spool.fold import ROLE_GRAPHS
from agent.spool.mount import mount
from agent.spool.ring import Ring
from agent.traces import Traces
from host_tests.support_frames import message
from tools.sim import trace_frames as made

TIME = "2024-03-14:09:26:53"
STATION = 10
FACTOR = ((2214, 3, 1, "0.01"),)


class Clock:
    def stamp_into(self, buf):
        buf[0:19] = b"2030-01-01:00:00:07"


def trace_message(ident=1, what=2, samples=(1, 2, 3), time=TIME, revision=1, **more):
    """Return a whole MID 0900."""
    steps = (made.resolution(0, len(samples) - 1, "2.0"),)
    parameters = more.pop("parameters", FACTOR)
    return message(900, made.curve_data(ident, time, revision, what, 1, samples, parameters, steps, **more), revision)


def samples_for(ident, what=2, count=300):
    """Return samples that no other curve has."""
    return tuple([(ident * 37 + what * 11 + index * (index & 7)) % 65536 - 32768 for index in range(count)])


class Bench:
    """Blocks of one device: `graphs` of them in front, the rest are the log of results."""

    def __init__(self, flash, graphs=6, wanting=(0,), order=0):
        self.flash = flash
        self.graph_blocks = graphs
        self.wanting = wanting
        self.order = order
        self.start()

    def start(self):
        """A start: what is in memory is gone."""
        flash = self.flash
        self.health = Health()
        self.main = Ring(Part(flash, self.graph_blocks, flash.block_count - self.graph_blocks))
        self.ring = Ring(Part(flash, 0, self.graph_blocks), role=ROLE_GRAPHS, other=self.main, outlets=2)
        for index in range(2):
            self.ring.cursors[index].durable = False
            self.ring.cursors[index].wants = WANTS_GRAPHS if index in self.wanting else 0
        assert mount(self.main) >= 0 and mount(self.ring) >= 0
        self.main.confirm()
        self.traces = Traces(self.ring, self.main, self.health, Clock(), STATION, self.order)

    def put(self, frame, mid=900, revision=1, little=False):
        """Hand one message over; what became of it."""
        buf = bytearray(b"##" + frame)
        why = self.traces.trace.read(buf, 2, len(frame), mid, revision)
        return why if why else self.traces.put(buf, 2, little, 1000)

    def put_curve(self, ident, what=2, count=300):
        return self.put(trace_message(ident, what, samples_for(ident, what, count)))

    def curves(self):
        """Return (lead, data, flags) of every curve of which all pieces are there, oldest first."""
        return curves_in(self.ring)


def curves_in(ring):
    pieces = {}
    walk = ring.walk
    for block in range(ring.device.block_count):
        if not ring.seq:
            break
        walk.begin(block, 0, 0, ring.bound(block))
        while walk.next() > 0:
            if walk.kind == KIND_GRAPH and walk.seq <= ring.seq:
                at = rec.HEAD_BYTES
                assert gr.is_piece(walk.page, at, walk.length)
                pieces[get_u32(walk.page, at)] = (bytes(walk.page[at : at + walk.length]), walk.flags)
    found = []
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
            found.append((payload[:first], data, flags & ~4))
    return found


def ident_of(lead):
    return int(lead[gr.RESULT_ID : gr.RESULT_ID + 10])


def samples_in(data):
    return tuple([((data[i] << 8 | data[i + 1]) ^ 0x8000) - 0x8000 for i in range(0, len(data), 2)])
