"""The model of what ToolsNet refuses (host_tests.agent.outlets.refusals_model) and the real policy side by side.

Random events; after each the same goes out, under the same sequence, and the same is durable.
"""

import random

from toolcart.agent.log.snapshot_fields import (
    CURSOR,
    DELIVERED,
    DOUBT_LACKS,
    DOUBT_TO,
    DROPPED,
    REOFFERED,
    SEND_LIMIT,
    SENT,
    SENT_BACK,
    SENT_EMPTY,
    SENT_LOOKAHEAD,
    SENT_MET,
    SENT_OLDER,
    SEQUENCE_LAG,
    TAKEN,
)
from toolcart.agent.outlets.toolsnet import lookahead
from toolcart.agent.outlets.toolsnet import policy as pol
from toolcart.agent.outlets.toolsnet.data_loss import width_of
from toolcart.agent.toolsnet.telegram import SEQUENCES
from host_tests.agent.outlets.refusals import (
    GOOD,
    MUTE,
    NOW,
    REFUSED,
    REFUSES,
    SILENT,
    WELL,
    Cut,
    World,
)
from host_tests.agent.outlets.refusals_model import Model
from host_tests.agent.outlets.test_refusals_model import short  # noqa: F401

REACH = PATIENCE = 2
LIVES = 400
EVENTS = 120


def let_time_come(policy):
    """Whatever waits for its time may come now, but for what nobody has ordered."""
    late = policy.reoffers
    late.timer.stop()
    late.wants = False
    for timer in (policy.pause, policy.lookahead.soon, policy.lookahead.proven, late.pause):
        timer.due = NOW


class Comparison:
    """One world of the real policy, and the model."""

    def __init__(self, dice):
        kinds = tuple(dice.choice((GOOD, GOOD, REFUSED, MUTE)) for _ in range(6))
        self.world = World(kinds, room=dice.choice((1, 2, 4)), batch=dice.choice((1, 2, 3)))
        self.model = Model(len(kinds), self.world.room, self.world.batch, REACH, PATIENCE)
        self.dice = dice

    def compare(self):
        """What is durable and what is being done is the same; then all that waits for its time may come."""
        world, model, policy = self.world, self.model, self.world.policy
        for numbers, mine in ((world.state.durable, model.durable), (self.current(), model.snapshot())):
            sent = numbers[SENT]
            values = (numbers[CURSOR], numbers[SEND_LIMIT], bool(sent & SENT_LOOKAHEAD), bool(sent & SENT_MET))
            values += (numbers[REOFFERED], numbers[TAKEN], numbers[DELIVERED], numbers[DOUBT_LACKS], numbers[DOUBT_TO])
            values += (
                bool(sent & SENT_EMPTY),
                bool(sent & SENT_BACK),
                bool(sent & SENT_OLDER),
                width_of(numbers),
                numbers[DROPPED],
                numbers[SEQUENCE_LAG],
            )
            assert values == (*mine[:-2], mine[-2] % SEQUENCES)
        assert world.state.durable_gone == model.durable[-1] and world.state.gone == model.gone
        assert tuple(number for number, _reason in world.kept.entries) == model.entries
        assert (policy.phase, policy.head) == (model.phase, model.head)
        assert (policy.head_failures, policy.failed_lookaheads) == (model.head_failures, model.failed_lookaheads)
        assert (policy.in_flight.may_have, policy.in_flight.unsettled_to) == (model.may_have, model.unsettled_to)
        let_time_come(policy)

    def current(self):
        numbers, cursor = self.world.state.numbers[:], self.world.log.cursors[0]
        numbers[CURSOR], numbers[SEQUENCE_LAG] = cursor.number, cursor.sequence_lag
        return numbers

    def both(self, real, model):
        """Do the same in both, perhaps until the power fails in the midst of it."""
        at = self.dice.choice((0,) * 30 + (1, 2, 3))
        self.world.cut_at = self.model.cut_at = at
        failed = []
        for act in (real, model):
            try:
                act()
            except Cut:
                failed.append(act)
        self.world.cut_at = self.model.cut_at = 0
        assert len(failed) in (0, 2)
        if failed:
            self.start()

    def start(self):
        self.world.start()
        self.model.start()

    def event(self):
        """One event."""
        world, model, dice = self.world, self.model, self.dice
        chance = dice.random()
        if chance < 0.02:
            self.start()
        elif chance < 0.06:
            world.mood = dice.choice((WELL, WELL, REFUSES, SILENT))
        elif chance < 0.08 and len(world.kinds) < 40:
            world.kinds += (dice.choice((GOOD, GOOD, REFUSED)),)
            model.end += 1
        elif chance < 0.09:  # what it refused it takes now, or the other way round
            at = dice.randrange(len(world.kinds))
            world.kinds = (*world.kinds[:at], dice.choice((GOOD, GOOD, REFUSED)), *world.kinds[at + 1 :])
        elif chance < 0.10:
            for number in list(model.kept().values())[:1]:
                if number not in model.retries:
                    assert (world.policy.offer_on_order(number, False) == 0) == model.offer_on_order(number)
        elif chance < 0.11:
            self.both(world.policy.drop_first, model.drop_first)
        elif not world.connected:
            named = 0 if chance < 0.13 else world.named()
            named = max(0, named - self.dice.choice((1, 2, 5))) if 0.13 <= chance < 0.16 else named  # or set back
            self.both(lambda: world.connect(named), lambda: model.resume(named))
        else:
            self.step(chance)

    def step(self, chance):
        """What goes out next, and what becomes of it."""
        world, model, policy = self.world, self.model, self.world.policy
        code = policy.next(world.now)
        assert code == model.next()
        if code == pol.WRITE:
            assert policy.pending_write == model.pending_write
            self.both(lambda: policy.write(world.now), model.write)
        elif code == pol.SEND:
            assert (policy.number, policy.sequence) == (model.number, model.sequence)
            taken = world.answer()
            if taken is None or chance < 0.2:
                proven = self.dice.random() < 0.5
                world.connected = False
                policy.silent(world.now, proven)
                model.silent(proven)
            elif taken:
                policy.accepted(world.now)
                model.accepted()
            else:
                policy.refused(17, world.now)
                model.refused()


def run_lives(monkeypatch, seeds):
    monkeypatch.setattr(lookahead, "REACH", REACH)
    monkeypatch.setattr(pol, "PATIENCE", PATIENCE)
    monkeypatch.setattr(lookahead.Lookahead, "is_proven", lambda *_: False)
    done = set()
    for seed in seeds:
        pair = Comparison(random.Random(seed))
        try:
            for _ in range(EVENTS):
                pair.event()
                done.add(pair.model.phase)
                pair.compare()
        except AssertionError as error:
            raise AssertionError("seed %d: %s" % (seed, error)) from None
    return done


def test_the_model_and_the_policy_do_the_same(monkeypatch):
    assert run_lives(monkeypatch, range(LIVES)) == set(range(6)), "everything that can be done was done"
