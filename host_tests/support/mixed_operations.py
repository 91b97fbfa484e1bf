"""Controllers that send the parts of MID 1201 and 1202 in any order, doubled, missing, or those of two results mixed.

What was made is known here: of each result its ID, and the torque of each object.
"""

import random

from toolcart.agent.log.snapshot_fields import STORED_AGAIN
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.result import BODY_BYTES, HEAD_BYTES, LIMITS_BYTES, TORQUE, TORQUE_BYTES
from toolcart.sim.controller_spindles import SpindleSession
from toolcart.sim.profiles import profile_options
from toolcart.sim.spindle_frames import spindles_of
from host_tests.support.world import CONTROLLER, Cart, body_of, id_of

LAST = 3  # of what a part is in the simulator: the ID, if it is the last one


def in_order(dice, parts):
    return parts


def overall_last(dice, parts):
    """MID 1201 comes behind its objects."""
    return parts[1:] + parts[:1]


def backwards(dice, parts):
    return parts[::-1]


def shuffled(dice, parts):
    return dice.sample(parts, len(parts))


def doubled(dice, parts):
    at = dice.randrange(len(parts))
    return parts[: at + 1] + parts[at:]


def doubled_at_the_end(dice, parts):
    return parts + [dice.choice(parts)]


def one_missing(dice, parts):
    at = dice.randrange(len(parts))
    return parts[:at] + parts[at + 1 :]


def overall_alone(dice, parts):
    return parts[:1]


def objects_alone(dice, parts):
    return parts[1:]


USUAL = (in_order,)
ORDERS = (in_order, overall_last, backwards, shuffled)
LOSSES = (one_missing, overall_alone, objects_alone)
REPEATS = (doubled, doubled_at_the_end)


