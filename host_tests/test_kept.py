"""What a controller says it keeps spares the questions one by one, and nothing follows from it where it is not true."""

import sys

import agent.spool.ring  # noqa: F401 - MicroPython's stack is too short for the whole chain of imports at once
from agent import health as h
from agent.openprotocol import questions as qs
from agent.openprotocol import requests as rq
from agent.openprotocol.kept import BELOW_ASKED
from agent.openprotocol.missing import WALK_GONE
from host_tests.support_frames import message
from host_tests.support_recovery_model import BLANK, Life, Tank
from host_tests.support_world import CONTROLLER, Cart, WatchedFlash
from tools.sim.clock import Dice, stamp_text

PORTABLE = True
HEAVY = True
HEAP = "8m"

LIVES = 80 if sys.implementation.name == "cpython" else 4
WIDE = 250  # more than a round: the way back would be walked


def outage(made, kept, **controller):
    """A cart that was away while `made` results came about, of which the controller has the last `kept`."""
    settings = {"controller": {"recover_round": 100}}
    cart = Cart(blocks=80, controller=controller, settings=settings, on=False)
    cart.controller.produce()  # before it was met
    cart.boot()
    cart.ready()
    cart.settle()
    for _ in range(2):
        cart.controller.produce()
    cart.settle()
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.run(100)
    for _ in range(made):
        cart.controller.produce()
        cart.clock.advance(1000)
    for number in cart.controller.kept_ids()[:-kept]:
        cart.controller.forget(number)
    before = cart.controller.messages.get(64, 0)
    cart.network.up(CONTROLLER[0], CONTROLLER[1])
    cart.ready()
    cart.settle()
    return cart, cart.controller.messages.get(64, 0) - before


def is_right(cart, made, kept, gone=None):
    ids = cart.stored_ids()
    first = 3 + made - kept + 1
    assert sorted(ids) == [2, 3] + list(range(first, made + 4)) and ids[2:] == sorted(ids[2:]), ids
    assert cart.station.known.gone() == (made - kept if gone is None else gone)
    assert cart.controller.complaints == []


# With a controller that has them


def test_message_0902_spares_the_way_back():
    cart, asked = outage(WIDE, 50, kept_mids=(902,))
    is_right(cart, WIDE, 50)
    assert asked <= 50 + BELOW_ASKED + 6 and cart.controller.messages[6] == 1


def test_message_0067_does_so_where_0902_is_not_known():
    cart, asked = outage(WIDE, 20, kept_mids=(67,))
    is_right(cart, WIDE, 20)
    assert cart.controller.messages[6] == 1 and asked > 100  # 0902 was refused; the way back was walked
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.run(100)
    for _ in range(WIDE):
        cart.controller.produce()
        cart.clock.advance(1000)
    for number in cart.controller.kept_ids()[:-20]:
        cart.controller.forget(number)
    before = cart.controller.messages[64]
    cart.network.up(CONTROLLER[0], CONTROLLER[1])
    cart.ready()
    cart.settle()
    assert cart.controller.messages[6] == 2 and cart.controller.messages[64] - before <= 20 + BELOW_ASKED + 6
    assert len(cart.stored_ids()) == 42 and cart.station.known.gone() == 2 * (WIDE - 20)


def test_controller_that_has_all_of_it_is_asked_for_each_once():
    cart, asked = outage(WIDE, WIDE, kept_mids=(902,))
    is_right(cart, WIDE, WIDE)
    assert asked <= WIDE + 10  # without it each is asked for twice


def test_controller_without_any_costs_one_question_a_connection_and_two_in_all():
    cart, _ = outage(WIDE, 50)
    is_right(cart, WIDE, 50)
    assert cart.controller.messages[6] == 1
    for _ in range(3):
        cart.network.down(CONTROLLER[0], CONTROLLER[1])
        cart.run(100)
        cart.controller.jump_ids(WIDE)
        cart.controller.produce()
        cart.network.up(CONTROLLER[0], CONTROLLER[1])
        cart.ready()
        cart.settle()
    assert cart.controller.messages[6] == 2


def test_controller_that_ends_the_connection_instead_is_not_asked_so_for_ever():
    cart, _ = outage(WIDE, 20, refuse={6: None})
    is_right(cart, WIDE, 20)
    assert cart.controller.messages[6] == 1 and cart.counted(h.CONTROLLER_REFUSALS) == 0


