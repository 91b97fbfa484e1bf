"""A log of results and one of curves on one flash, and what brings curves into it; for tests of
toolcart.agent.wide.controller_curves.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.base.health import Health
from toolcart.agent.log.cursor import WANTS_GRAPHS
from toolcart.agent.log.flash import Part
from toolcart.agent.log.log import Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.numbers import GRAPH_BLOCKS, GRAPH_CURSOR, GRAPHS, LOG
from toolcart.agent.log.state import STATE_BLOCKS, State
from toolcart.agent.record import graph as gr
from toolcart.agent.wide.controller_curves import Traces
from toolcart.sim import result_frames as made
from host_tests.support.frames import message
from host_tests.support.log import held

TIME = "2024-03-14:09:26:53"
STATION = 10
FACTOR = ((2214, 3, 1, "0.01"),)


class Clock:
    def stamp_into(self, buf):
        buf[0:19] = b"2030-01-01:00:00:07"


def trace_message(ident=1, what=2, samples=(1, 2, 3), time=TIME, **more):
    """Return a whole MID 0900."""
    steps = (made.resolution(0, len(samples) - 1, "2.0"),)
    parameters = more.pop("parameters", FACTOR)
    return message(900, made.curve_data(ident, time, 1, what, 1, samples, parameters, steps, **more))


def samples_for(ident, what=2, count=300):
    """Return samples that no other curve has."""
    return tuple([(ident * 37 + what * 11 + index * (index & 7)) % 65536 - 32768 for index in range(count)])


class Bench:
    """Blocks of one device: the state's in front, then `graphs` of them, the rest are the log of results."""

    def __init__(self, flash, graphs=6, wanting=(0,)):
        self.flash = flash
        self.graph_blocks = graphs
        self.wanting = wanting
        self.start()

    def start(self):
        """A start: what is in memory is gone."""
        flash = self.flash
        front = STATE_BLOCKS + self.graph_blocks
        self.health = Health()
        self.state = State(Part(flash, 0, STATE_BLOCKS))
        self.main = Log(Part(flash, front, flash.block_count - front), self.state, LOG)
        part = Part(flash, STATE_BLOCKS, self.graph_blocks)
        self.log = Log(part, self.state, GRAPHS, cursors=2, cursor_slot=GRAPH_CURSOR, beside=self.main)
        for index in range(2):
            self.log.cursors[index].durable = False
            self.log.cursors[index].wants = WANTS_GRAPHS if index in self.wanting else 0
        assert mount(self.state, (self.main, self.log), 1) == MOUNT_DONE
        self.state.numbers[GRAPH_BLOCKS] = self.graph_blocks
        assert self.main.settle() and self.log.settle()
        self.traces = Traces(self.log, self.main, self.health, Clock(), STATION)

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


def curves_in(log):
    """Return (lead, data, flags) of every curve in the log of graphs of which all pieces are there, oldest first."""
    pieces = {}
    for number, _, flags, payload in held(log):
        assert gr.is_piece(payload, 0, len(payload)) and get_u32(payload, 0) == number
        pieces[number] = (payload, flags)
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
