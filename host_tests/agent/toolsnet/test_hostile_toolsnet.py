"""Whatever answers at ToolsNet's address, the agent neither spins nor stops nor loses a result, and recovers."""

from toolcart.agent.base import counters as counter
from toolcart.agent.toolsnet import session as ts
from toolcart.base.clock import Dice
from toolcart.sim.endpoint import Endpoint
from host_tests.portable import HAS_ALL
from host_tests.support.toolsnet import PIM, SERVER, Outlet

PORTABLE = True
HEAP = "6m"

HOUR_MS = 3600000
# 60 s between connects, a second of them for what a loss after a 05 allows: more is a hammer
CONNECTS_AN_HOUR_MAX = 130
STEPS_AN_HOUR_MAX = 6000

VERIFICATION = b"00071200001"
ACCEPTED = b"002405%s20240314092653000"


class Hostile(Endpoint):
    """Says `greeting` at connect and `answer` to all it hears, with its identifier for %s; may close after either."""

    def __init__(self, greeting=b"", answer=b"", closes_after=None):
        super().__init__([], [])
        self.greeting = greeting
        self.reply = answer
        self.closes_after = closes_after  # octets received, None: never
        self.received = 0

    def connected(self, now):
        super().connected(now)
        self.send(self.greeting)
        if self.closes_after == 0:
            self.close("hostile")

    def receive(self, octets, now):
        self.received += len(octets)
        self.send(self.reply.replace(b"%s", octets[6:11]))
        if self.closes_after is not None and self.received >= self.closes_after:
            self.close("hostile")

    def tick(self, now):
        return self.release(now)


def survive(at, make):
    """Put a hostile peer at an address for an hour, then the healthy one; everything has to arrive once in order."""
    outlet = Outlet(cursor_batch=4)
    healthy = outlet.toolsnet.pim_endpoint if at == PIM else outlet.toolsnet.server_endpoint
    outlet.network.listen(at[0], at[1], make)
    outlet.options.require_pim = False
    outlet.store(3)
    steps, connects = outlet.steps, outlet.network.connects
    outlet.run(HOUR_MS)
    assert outlet.steps - steps < STEPS_AN_HOUR_MAX, ("spins", outlet.steps - steps)
    assert outlet.network.connects - connects < CONNECTS_AN_HOUR_MAX, outlet.network.connects - connects
    assert outlet.archive.stored == 0 and outlet.waiting() == 3
    outlet.network.listen(at[0], at[1], healthy)
    outlet.network.cut(*at)
    outlet.store(2)
    outlet.until_stored(5, and_ms=100)
    assert outlet.ids() == [1, 2, 3, 4, 5], outlet.counts()
    assert outlet.parked_numbers() == []
    return outlet


# -- at the PIM's address

AT_THE_PIM = (
    ("closes at once", {"closes_after": 0}),
    ("closes after the 12", {"greeting": VERIFICATION, "closes_after": 1}),
    ("says nothing", {}),
    ("half a 12", {"greeting": VERIFICATION[:7]}),
    ("a 12 without identifier", {"greeting": b"000212"}),
    ("a 12 whose identifier is text", {"greeting": b"000712abcde"}),
    ("another protocol", {"greeting": b"HTTP/1.1 400 Bad Request\r\n\r\n"}),
    ("binary", {"greeting": bytes(range(256))}),
    ("zeros", {"greeting": b"\x00" * 300}),
    ("length 0000", {"greeting": b"0000"}),
    ("9999 octets", {"greeting": b"9999" + b"0" * 9999}),
    ("half of 9999 octets", {"greeting": b"9999" + b"0" * 5000}),
    ("the 12 then silence", {"greeting": VERIFICATION}),
    ("the 12 again and again", {"greeting": VERIFICATION * 200, "answer": VERIFICATION}),
    ("an 08 that is too short", {"greeting": VERIFICATION, "answer": b"001708%s00016000"}),
    ("an 08 without a sequence", {"greeting": VERIFICATION, "answer": b"003708%sxxxxx0000010.0.0.5       10111"}),
    ("an 08 for another request", {"greeting": VERIFICATION, "answer": b"003708000990001600000tn             10111"}),
    ("half an 08", {"greeting": VERIFICATION, "answer": b"003708%s000160"}),
    (
        "an 08 whose host is no text",
        {"greeting": VERIFICATION, "answer": b"003708%s0001600000" + b"\xff\xfe\x80" * 5 + b"10111"},
    ),
    ("an 08 whose host no one knows", {"greeting": VERIFICATION, "answer": b"003708%s0001600000nowhere.example10111"}),
    ("an 08 whose port is none", {"greeting": VERIFICATION, "answer": b"003708%s0001600000tn             port!"}),
    ("accepts results", {"greeting": VERIFICATION, "answer": ACCEPTED}),
)


