"""Feeds every parser of the agent with spoiled input: same output in any pieces, no exception, no leftover memory.

        python -m lab.worlds.fuzz                         some inputs for every parser, and how many it takes a second
        python -m lab.worlds.fuzz --inputs 10000000       in all, shared out among them; --seed N to continue elsewhere
        python -m lab.worlds.fuzz --only stream --seed 7 --inputs 1      one input again

Rules
1. An input is made from its seed alone (lab/worlds/fuzz_inputs.py), so a number is all it takes to see a fault again.
2. A link, a frame reader and a whole session get each input at once and in random pieces; the output is compared
   with all its fields. Over a network only as long as a NUL follows each length: where else a message begins and ends
   is judged by what has come (host_tests/agent/link/test_resync_property.py), and the input raises nothing.
   Readers of a whole message get it at two places in the buffer, and may write nowhere else.
3. A parser is made once and reset for each input: what one input leaves behind would spoil the comparison of the next,
   and shows in the heap (host_tests/project/test_fuzz_parsers.py).
4. Time stands still: deadlines are for other tests.
"""

import sys
import time

import toolcart.agent.record.equality  # noqa: F401 - first, because imports nest (toolcart.agent.cart.app)

# isort: split
from toolcart.agent.link import LINK_BROKEN, LINK_JUNK, LINK_NEED_DATA
from toolcart.agent.link.r3964 import R3964
from toolcart.agent.link.serial_ascii import SerialAscii
from toolcart.agent.link.stream import Stream
from toolcart.agent.openprotocol import layouts, session_states
from toolcart.agent.openprotocol.header import SPINDLE, mid_of, place_of, revision_of, sequence_of
from toolcart.agent.openprotocol.light_result import LIGHT_BYTES, read_light
from toolcart.agent.openprotocol.plausibility import plausible
from toolcart.agent.openprotocol.session import Session
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from toolcart.agent.record import result as res
from toolcart.agent.record.malformed import put_in_order
from toolcart.agent.toolsnet import telegram as tel
from toolcart.agent.toolsnet.telegram import FRAME_BROKEN, FRAME_FOUND, FRAME_NEED_DATA, Frames
from toolcart.base.clock import Dice
from lab.worlds.fuzz_inputs import Ascii, Blocks, Linked, LinkedOneByOne, Messages, OneByOne, OneMessage, Telegrams

PORTABLE = True

SIZES = (256, 1024)  # of a link's buffer: the smallest there is, and the usual one
_STX, _DLE = 0x02, 0x10
_LIGHT = -999  # revision 999 by its own reader
_HEAD = b"\0" * res.HEAD_BYTES  # in front of a body in a record
_GUARD = b"#####"
_SECOND_PLACE = 9


class Fault(Exception):
    """A parser misbehaved; the text names the parser and the seed."""


def feed(link, receive, octets, dice, take):
    """Give the bytes to the link, at once or in pieces; `take` looks at the result of each, False ends it. True if all
    were given."""
    # The longest piece: single bytes, a few, or as a network delivers them.
    most = 1 if dice is None else (1, 7, 60, 60, 600, 600)[dice.randrange(6)]
    at = 0
    while at < len(octets):
        n = min(link.room(), len(octets) - at)  # without dice all there is room for
        if dice is not None:
            n = min(n, 1 + dice.randrange(most))
        assert n > 0, "nothing is taken"
        link.inlet()[0:n] = octets[at : at + n]
        receive(n)
        at += n
        if not take():
            return False
    return True


def header_of(buf, at):
    """Return MID, revision, spindle and link-level number."""
    return [mid_of(buf, at), revision_of(buf, at), place_of(buf, at + SPINDLE) or 1, sequence_of(buf, at)]