def test_little_is_asked_for_as_ever():
    cart, _ = outage(WALK_GONE // 2, 20, kept_mids=(902, 67))
    is_right(cart, WALK_GONE // 2, 20)
    assert 6 not in cart.controller.messages


# With one that does not say the truth


def test_claims_that_cannot_be_are_passed_over():
    newest = WIDE + 3
    for claims in (
        {"newest": newest + 100},
        {"newest": newest - 1},
        {"oldest": newest + 1},
        {"oldest": 0},
        {"capacity": 3},
        {"oldest_time": "2099-01-01:00:00:00"},
        {"newest_time": "2001-01-01:00:00:00"},
        {"newest_time": "2099-01-01:00:00:00"},
        {"newest_time": ""},
        {"oldest_time": "no time at all"},
        {"oldest": newest, "newest": 4294967295},
        {"oldest": 9999999999},
    ):
        cart, asked = outage(WIDE, 50, kept_mids=(902,), kept_claims=claims)
        is_right(cart, WIDE, 50)
        assert asked > 50 + WALK_GONE, claims


def test_an_oldest_that_is_told_too_high_or_too_low_loses_nothing():
    for oldest in (1, 5, WIDE - 60, WIDE - 45, WIDE - 20, WIDE + 3):
        cart, _ = outage(WIDE, 50, kept_mids=(902,), kept_claims={"oldest": oldest})
        is_right(cart, WIDE, 50)


def test_list_that_is_out_of_order_or_not_the_newest_is_passed_over():
    top = WIDE + 3
    for listed in ([top, top - 1], [top - 5, top - 1], [], [top, top], [5], list(range(top - 9, top + 1))):
        cart, _ = outage(WIDE, 30, kept_mids=(67,), refuse_once=[(6, 99)], kept_claims={"listed": listed})
        is_right(cart, WIDE, 30)
        cart.network.down(CONTROLLER[0], CONTROLLER[1])
        cart.run(100)
        cart.network.up(CONTROLLER[0], CONTROLLER[1])
        cart.ready()
        cart.settle()
        is_right(cart, WIDE, 30)


# The claim alone, octet by octet


def stored(oldest, newest, newest_time, capacity=5000, oldest_time="2024-01-01:00:00:00"):
    data = "%010d%010d%s%010d%s000" % (capacity, oldest, oldest_time, newest, newest_time)
    return message(902, data.encode())


class Bench(Tank):
    def __init__(self):
        Tank.__init__(self, WatchedFlash(24, 4096, 16))
        self.recovery.asks_kept = True

    def claim(self, frame):
        """Take a message as if it had been asked for; whether something is to be proven then."""
        from agent.openprotocol.kept import Kept

        known = self.known
        known.set_top(b"0000001000", 0)
        self.recovery._newest[:] = b"0000001000"
        self.recovery._newest_time[:] = b"\x20\x24\x03\x14\x09\x26\x53"
        self.recovery.claim = Kept()
        self.recovery.claim._row = 1
        self.recovery.claim._state = 1
        self.recovery.hear_kept(frame, 0, len(frame), int(frame[4:8]))
        return self.recovery.claim.turn(self.recovery, 100, 1001) == qs.PHASE_OLDEST


def test_octets_of_a_claim_that_are_spoiled_never_raise_and_short_ones_are_none():
    whole = stored(900, 1000, "2024-03-14:09:26:53")
    assert Bench().claim(whole) and not Bench().claim(stored(900, 1000, "2024-03-14:09:26:54"))
    for length in range(20, 88):
        assert not Bench().claim(whole[:length])
    listed = b"002" + b"0000000900" + b"2024-01-01:00:00:00" + b"1" + b"0000001000" + b"2024-03-14:09:26:51" + b"1"
    assert Bench().claim(message(67, listed))
    for length in range(20, 83):
        assert not Bench().claim(message(67, listed)[:length])
    dice = Dice(7)
    for frame in (whole, message(67, listed)):
        for _ in range(300):
            octets = bytearray(frame)
            for _ in range(1 + dice.randrange(3)):
                octets[20 + dice.randrange(len(octets) - 20)] = dice.randrange(256)
            bench = Bench()
            bench.claim(bytes(octets[:4]) + frame[4:8] + bytes(octets[8:]))


def test_requests_are_written_as_the_documents_have_them():
    cart = Cart(controller={"kept_mids": (902,)}, blocks=100).ready()
    session = cart.station.session
    cart.settle()
    from agent.openprotocol.kept import Kept

    claim = Kept()
    claim.ask(session)
    assert session.request.row is rq.STORED and bytes(session.request.data) == b"090200100"
    session.request.answered()
    claim.ask(session)
    room = (len(session.link.buf) - 24) // 30
    assert session.request.row is rq.LIST and bytes(session.request.data) == b"0067001130000000000%03d" % room
    assert len(session.request.data) == rq.LIST[rq.DATA_BYTES] and rq.STORED[rq.DATA_BYTES] == 9


# Random lives


class AskedLife(Life):
    """A life whose controller says what it keeps: truly, falsely, or not at all."""

    def __init__(self, seed, **settings):
        Life.__init__(self, seed, **settings)
        self.tells = self._draw(4)

        tank = self.tank
        ask = tank.ask

        def ask_on():
            tank.recovery.asks_kept = True
            number = ask()
            while number >= 0 and tank.recovery.phase == qs.PHASE_KEPT:
                tank.asked.pop()
                self._tell_kept()
                number = ask()
            return number

        tank.ask = ask_on

    def _tell_kept(self):
        recovery = self.tank.recovery
        recovery.claim._row += 1
        recovery.claim._state = 1
        kept = [one for one in self.memory.kept if one.ident != BLANK]
        if self.tells == 0 or not kept or self._draw(6) == 0:
            recovery.hear_kept(b"", 0, 0, 0)
            recovery.claim._row = 0
            return
        oldest = kept[0].ident
        if self.tells == 2:
            oldest = kept[self._draw(len(kept))].ident
        elif self.tells == 3:
            oldest = (kept[-1].ident - self._draw(60)) % 4294967296
        times = [stamp_text(1710408413 + one.time_s) for one in (kept[0], kept[-1])]
        frame = stored(oldest, kept[-1].ident, times[1], 100000, times[0])
        recovery.hear_kept(frame, 0, len(frame), 902)


def test_random_lives_lose_nothing_by_what_is_claimed():
    asked = 0
    for seed in range(1, LIVES + 1):
        life = AskedLife(seed)
        life.live(40)
        asked += life.tank.recovery.claim is not None
    assert asked > LIVES // 4
