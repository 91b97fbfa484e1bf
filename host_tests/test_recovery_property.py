"""Recovery against a controller written from DIGEST D.6 alone: what it holds and is ours comes, once, and it ends.

Whatever the order of results, pushes, questions, refusals, silences, connections, switches off and resets:
1. What the controller still holds at the end, and made since it was met, is stored, and nothing is stored twice.
2. What was pushed is not asked for, but for the highest ID known before a connection: that one proves that the IDs mean
   what they meant (agent.openprotocol.recovery, rule 1). If it is gone, what else there is has to tell.
3. Only 15 means gone: after other refusals and silence an ID is asked for again.
4. It comes to rest: in the end nothing is wanted, and another connection costs two questions.
5. A start from the flash knows what is known at any moment.

Left out is what nothing on the wire could tell (host_tests/support_recovery_model.py): an ID 0 that was not pushed, and
a reset before the controller was heard to the end about the one before.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.openprotocol.ids import ID_PERIOD, is_ahead
from agent.store import KEPT, KEPT_BEFORE
from host_tests.support_recovery_model import Result, Tank
from tools.sim.flash import SimFlash

LONG = os.environ.get("TOOLCART_LONG") == "1"
WALK_GONE = 100  # D.6: so many IDs in a row that are gone end a way back
QUIET = 3  # times that nothing is wanted, each after the time of a repeat: then nothing is
SOME = st.integers(1, 5)
TRANSIENT = st.sampled_from((1, 16, 79, 98))  # DIGEST D.6: any other code leaves the ID open


class Controller:
    """DIGEST D.6: 0064 with 0 is the newest, with an ID that one; 0004/15 where it has none, 97 or 76 for revisions."""

    def __init__(self, next_id, holds, knows_zero, revision, refusal):
        self.next_id = next_id
        self.holds = holds  # so many results, the oldest goes
        self.knows_zero = knows_zero
        self.revision = revision  # of MID 0065 that it can
        self.refusal = refusal  # code for any other
        self.made = []
        self.memory = []
        self.now_s = 0

    def make(self):
        self.now_s += 1
        one = Result(len(self.made) + 1, self.next_id, self.now_s)
        self.next_id = (self.next_id + 1) % ID_PERIOD
        self.made.append(one)
        self.memory = [*self.memory, one][-self.holds :]
        return one

    def skip(self, count):
        """IDs that other spindles have got."""
        self.next_id = (self.next_id + count) % ID_PERIOD

    def reset(self):
        self.memory = []
        self.next_id = 1
        self.now_s += 2

    def find(self, number):
        if number == 0:
            return self.memory[-1] if self.memory and self.knows_zero else None
        return next((one for one in self.memory if one.ident == number), None)


class Recovers(RuleBasedStateMachine):
    """A controller, its line and the agent's half; every rule is something that may happen."""

    @initialize(
        first_id=st.sampled_from((1, 1, 4000, ID_PERIOD - 12, ID_PERIOD - 3)),
        holds=st.sampled_from((4, 30, 5000)),
        before=st.integers(0, 3),
        knows_zero=st.sampled_from((True, True, True, False)),
        revision=st.sampled_from((2, 1)),
        refusal=st.sampled_from((97, 76)),
    )
    def meet(self, first_id, holds, before, knows_zero, revision, refusal):
        if first_id != 1:  # met empty just before the wrap cannot be told from one that counts from 1
            before += 1
            knows_zero = True
        self.controller = Controller(first_id, holds, knows_zero, revision, refusal)
        for _ in range(before):
            self.controller.make()
        self.tank = Tank(SimFlash(60, 1024, 16))
        self.connected = False
        self.queue = []  # pushed, not acknowledged
        self.acknowledged = []
        self.stored_ids = set()  # pushed and kept since the IDs began to mean what they mean
        self.highest = None  # the highest ID that was stored
        self.named = set()  # all that the controller has named as its newest
        self.witnesses = set()  # the agent knows one of these as the highest, as far as it could write that down
        self.connections = 0
        self.moved = self.skipped = 0
        self.jumped = False
        self.resets = 0
        self._connect()
        self._rest()
        self.met = len(self.controller.made)

    # -- what happens --------------------------------------------------------------------------------------------

    @rule(count=SOME)
    def make(self, count):
        self.skipped = 0
        for _ in range(count):
            one = self.controller.make()
            if self.connected:
                self.queue.append(one)

    @rule(count=SOME, questions=st.integers(0, 6))
    def miss(self, count, questions):
        """Results that nobody hears, and some of the answers that follow."""
        self._lose(False)
        self.make(count)
        self._connect()
        for _ in range(questions):
            self._exchange(self._answer)

    @precondition(lambda self: self.skipped < WALK_GONE // 2)
    @rule(count=st.sampled_from((1, 2, 7, 30)))
    def skip(self, count):
        self.skipped += count
        self.moved += count
        self.controller.skip(count)

    @precondition(lambda self: not self.jumped and self.controller.knows_zero)
    @rule(count=st.integers(501, 900))
    def jump(self, count):
        """Far: where so many are missing, a hundred that are gone end the way back, so nothing may be left below."""
        self._connect()
        self._rest()
        self._lose(False)
        self.jumped = True
        self.moved += 1000
        self.controller.skip(count)
        self.controller.make()

    @precondition(lambda self: self.connected and self.queue)
    @rule(arrives=st.booleans())
    def push(self, arrives):
        self._push(arrives)

    @precondition(lambda self: self.connected)
    @rule(count=SOME)
    def answer(self, count):
        for _ in range(count):
            self._exchange(self._answer)

    @precondition(lambda self: self.connected)
    @rule(code=TRANSIENT)
    def refuse(self, code):
        self._exchange(lambda number: self.tank.refuse(code))

    @precondition(lambda self: self.connected)
    @rule(waits=st.booleans())
    def say_nothing(self, waits):
        self._exchange(lambda number: self.tank.silent())
        if waits:
            self.tank.wait()

    @precondition(lambda self: self.connected)
    @rule()
    def push_while_the_answer_is_on_its_way(self):
        def answer(number):
            if self.queue:
                self._push(True)
            self._answer(number)

        self._exchange(answer)

    @rule(again=st.booleans())
    def close(self, again):
        self._lose(again)

    @precondition(lambda self: not self.connected)
    @rule()
    def open(self):
        self._connect()

    @rule(again=st.booleans())
    def switch_off_and_on(self, again):
        self._lose(again)
        self.tank.start()

    @precondition(lambda self: self.resets < 2 and self.controller.knows_zero)
    @rule(made=st.integers(1, 12))
    def reset(self, made):
        self._connect()
        self._rest()
        self._lose(False)
        self.controller.reset()
        self.stored_ids = set()
        self.highest = None
        self.named = set()
        self.resets += 1
        for _ in range(made):
            self.controller.make()
        self._connect()
        self._rest()

    @invariant()
    def the_flash_knows_all_that_is_known(self):
        if hasattr(self, "tank"):
            self.tank.check_memory()

    def teardown(self):
        if not hasattr(self, "met"):
            return
        self._connect()
        self._rest()
        self.queue.append(self.controller.make())  # a last push shows what stands above the rest
        self._push(True)
        self._rest()
        self._judge()
        self._lose(False)
        self._connect()
        before = len(self.tank.asked)
        self._rest()
        assert len(self.tank.asked) - before <= 2, "it asks for what is known"
        self._judge()

    # -- how it happens ------------------------------------------------------------------------------------------

    def _connect(self):
        if not self.connected:
            self.connected = True
            self.connections += 1
            self.witnesses = {self.highest, *self.named}
            self.tank.connect()

    def _lose(self, again):
        """The connection ends; the controller may push again later what was not acknowledged."""
        self.tank.lose()
        self.connected = False
        if not again:
            self.queue = []

    def _push(self, arrives):
        one = self.queue[0]
        kept = self.tank.push(one)
        if kept == KEPT or kept == KEPT_BEFORE:
            self.acknowledged.append(one.uid)
            self.stored_ids.add(one.ident)
            self.highest = _higher(one.ident, self.highest)
            if arrives:
                self.queue.pop(0)

    def _exchange(self, answer):
        """One question and what becomes of it; whether anything was asked."""
        number = self.tank.ask()
        if number < 0:
            return False
        if (
            number and number not in self.witnesses and not self.jumped
        ):  # a way back passes by what was pushed meanwhile
            assert number not in self.stored_ids, f"{number} was pushed"
        answer(number)
        return True

    def _answer(self, number):
        controller = self.controller
        if self.tank.recovery.revision() != controller.revision:
            self.tank.refuse(controller.refusal)
            return
        one = controller.find(number)
        if one is None:
            if number in self.witnesses:
                self.stored_ids = set()  # gone, or it counts anew: all that it has is looked at
            self.tank.refuse(15)
        else:
            self.tank.answer(one, controller.revision)
            if number == 0:
                self.named.add(one.ident)
            else:
                self.highest = _higher(one.ident, self.highest)

    def _rest(self):
        """Push and answer until nothing more is wanted."""
        most = 300 + 3 * (len(self.controller.made) + self.moved) + 12 * self.connections + 250 * self.resets
        quiet = 0
        while quiet < QUIET:
            quiet += 1
            if self.queue:
                self._push(True)
                quiet = 0
            if self._exchange(self._answer):
                quiet = 0
            else:
                self.tank.wait()
            assert most > 0, "it asks for ever"
            most -= quiet == 0

    def _judge(self):
        stored = [uid for _, uid, _ in self.tank.stored()]
        assert len(stored) == len(set(stored)), "stored twice"
        owed = [one.uid for one in self.controller.memory if one.uid > self.met and one.ident != 0]
        assert not set(owed) - set(stored), "held by the controller, and not asked for"
        assert not set(self.acknowledged) - set(stored), "acknowledged, and not stored"
        fetched = [uid for flags, uid, _ in self.tank.stored() if flags]
        assert fetched == sorted(fetched), "fetched out of order"


def _higher(ident, other):
    return ident if other is None or is_ahead(ident, other) else other


TestRecovers = Recovers.TestCase
TestRecovers.settings = settings(derandomize=not LONG, max_examples=2000 if LONG else 120, stateful_step_count=40)