def test_pim_that_is_none_is_counted():
    outlet = survive(PIM, lambda: Hostile())
    assert outlet.counted(counter.NO_PIM) > 50


# -- at the server's address

AT_THE_SERVER = (
    ("closes at once", {"closes_after": 0}),
    ("closes at the first octet", {"closes_after": 1}),
    ("says nothing", {}),
    ("another protocol", {"answer": b"HTTP/1.1 400 Bad Request\r\n\r\n"}),
    ("binary", {"answer": bytes(range(256))}),
    ("length 0000", {"answer": b"0000"}),
    ("9999 octets", {"answer": b"9999" + b"0" * 9999}),
    ("half a 05", {"answer": b"002405000"}),
    ("a 05 that is too short", {"answer": b"002305%s2024031409265300"}),
    ("a 05 without a code", {"answer": b"002405%s20240314092653   "}),
    ("a 05 for something else", {"answer": b"0024059999920240314092653000"}),
    ("05 for everything but this", {"answer": b"0024050000020240314092653000" * 50}),
    ("a 10 instead of a 05", {"answer": b"003810%s000300010010" + b"2024031409265300000"}),
    ("a 12 and nothing else", {"greeting": VERIFICATION, "answer": VERIFICATION}),
    ("telegrams that were not asked for", {"greeting": b"0007990000100071100002" * 100}),
)


def test_no_side_can_stop_the_agent_for_good():
    for place, behaviours in ((PIM, AT_THE_PIM), (SERVER, AT_THE_SERVER)):
        for at in range(0, len(behaviours), 1 if HAS_ALL else 3):
            name, behaviour = behaviours[at]
            try:
                survive(place, lambda behaviour=behaviour: Hostile(**behaviour))
            except AssertionError:
                print(place[0] + ": " + name)
                raise


def test_backlog_keeps_order_while_the_server_behind_an_open_port_is_away():
    for behaviour in ({"closes_after": 1}, {"closes_after": 0}, {"closes_after": 12})[: 3 if HAS_ALL else 1]:
        outlet = Outlet(cursor_batch=4)
        outlet.store(2)
        outlet.until_stored(2)
        healthy = outlet.toolsnet.server_endpoint
        for hours in (1, 2, 3):
            outlet.network.listen(SERVER[0], SERVER[1], lambda behaviour=behaviour: Hostile(**behaviour))
            outlet.network.cut(*SERVER)
            outlet.store(10)
            outlet.run(hours * HOUR_MS + hours * 7000)
            outlet.network.listen(SERVER[0], SERVER[1], healthy)
            outlet.until_stored(2 + 10 * hours)
        outlet.run(100)
        assert outlet.ids() == list(range(1, 33)) and outlet.parked_numbers() == [], (behaviour, outlet.counts())


def test_server_that_refuses_all_with_any_code_parks_nothing():
    outlet = survive(SERVER, lambda: Hostile(answer=b"002405%s20240314092653999"))
    assert outlet.counted(counter.REFUSED_BY_SERVER) > 10


# -- servers that do not read


def stuck(taken):
    """Return an outlet whose server takes so many octets of the first result and then nothing."""
    outlet = Outlet()
    outlet.until(lambda: outlet.session.state == ts.STREAMING)
    line = outlet.network.line(*SERVER)
    line.black_hole = True
    line.buffer_bytes = taken
    outlet.store(3)
    return outlet, line


def test_telegram_is_sent_again_whole_when_a_server_stops_reading():
    for taken in (1, 4, 100, 599, 2000):
        outlet, line = stuck(taken)
        for session in outlet.toolsnet.server_sessions:
            session.excused = True
        steps = outlet.steps
        outlet.run(14000)
        assert outlet.session.state == ts.STREAMING
        outlet.run(2000)
        assert outlet.session.state < ts.STREAMING, "it waits for ever"
        assert outlet.steps - steps < 60, "it spins"
        line.buffer_bytes = 0
        outlet.network.up(*SERVER)
        outlet.until_stored(3, and_ms=100)
        assert outlet.ids() == [1, 2, 3]
        whole = [c for c in outlet.toolsnet.complaints if "pieces" not in c and "sent" not in c]
        assert whole == [], whole