def has_framing(octets):
    """True if NULs show where each of these messages ends; the last one may break off."""
    at = 0
    while at < len(octets):
        if octets[at] == 0:
            at += 1
            continue
        head = octets[at : at + 8]  # length and MID
        if not head.isdigit() or int(head[:4]) < 20:
            return False
        behind = at + int(head[:4])
        if behind >= len(octets):
            return 0 not in octets[at:]
        if octets[behind]:
            return False
        at = behind
    return True


class Parser:
    """One of them, and what it is given: the same comes of it in any pieces."""

    def __init__(self, name, inputs, make=None):
        self.name = name
        self.inputs = inputs
        self.make = make  # of a link of this size

    def check(self, octets, dice):
        """Return what is wrong, "" if nothing is."""
        way = self.drawn(dice)
        whole = self.run(octets, None, *way)
        is_same = self.run(octets, dice, *way) == whole
        may_differ = self.make is Stream and not has_framing(octets)
        return "" if is_same or may_differ else "something else in other pieces"

    def drawn(self, dice):
        """Return what else a run is told."""
        return ()


class Links(Parser):
    """One kind of link in two sizes: what it delivers, with the fields of the header."""

    def __init__(self, name, inputs, make):
        Parser.__init__(self, name, inputs, make)
        self.links = [make(size) for size in SIZES]

    def drawn(self, dice):
        return (self.links[dice.randrange(len(SIZES))],)

    def run(self, octets, dice, link):
        link.reset()
        tally = getattr(link, "tally", None)
        if tally is not None:
            for index in range(len(tally)):
                tally[index] = 0
        found = []
        if not feed(link, link.receive, octets, dice, lambda: self._take(link, found)):
            return found
        if tally is not None:
            found.append(tuple(tally))
        found.append(link.end - link.start)
        return found

    def _take(self, link, found):
        """Take all messages that are there; False if the link broke."""
        while True:
            kind = link.next_message(0)
            waits = link.pending
            if waits:
                link.sent(waits)
            if kind == LINK_BROKEN:
                found.append((kind, link.why))
                return False
            if kind == LINK_JUNK:
                found.append((kind, link.why))
            elif kind != LINK_NEED_DATA:
                buf = link.buf
                at = link.at
                assert 20 <= link.length <= len(buf) - at
                found.append((kind, bytes(buf[at : at + link.length]), header_of(buf, at)))
            elif not waits:
                return True


class Sessions(Parser):
    """A whole session over a network or a plain serial line, in any of its states: its events and results."""

    def drawn(self, dice):
        return dice.randrange(6), SIZES[dice.randrange(len(SIZES))]

    def run(self, octets, dice, way, size):
        session = Session(self.make(size), (Subscription(RESULTS, (999, 1)),))  # it knows of no other connection
        found = []
        session.opened()
        self._settle(session, found)
        session.old_result.asked_id[:] = b"0001234567" if way == 4 else b"0000000000"
        for begin in self.inputs.beginnings(way):
            self._receive(session, begin, None, found)
        if way == 3:
            session.stop(0)
        del found[:]
        if self._receive(session, octets, dice, found):
            link = session.link
            found.append((session.state, session.request.asked, link.end - link.start))
        found.append(bytes(session.identity))
        return found

    def _receive(self, session, octets, dice, found):
        return feed(session.link, session.link.receive, octets, dice, lambda: self._settle(session, found))

    def _settle(self, session, found):
        """Take all events and answer them, until nothing is left to say; False if the session is over."""
        self._take_events(session, found)
        while self._post(session):
            self._take_events(session, found)
        return session.state != session_states.OVER

    def _take_events(self, session, found):
        link = session.link
        while True:
            event = session.next_event(0)
            if event == session_states.EV_NONE:
                return
            found.append(
                (
                    event,
                    session.received.mid,
                    session.received.code,
                    session.received.revision,
                    session.received.rejection,
                )
            )
            if (
                event == session_states.EV_PUSHED
                or event == session_states.EV_PUSHED_CUT
                or event == session_states.EV_FETCHED
            ):
                assert 20 <= link.length <= len(link.buf) - link.at
                found.append(bytes(link.buf[link.at : link.at + link.length]))
            if event == session_states.EV_PUSHED or event == session_states.EV_PUSHED_CUT:
                if len(found) % 5:
                    session.acknowledge()
                else:
                    session.withhold()
            self._post(session)
            if session.can_fetch():
                session.fetch()
                self._post(session)

    def _post(self, session):
        """Send what is due; True if there was anything."""
        link = session.link
        for turn in range(20):
            session.tick(0)
            if not link.pending:
                return turn > 0
            self._send(link)
        raise AssertionError("it never stops talking")

    def _send(self, link):
        link.sent(link.pending)