class MixedOperations:
    """A cart at such a controller.

    `pushes` and `answers` are what may be made of the parts of a push and of an answer; `mixes` is how likely a push
    waits for the next one, whose parts are mixed with its own; `resumes` what a new subscription begins with:
    "nothing", the "rest" of what was not acknowledged, or all of it "anew".
    """

    def __init__(
        self,
        monkeypatch,
        seed=1,
        profile="stepsync",
        pushes=USUAL,
        answers=USUAL,
        mixes=0.0,
        resumes="nothing",
        settings=None,
        **options,
    ):
        self.dice = random.Random(seed)
        self.pushes = pushes
        self.answers = answers
        self.mixes = mixes
        self.resumes = resumes
        self.held = []  # parts of a push that waits for the next one
        self.left = []  # what the last connection has not sent, or not got acknowledged
        self.acknowledged = set()  # the IDs of which a part was
        one = self
        real_parts = SpindleSession._parts
        real_acknowledged = SpindleSession._take_part_acknowledgement
        real_subscribe = SpindleSession._subscribe_operations
        real_disconnected = SpindleSession.disconnected

        def parts(session, result, revision, asked_with):
            made = real_parts(session, result, revision, asked_with)
            return made if asked_with == 8 else one._odd(one.answers, made)

        def offer(session, result):
            if session.operation_revision and session.alive:
                made = one._odd(one.pushes, real_parts(session, result, session.operation_revision, 8))
                if one.held:
                    made, one.held = one._mixed(one.held, made), []
                elif one.dice.random() < one.mixes:
                    one.held, made = made, []
                session.unsent += made

        def part_acknowledged(session, mid, revision, text, now):
            if session.owed:
                one.acknowledged.add(one.id_in(session.owed[0]))
            real_acknowledged(session, mid, revision, text, now)

        def subscribe(session, mid, revision, text, now):
            before = session.operation_revision
            real_subscribe(session, mid, revision, text, now)
            if session.operation_revision and not before:
                session.unsent = one._resumed(session, real_parts) + session.unsent

        def disconnected(session, now):
            if session.operation_revision:
                one.left = one.held + list(session.owed) + list(session.unsent)
                one.held = []
            real_disconnected(session, now)

        monkeypatch.setattr(SpindleSession, "_parts", parts)
        monkeypatch.setattr(SpindleSession, "offer", offer)
        monkeypatch.setattr(SpindleSession, "_take_part_acknowledgement", part_acknowledged)
        monkeypatch.setattr(SpindleSession, "_subscribe_operations", subscribe)
        monkeypatch.setattr(SpindleSession, "disconnected", disconnected)
        self.cart = Cart(toolsnet=None, controller=dict(profile_options(profile), **options), **(settings or {}))

    def _odd(self, ways, parts):
        return list(self.dice.choice(ways)(self.dice, list(parts)))

    def _mixed(self, first, second):
        """Return the parts of both, each in its own order."""
        mixed = []
        first, second = list(first), list(second)
        while first and second:
            mixed.append(self.dice.choice((first, second)).pop(0))
        return mixed + first + second

    def _resumed(self, session, parts):
        left, self.left = self.left, []
        if self.resumes == "rest":
            return left
        if self.resumes == "anew":
            idents = []
            for one in left:
                if self.id_in(one) not in idents:
                    idents.append(self.id_in(one))
            results = [self.cart.controller.result(number) for number in idents]
            return [part for one in results if one for part in parts(session, one, session.operation_revision, 8)]
        return []

    @staticmethod
    def id_in(part):
        return int(part[2][6:16])

    # What happens

    def make(self, count=1, every_ms=1500):
        self.cart.produce(count, every_ms)

    def away(self, count, cut=False):
        """Tighten so many while no one hears."""
        cart = self.cart
        if cut:
            cart.cut()
        cart.network.down(*CONTROLLER)
        cart.network.cut(*CONTROLLER)
        cart.run(300)
        cart.produce(count)
        cart.network.up(*CONTROLLER)
        cart.until(cart.is_ready, 120000)
        cart.run(1000)

    # What came of it

    def rows_made(self, number):
        """Return the torque of each object of this result."""
        controller = self.cart.controller
        return [one.torque for one in spindles_of(controller.result(number), controller.options.objects)]

    def rows_kept(self, payload):
        if len(payload) > HEAD_BYTES + BODY_BYTES + LIMITS_BYTES:
            return [int(one.torque.replace(".", "")) for one in sp.rows_of(payload, 0)]
        return [int(body_of(payload)[TORQUE : TORQUE + TORQUE_BYTES])]

    def reported(self):
        """Return the IDs that an event calls gone, or that are known to be missing."""
        ids = set()
        for _, kind, _, payload in self.cart.records():
            if kind == KIND_EVENT and payload[ev.WHAT] == ev.GONE:
                text = payload[ev.TEXT :]
                first, last = [int(text[at : at + 10]) for at in (ev.GONE_FIRST, ev.GONE_LAST)]
                ids.update(range(first, last + 1))
        ledger = self.cart.station.ledger
        return ids | {number for number in self.cart.controller.produced if ledger.misses(number)}

    def judge_acknowledged(self):
        """Whatever a part of which was acknowledged is stored, or told as missing, at any moment."""
        left = self.acknowledged - set(self.cart.stored_ids())
        assert left <= self.reported(), ("acknowledged and nowhere", left - self.reported(), self.cart.gone())

    def judge(self):
        """Each result is stored once and whole, or is told as missing and counts; no acknowledged one is neither."""
        cart = self.cart
        stored = cart.stored_ids()
        ledger = cart.station.ledger
        missing = [number for number in cart.controller.produced if number not in stored]
        books = (stored, missing, cart.gone(), ledger.gone(), missing_most(ledger))
        twice = len(stored) - len(set(stored))
        assert twice <= ledger.state.numbers[STORED_AGAIN], ("twice", books)
        assert set(stored) <= set(cart.controller.produced), ("never made", books)
        for payload in cart.stored():
            assert self.rows_kept(payload) == self.rows_made(id_of(payload)), ("not whole", id_of(payload), books)
        assert len(missing) <= ledger.gone() + missing_most(ledger), ("not counted", books)
        untold = set(missing) - self.reported()
        assert not untold, ("not told", untold, self.acknowledged & untold, books)
        # In revision 1 a repeated part of an answer may be a push, which is acknowledged.
        assert not cart.controller.complaints or cart.controller.options.operations == (1,), cart.controller.complaints
        return books
