"""Bad input from the controller's side: counted, framed away or answered by a new connection; nothing is lost."""

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.session import SUSPENDED_MS
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.equality import is_same
from toolcart.base.clock import Dice
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.frames import EXAMPLE, garbled, light, message, pushed
from host_tests.support.world import Cart, packed_time
from lab.harness.cart import CONTROLLER

PORTABLE = True
HEAP = "4m"

SEEDS = 300 if LONG else 15 if HAS_ALL else 2


class Mangler:
    """A controller whose bytes are spoiled on their way: dropped, doubled, changed or pushed in, until it is `off`.

    What it puts in does not begin with a digit, and what it takes out lies within one message: a spoiled result cannot
    get a far greater number out of other digits. That would be a gap of thousands of IDs, rightly asked for.
    """

    def __init__(self, controller, dice, every):
        self.controller = controller
        self.dice = dice
        self.every = every  # one piece of output in so many is spoiled
        self.off = False
        self.spoiled = 0

    def endpoint(self):
        session = self.controller.endpoint()
        outgoing = session.outgoing

        def mangled():
            octets = outgoing()
            if not octets or self.off or self.dice.randrange(self.every):
                return octets
            self.spoiled += 1
            return self.spoil(octets, session)

        session.outgoing = mangled
        return session

    def garbage(self, n):
        """Return n octets of which none is a digit."""
        octets = bytearray(n)
        for index in range(n):
            octet = self.dice.randrange(246)
            octets[index] = octet if octet < 0x30 else octet + 10
        return bytes(octets)

    def spoil(self, octets, session):
        dice = self.dice
        at = dice.randrange(len(octets))
        n = 1 + dice.randrange(9)  # fewer than an ID has digits
        how = dice.randrange(7)
        if how == 0:
            return octets[:at] + self.garbage(n) + octets[at + n :]
        if how == 1:
            end = octets.find(b"\0", at)
            return octets[:at] + octets[end if 0 <= end < at + n else at + n :]
        if how == 2:
            return octets[:at] + self.garbage(n) + octets[at:]
        if how == 3 and not octets[at : at + 1].isdigit():
            return octets[: at + n] + octets[at:]
        if how == 4:
            session.close("broken off in the middle of a message")
            return octets[:at]
        if how == 5:
            return b"\0" * n + octets
        return self.foreign() + octets

    def foreign(self):
        """Return a whole message that was not asked for."""
        dice = self.dice
        mid = (4, 5, 2, 65, 71, 900, 1201, 4321, 9998, 35, 41, 9999)[dice.randrange(12)]
        text = self.garbage(dice.randrange(300))
        return ("%04d%04d001         " % (20 + len(text), mid)).encode() + text + b"\0" * dice.randrange(2)


def connected(**options):
    options.setdefault("max_clients", 9)
    cart = Cart(controller=options, blocks=24)
    return cart.settle(120000)


def receive(cart, *octets):
    """The controller says something of its own accord, piece by piece."""
    for piece in octets:
        cart.controller.inject(piece)
        cart.run(20)


def still_serves(cart, lost=0):
    """What is produced afterwards is stored once, in the same session or after `lost` losses of it."""
    cart.settle(120000)
    before = len(cart.stored_ids())
    cart.produce(2, 50)
    cart.settle()
    assert len(cart.stored_ids()) == before + 2
    assert cart.stored_ids() == cart.controller.produced
    assert cart.counted(counter.CONTROLLER_LOSSES) == lost
    assert cart.counted(counter.FAULTS) == 0
    return True


# Length fields


def test_half_a_message_and_then_silence_is_given_up_after_five_seconds():
    for n in (20, 100, 120):
        cart = connected()
        receive(cart, light(tightening_id=999)[:n])
        cart.run(4500)
        assert cart.counted(counter.CONTROLLER_LOSSES) == 0
        cart.run(700)
        assert list(cart.station.counters.log.entries())[-1][1:] == (
            counter.CONTROLLER_LOSSES,
            session_states.WHY_FRAMING,
        )
        assert still_serves(cart, 1)


def test_half_a_header_and_then_silence_is_no_message():
    for n in (1, 4, 19):
        cart = connected()
        receive(cart, light(tightening_id=999)[:n])
        cart.run(5200)
        assert list(cart.station.counters.log.entries())[-1][1:] == (counter.CONTROLLER_MALFORMED, 0)
        assert still_serves(cart)


def test_message_of_9999_octets_is_framed_away_by_a_small_buffer():
    for size in (256, 300, 2048, 9999):
        cart = Cart(controller={"max_clients": 9}, settings={"controller": {"buffer_bytes": size}}, blocks=24).settle()
        huge = b"9999" + message(900, bytes([index & 0xFF for index in range(9979)]))[4:]
        receive(cart, huge, huge + b"\0", huge[:5000], huge[5000:])
        assert cart.counted(counter.CONTROLLER_UNKNOWN) == 3
        assert still_serves(cart)


# Content