class BlockSessions(Sessions):
    """The same over 3964R: the peer keeps to the procedure, so its blocks come one by one, each in any pieces."""

    def _receive(self, session, octets, dice, found):
        blocks = (octets,) if isinstance(octets, bytes) else octets
        for block in blocks:
            if not Sessions._receive(self, session, block, dice, found):
                return False
        return True

    def _send(self, link):
        """Answer our STX and our block by DLE; our own DLE and NAK are answers themselves."""
        wants_answer = link.pending > 1 or link.tx[link.tx_from] == _STX
        link.sent(link.pending)
        if wants_answer:
            link.inlet()[0] = _DLE
            link.receive(1)
            assert link.next_message(0) == LINK_NEED_DATA


class Readers(Parser):
    """The readers of one whole message: header, light and long layouts, plausibility."""

    def __init__(self, name, inputs):
        Parser.__init__(self, name, inputs)
        self._buf = bytearray(_SECOND_PLACE + 9999)
        self._body = bytearray(len(_GUARD) * 2 + res.BODY_BYTES + res.LIMITS_BYTES)

    def check(self, octets, dice):
        first = self.run(octets, 0)
        return "" if self.run(octets, _SECOND_PLACE) == first else "another result at another place"

    def run(self, octets, at):
        buf = self._buf
        buf[at : at + len(octets)] = octets
        length = len(octets)
        found = header_of(buf, at)
        for mid, revision in self._readings(found):
            found.append(self._read(mid, revision, at, length))
        return found

    def _readings(self, header):
        """Return the ways to read the message: light in both forms, the layout its header names, and another one."""
        mid = 65 if header[0] == 65 else 61
        return ((61, _LIGHT), (61, 999), (mid, header[1]), (126 - mid, 1 + header[2] % 12))

    def _check_order(self, code, payload):
        """Whatever is in a body, it can be put in order, and one that is not odd is in order already."""
        page = bytearray(payload)
        negative, text = put_in_order(page, len(page))
        assert (page == payload and not negative and not text) or code == res.RESULT_ODD
        assert put_in_order(page, len(page)) == ([], ""), "what was put in order is not"

    def _read(self, mid, revision, at, length):
        body = self._body
        first = len(_GUARD)
        last = len(body) - first
        for index in range(len(body)):
            body[index] = 0x23
        kept = res.BODY_BYTES
        if revision == _LIGHT:
            code = read_light(body, first, self._buf, at) if length >= LIGHT_BYTES else res.RESULT_UNREADABLE
            odd = code == res.RESULT_READ and not plausible(body, first, self._buf, at, length)
        else:
            odd = False
            layout = layouts.layout_of(mid, revision)
            if layout is None:
                return None
            code, kept = layouts.read_whole(layout, self._buf, at, length, body, first)
        assert body[:first] == _GUARD and body[last:] == _GUARD, "written outside of the body"
        if code == res.RESULT_UNREADABLE:
            return code  # what the body holds then is undefined
        at = first + res.BATCH_STATUS
        assert code == res.RESULT_ODD or all(body[at + i] <= res.STATUSES_MOST[i] for i in range(4))
        self._check_order(code, bytes(_HEAD) + bytes(body[first : first + kept]))
        return code, odd, bytes(body[first : first + kept])