def slow(bytes_per_s, buffer_bytes, results):
    """Return an outlet with so many results whose server reads so slowly."""
    outlet = Outlet()
    line = outlet.network.line(*SERVER)
    line.bytes_per_s, line.buffer_bytes = bytes_per_s, buffer_bytes
    outlet.store(results)
    return outlet


def test_server_that_reads_slowly_gets_whole_telegrams():
    outlet = slow(600, 100, 6)  # more than a second for one result
    outlet.until_stored(6, and_ms=5000)
    assert outlet.ids() == [1, 2, 3, 4, 5, 6] and outlet.archive.repeated == 0
    outlet.clean()


def test_slow_server_with_every_05_late_gets_everything_in_order():
    outlet = slow(110, 64, 3)
    outlet.until_stored(3, 2 * HOUR_MS)
    assert outlet.ids() == [1, 2, 3] and outlet.parked_numbers() == []


def test_half_open_connection_is_noticed_by_the_keep_alive():
    outlet = Outlet()
    outlet.store(1)
    outlet.until_stored(1, and_ms=1000)
    outlet.network.half_open(*SERVER, answers_reset=False)
    outlet.run(29000 + 15000)
    outlet.store(1)
    assert outlet.until_stored(2) <= 61000
    assert outlet.ids() == [1, 2]


# -- anything at all


def noise(dice, ident):
    """Return octets that begin like telegrams more often than not."""
    octets = b""
    for _ in range(dice.randrange(4)):
        kind = dice.randrange(7)
        if kind == 0:
            octets += bytes([dice.randrange(256) for _ in range(dice.randrange(40))])
        elif kind == 1:
            octets += b"%04d" % dice.randrange(10000)
        elif kind == 2:
            octets += VERIFICATION
        elif kind == 3:
            octets += b"003708" + ident + b"%05d00000" % dice.randrange(100000) + b"tn             10111"
        elif kind == 4:
            octets += b"002405" + ident + b"20240314092653" + b"%03d" % (1 + dice.randrange(999))
        elif kind == 5:
            octets += b"002405%05d" % dice.randrange(100000) + b"20240314092653xyz"
        else:
            length = dice.randrange(400)
            octets += b"%04d" % length + bytes([dice.randrange(256) for _ in range(length)])
    return octets


class Noise(Hostile):
    """Says noise at connect and to everything it hears."""

    def __init__(self, dice, greeting=b""):
        super().__init__(greeting + noise(dice, b"00001"))
        self.dice = dice

    def receive(self, octets, now):
        self.send(noise(self.dice, octets[6:11] if len(octets) > 10 else b"00001"))
        if self.dice.randrange(8) == 0:
            self.close("noise")


def test_noise_on_both_addresses_raises_nothing_and_loses_nothing():
    for seed in (1, 2) if HAS_ALL else (1,):
        dice = Dice(seed)
        outlet = Outlet({"require_pim": False}, cursor_batch=3, refused="block")
        outlet.store(4)
        outlet.network.listen(PIM[0], PIM[1], lambda dice=dice: Noise(dice, VERIFICATION))
        outlet.network.listen(SERVER[0], SERVER[1], lambda dice=dice: Noise(dice))
        for address in (PIM, SERVER):
            outlet.network.line(*address).random_splits = True
        steps = outlet.steps
        outlet.run(2 * HOUR_MS)
        assert outlet.steps - steps < 2 * 60000, outlet.steps - steps
        passed = outlet.cursor.number
        outlet.network.listen(PIM[0], PIM[1], outlet.toolsnet.pim_endpoint)
        outlet.network.listen(SERVER[0], SERVER[1], outlet.toolsnet.server_endpoint)
        outlet.network.cut(*SERVER)
        outlet.network.cut(*PIM)
        outlet.store(2)
        outlet.until_stored(6 - passed, and_ms=1000)
        # An 08 of the noise may name a number as stored: what it did not name has to come, in order.
        assert outlet.ids() == list(range(passed + 1, 7)), (seed, passed, outlet.counts())