def test_unreadable_result_is_stored_raw_acknowledged_and_shown():
    for frame in (
        garbled(),
        garbled(status="7", time="no time at all"),
        message(61, b"", 999),
        message(61, b"short", 999),
        message(61, EXAMPLE[20:] + b"x", 500),
        message(61, pushed(2)[20:300], 2),
        message(61, bytes([index & 0xFF for index in range(101)]), 999),
        EXAMPLE[:8] + b"x99" + EXAMPLE[11:],
    ):
        cart = connected()
        receive(cart, frame + b"\0")
        assert cart.raw() == [frame] and cart.stored() == []
        assert cart.controller.messages[62] == 1
        assert cart.counted(counter.RAW) == 1
        assert list(cart.station.counters.log.entries())[-1][1:] == (counter.RAW, len(frame))
        assert still_serves(cart)


def test_answer_to_a_fetch_that_cannot_be_read_is_kept_raw_once():
    cart = connected()
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    for status in ("1", "#", "1"):
        cart.produce(status=status, **({} if status == "1" else {"time": "#" * 19}))
    cart.run(100)
    cart.network.up(CONTROLLER[0], CONTROLLER[1])
    cart.settle()
    assert cart.stored_ids() == [1, 3]
    assert len(cart.raw()) == 1 and cart.raw()[0][22:32] == b"0000000002"
    for _ in range(3):
        cart.network.cut(CONTROLLER[0], CONTROLLER[1])
        cart.run(40000)
    cart.cut()
    cart.settle()
    assert len(cart.raw()) == 1 and cart.stored_ids() == [1, 3]


def test_binary_noise_is_passed_over():
    for seed in range(1, 21):
        cart = connected()
        noise = Mangler(cart.controller, Dice(seed), 1).garbage(200)
        receive(cart, b"A" + noise)
        assert cart.counted(counter.CONTROLLER_MALFORMED) == 1
        assert still_serves(cart)


def test_too_much_noise_closes_and_reconnects():
    cart = connected()
    receive(cart, *[b"A" * 1000] * 11)
    assert still_serves(cart, 1)


def test_storm_of_refusals_does_not_become_a_storm_of_questions():
    cart = connected()
    cart.controller.options.refuse = {64: 1}
    cart.controller.jump_ids(50)
    cart.produce(1, 50)
    before = cart.controller.messages[64]
    cart.run(60000)
    # Fifty open IDs, asked once each round of 30 s.
    assert cart.controller.messages[64] - before <= 3 * 51
    cart.healthy()


# Everything at once


def mismatches(cart):
    """Return how many stored results are not exactly what was made, and how often each ID is stored right."""
    controller = cart.controller
    right = {}
    wrong = 0
    for payload in cart.stored():
        number = payload[8 + 82 : 8 + 92]
        result = controller.result(int(number)) if number.isdigit() else None
        body = payload[8:]
        if (
            result is not None
            and body[45:51] == ("%06d" % result.torque).encode()
            and body[51:56] == ("%05d" % result.angle).encode()
            and body[:25].rstrip() == result.vin
            and body[56:63] == packed_time(result.time)
        ):
            right[int(number)] = right.get(int(number), 0) + 1
        else:
            wrong += 1
    return wrong, right


def twins(cart):
    """Return the IDs of results that the log holds twice; one that came spoiled is another one."""
    results = [(flags, payload) for _, kind, flags, payload in cart.records() if kind == KIND_RESULT]
    return [
        bytes(one[90:100])
        for index, (flags, one) in enumerate(results)
        for other_flags, other in results[:index]
        if is_same(one, 0, len(one), flags, other, 0, len(other), other_flags)
    ]


def one_life(seed):
    dice = Dice(seed)
    cart = Cart(
        seed=seed,
        controller={"max_clients": 9, "window": 1 + seed % 3, "blame_silence": False, "nok_percent": 20},
        blocks=20,
    )
    cart.settle()
    mangler = Mangler(cart.controller, dice, 2 + dice.randrange(6))
    cart.network.listen(CONTROLLER[0], CONTROLLER[1], mangler.endpoint)
    cart.network.cut(CONTROLLER[0], CONTROLLER[1])
    cart.line.random_splits = seed % 2 == 0
    for _ in range(12):
        cart.produce(dice.randrange(3), 50)
        cart.run(dice.randrange(2500))
        if dice.randrange(6) == 0:
            cart.cut()
    mangler.off = True
    cart.run(20000)
    cart.network.cut(CONTROLLER[0], CONTROLLER[1])
    cart.run(100)
    cart.settle(2 * SUSPENDED_MS)  # what connections ended with twice is asked for again after an hour
    return cart, mangler


def test_spoiled_conversations_never_stop_the_agent_and_lose_nothing():
    spoiled = 0
    for seed in range(1, SEEDS + 1):
        cart, mangler = one_life(seed)
        cart.healthy()
        wrong, right = mismatches(cart)
        assert twins(cart) == [], seed
        # A result is missing only where a spoiled frame stands for it, raw or as it was spoiled: never silently.
        missing = [number for number in cart.controller.produced if number not in right]
        assert len(missing) <= wrong + len(cart.raw()), (seed, missing)
        assert wrong + len(cart.raw()) <= mangler.spoiled * 3, seed
        spoiled += mangler.spoiled
        # And it goes on.
        before = len(cart.stored())
        cart.produce(2, 50)
        cart.settle()
        assert len(cart.stored()) == before + 2, seed
    assert spoiled > SEEDS