class ToolsNet(Parser):
    """What comes from ToolsNet: frames, and the fields of their telegrams."""

    frames = Frames()

    def run(self, octets, dice):
        frames = self.frames
        frames.reset()
        found = []
        if feed(frames, frames.receive, octets, dice, lambda: self._take(found)):
            found.append(frames.end - frames.start)
        return found

    def _take(self, found):
        """Take all telegrams that are there; False if the stream broke."""
        while True:
            kind = self.frames.next()
            if kind == FRAME_NEED_DATA:
                return True
            found.append(self._fields(kind))
            if kind == FRAME_BROKEN:
                return False

    def _fields(self, kind):
        if kind != FRAME_FOUND:
            return kind
        frames = self.frames
        buf = frames.buf
        at = frames.at
        length = frames.length
        assert 1 <= length <= len(buf) - at - 4
        fields = (tel.head_of(buf, at, length), tel.code_of(buf, at, length))
        if tel.is_info(length):
            fields += (tel.result_sequence_of(buf, at), tel.event_sequence_of(buf, at), tel.port_of(buf, at))
        return bytes(buf[at : at + 4 + length]), fields


def parsers():
    """Return every parser, made once."""
    return [
        Readers("layouts", OneMessage()),
        ToolsNet("toolsnet", Telegrams()),
        Links("stream", Messages(), Stream),
        Links("ascii", Ascii(), SerialAscii),
        Links("3964r", Blocks(), R3964),
        Sessions("session", Messages(), Stream),
        Sessions("session ascii", Ascii(), SerialAscii),
        BlockSessions("session 3964r", OneByOne(), R3964),
        Sessions("linked", Linked(), Stream),
        BlockSessions("linked 3964r", LinkedOneByOne(), R3964),
    ]


# How many of the inputs a parser gets: fast ones get more.
_SHARES = {"layouts": 8, "toolsnet": 8, "stream": 2}


def shared_out(inputs, made):
    """Return how many of `inputs` each of the parsers gets."""
    shares = [_SHARES.get(parser.name, 1) for parser in made]
    return [max(1, inputs * share // sum(shares)) for share in shares]


def check(parser, seed):
    """Give the parser the input of this seed; Fault if it misbehaves."""
    octets = parser.inputs.make(Dice(seed))
    try:
        wrong = parser.check(octets, Dice(seed + 1))
    except Exception as error:
        raise Fault("%s, seed %d: %s: %s" % (parser.name, seed, type(error).__name__, error))
    if wrong:
        raise Fault("%s, seed %d: %s" % (parser.name, seed, wrong))


def batch(parser, first, count, progress=None):
    """Check `count` seeds from `first` on; `progress` gets the number done, now and then."""
    for seed in range(first, first + count):
        check(parser, seed)
        done = seed + 1 - first
        if progress is not None and done % 2000 == 0:
            progress(done)


def main():
    from toolcart.base.command_group import progress_bar
    from toolcart.base.command_line import CommandLine

    line = CommandLine(__doc__)
    line.add_argument("--inputs", type=int, default=70000, help="in all")
    line.add_argument("--seed", type=int, default=1, help="the first")
    line.add_argument("--only", choices=[one.name for one in parsers()], help="one parser")
    options = line.parse_args()
    wanted = [one for one in parsers() if options.only in (None, one.name)]
    for one, each in zip(wanted, shared_out(options.inputs, wanted), strict=True):
        begun = time.monotonic()
        try:
            with progress_bar(one.name) as bar:
                batch(one, options.seed, each, lambda done, each=each, bar=bar: bar(done / each))
        except Fault as fault:
            print(fault)
            return 1
        seconds = time.monotonic() - begun
        print("%-14s %9d inputs  %7.1f s  %6d a second" % (one.name, each, seconds, each / seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
