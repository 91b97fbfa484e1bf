"""Every order of events in small worlds, on the real recovery: what a controller has is stored, once, and never stuck.

A world is a controller that makes a few results and keeps fewer, may be reset, lose its oldest, pass over IDs of
others, and a connection and an agent that may be cut anywhere. All its states are visited; at each one the world is let
run to its end, and the judge looks. Two rules of the policy are broken once to see that the judge would find it.
"""

import os
from collections import deque
from contextlib import contextmanager
from random import Random

import pytest

from toolcart.agent.openprotocol import (
    error_codes,
    id_continuity,
    id_ledger,
    id_ownership,
    look_conclusion,
    range_fetch,
)
from toolcart.agent.openprotocol import recovery as rc
from toolcart.agent.openprotocol.count_check import CountCheck
from toolcart.agent.openprotocol.ended_count import EndedCountSearch
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.openprotocol.id_walk import Walk
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.openprotocol.recovery_phases import (
    OUTCOME_STORE,
    PHASE_COMMIT,
    PHASE_COMPARE,
    PHASE_NEARBY,
    PHASE_NO_ID,
    PHASE_UPWARD,
    PHASE_WALK,
    PHASE_WITNESS,
    STEP_MAY_BE_THERE,
)
from toolcart.agent.record.result import FLAG_UNPROVEN
from host_tests.portable import LONG
from host_tests.support.recovery import Bench, Memory

MOST_STATES = int(os.environ.get("TOOLCART_MODEL_STATES", "10000" if LONG else "250"))
BROKEN_STATES = 6000  # within so many the judge has to see it
LIVES = 250 if LONG else 8
RUN = 4  # so many in a row that are gone end a walk here
REFUSALS = 40  # of questions in a row, while a controller answers none
ASK_AROUND = (PHASE_WITNESS, PHASE_NEARBY, PHASE_COMPARE, PHASE_WALK, PHASE_UPWARD, PHASE_COMMIT)
PARTS = ("request", "observed", "push_run", "gap_fill", "ownership", "revisions", "contradictions")  # of a recovery
PLAIN = {int, bool, str, bytes, tuple, type(None)}
PART = ...  # in the place of an object, which is frozen on its own or always the same


class Bad(Exception):
    """The promise is broken."""


class Made(Memory):
    """A controller whose results are the same objects in every world in which they are the same."""

    results = {}

    def result(self, uid, ident, key):
        return self.results.setdefault((uid, ident), Memory.result(self, uid, ident, key))

    def tear(self, says):
        """The result made last can be read as it is pushed; of its answer the ID alone, and what its frame `says`."""
        torn = self.produced[-1]
        torn = self.results.get((torn.uid, torn.ident, says)) or Memory.result(self, torn.uid, torn.ident, torn.key)
        torn.frame = b"%06d" % torn.key if says else b""
        self.results[torn.uid, torn.ident, says] = self.produced[-1] = self.kept[-1] = torn
        return torn


class World:
    """One controller and one agent, with what may happen to them yet."""

    def __init__(self, results=5, memory=2, log=6, losses=3, **options):
        self.bench = Bench(Made(options.pop("first", 1), memory, options.pop("fixed", None)), limit=log)
        self.left = {
            "make": results,
            "loss": losses,
            "reset": options.pop("resets", 0),
            "drop": options.pop("drops", 0),
            "other": options.pop("others", 0),
            "kill": options.pop("kills", 0),
            "refuse": options.pop("refusals", 0),
            "trouble": options.pop("troubles", 0),
        }
        self.lags = options.pop("lags", False)
        self.torn = options.pop("torn", 0)  # how many answers can be read by their IDs alone
        self.says = options.pop("says", True)  # they name the torque all the same
        self.left["tear"] = self.torn
        self.resets = self.left["reset"]
        self.queues = options.pop(
            "queues", 0
        )  # of the results made while no one is there so many are kept, and pushed to the next one
        self.knows_zero = options.pop("knows_zero", True)
        self.connected = False
        self.pushed = []  # on the way to the agent
        self.unacknowledged = None
        self.met = -1  # results up to this uid were made before the controller was met
        self.uids = set()
        self.questions = 0
        for _ in range(options.pop("before", 0)):
            self.bench.memory.make()
        assert not options, options

    # -- a state as a value ------------------------------------------------------------------------------------

    def value(self):
        """All that tells this state from another one; what is of no more use is left out."""
        bench = self.bench
        recovery = bench.recovery
        state = bench.state
        ledger, run, observed, request = bench.ledger, recovery.push_run, recovery.observed, recovery.request
        state.saves = ledger.not_saved = bench.stored_twice = 0
        lost = min(bench.log.first() - 1, 1)  # how many the log has lost is of no matter
        for name in ("doubted", "run"):
            if getattr(ledger, name):
                setattr(ledger, name, max(getattr(ledger, name) - bench.log.first() + 1 + lost, 1))
        state.numbers[:] = state.durable_numbers = [0] * len(state.numbers)
        recovery.answer[:] = bytes(16)
        recovery.ask_id[:] = bytes(10)
        if not self.connected:
            ledger.last_push[:] = bytes(16)
            ledger.last_id = -1
        if run.last < 0:
            run.first[:] = bytes(16)
            ledger.run = 0
        if recovery.phase not in ASK_AROUND:
            observed.top[:] = bytes(16)
            observed.first = observed.upto = request.asked = 0
            observed.starts_over = observed.is_reset = False
        if recovery.phase != PHASE_WALK and recovery.walk is not None:
            vars(recovery.walk.search).clear()
        return (
            tuple(self.left.values()),
            self.connected,
            tuple(self.pushed),
            self.unacknowledged,
            self.met,
            frozenset(self.uids),
            bench.memory.next_id,
            tuple(bench.memory.produced),
            tuple(bench.memory.kept),
            tuple(bench.raw),
            tuple(bench.log.records),
            min(bench.log.number - state.covers, len(bench.log.records)),
            lost,
            state.refuses,
            bytes(state.octets),
            bytes(state.durable_octets),
            _frozen(bench.ledger),
            _frozen(recovery),
            tuple([_frozen(vars(recovery)[name]) for name in PARTS]),
            _frozen_walk(recovery.walk),
            _frozen_check(recovery.check),
        )

    def become(self, value):
        """Turn to this state."""
        left, self.connected, pushed, self.unacknowledged, self.met, uids = value[:6]
        next_id, made, kept, raw, records, behind, lost, refuses, octets, durable = value[6:16]
        for name, count in zip(self.left, left, strict=True):
            self.left[name] = count
        bench = self.bench
        self.pushed = list(pushed)
        self.uids = set(uids)
        bench.memory.next_id = next_id
        bench.memory.produced = list(made)
        bench.memory.kept = list(kept)
        bench.raw = list(raw)
        bench.log.records = list(records)
        bench.log.number = lost + len(records)
        bench.state.covers = bench.log.number - behind
        bench.state.refuses = refuses
        bench.state.octets[:] = octets
        bench.state.durable_octets = durable
        bench.now = 0
        self.questions = 0
        _thaw(bench.ledger, value[16])
        _thaw(bench.recovery, value[17])
        for name, part in zip(PARTS, value[18], strict=True):
            _thaw(vars(bench.recovery)[name], part)
        walk, check = value[19:21]
        bench.recovery.walk = None if walk is None else _walking(*walk)
        bench.recovery.check = None if check is None else _checking(*check)
        for timer in (bench.recovery.retry, bench.recovery._looked):
            timer.stop()  # time is of no matter here: each pause is over when something is asked
        return self

    # -- what may happen ---------------------------------------------------------------------------------------

    def choices(self):
        left = self.left
        bench = self.bench
        memory = bench.memory
        options = [name for name in ("other", "reset") if left[name] and (name == "other" or memory.produced)]
        if left["drop"] and memory.kept:
            options.append("drop")
        if left["make"] and (len(self.pushed) < max(2, self.queues) or (self.queues and not self.connected)):
            options.append("make")
            if left["tear"]:
                options.append("tear")
        if left["kill"]:
            options.append("kill")
        if left["refuse"] and not bench.state.refuses:
            options.append("refuse")
        if not self.connected:
            if left["loss"]:
                options.append("connect")
                if self.unacknowledged:
                    options.append("connect again")
            return options
        if left["loss"]:
            options.append("loss")
        if self.pushed:
            options.append("push")
            if left["loss"]:
                options.append("push unheard")
        if (self.lags or not self.pushed) and bench.recovery.seeks():
            options.append("ask")
            if left["trouble"]:
                options.append("trouble")
        return options

    def do(self, name):
        left = self.left
        bench = self.bench
        if name in left:
            left[name] -= 1
        if name == "make" or name == "tear":
            left["make"] -= name == "tear"
            made = bench.memory.make()
            if name == "tear":
                made = bench.memory.tear(self.says)
            if self.connected or len(self.pushed) < self.queues:
                self.pushed.append(made)
        elif name == "other":
            bench.memory.next_id += 1
        elif name == "reset":
            bench.memory.reset()
        elif name == "drop":
            bench.memory.kept.pop(0)
        elif name == "refuse":
            bench.state.refuses = 1
        elif name == "kill":
            self._lose()
            bench.start()
        elif name == "loss":
            self._lose()
            bench.close()
        elif name == "connect" or name == "connect again":
            self._connect(name == "connect again")
        elif name == "ask":
            self.ask()
        elif name == "trouble":
            for _ in range(REFUSALS):
                if bench.ask() >= 0:
                    bench.refuse(error_codes.REJECTED_LATER)
        else:
            self._take(self.pushed.pop(0))
            if name == "push unheard":
                left["loss"] -= 1
                self.pushed.insert(0, bench.log.records[-1][2])
                self._lose()
                bench.close()

    def _connect(self, repeats):
        self.connected = True
        if repeats and self.unacknowledged and not self.queues:
            self.pushed = [self.unacknowledged]
        self.unacknowledged = None
        self.bench.open()

    def _lose(self):
        self.connected = False
        if self.pushed:
            self.unacknowledged = self.pushed[0]
        if not self.queues:
            self.pushed = []

    def _take(self, result):
        bench = self.bench
        held = any(one[2] is result for one in bench.log.records)
        bench.stored_twice = 0
        if bench.push(result):
            if result.uid in self.uids and not bench.stored_twice:
                raise Bad("stored twice, not said")
            self._stored(result, held)
        elif not held:
            raise Bad("taken for another")

    def _stored(self, result, held):
        if held:
            raise Bad("twice though the log has it")
        self.uids.add(result.uid)
        if self.met < 0:
            self.met = result.uid - 1

    def ask(self):
        """One question and its answer; False if there is none."""
        bench = self.bench
        number = bench.ask()
        if self.met < 0 and (bench.ledger.is_met() or bench.ledger.is_empty()):
            self.met = len(bench.memory.produced)  # what was concluded before is written down now
        if number < 0:
            return False
        self.questions += 1
        found = bench.memory.find(number) if number or self.knows_zero else None
        count = bench.log.number
        held = [one[2] for one in bench.log.records]
        kept = len(bench.raw)
        bench.answer(found)
        if self.met < 0 and (bench.ledger.is_met() or bench.ledger.is_empty()):
            self.met = len(bench.memory.produced)
        if bench.log.number > count:
            if found.uid in self.uids and not bench.stored_twice:
                raise Bad("stored twice, not said")
            self._stored(found, found in held)
        elif len(bench.raw) > kept:
            if found.uid in self.uids and not bench.stored_twice:
                raise Bad("kept, though it was stored, and not said")
            self._stored(found, False)
        elif (
            found is not None
            and bench.outcomes[-1] == OUTCOME_STORE
            and found not in held
            and found.uid not in bench.raw
        ):
            raise Bad("not stored")
        bench.outcomes = []
        bench.stored_twice = 0
        return True

    # -- the judge ---------------------------------------------------------------------------------------------

    def finish(self):
        """Nothing happens any more: all that is pushed is taken, all that is asked is answered."""
        bench = self.bench
        bench.state.refuses = 0
        if not self.connected:
            self._connect(True)
        if not self.knows_zero:  # what such a one has is found by the next push at the latest
            self.pushed.append(bench.memory.make())
        missing = missing_most(bench.ledger)
        most = (2 if self.knows_zero else 4) * RUN + 3 * len(bench.memory.produced) + 4 * RUN + missing + 8
        while self.pushed or bench.recovery.seeks():
            if self.pushed:
                self._take(self.pushed.pop(0))
            else:
                self.ask()
            if self.questions > most:
                raise Bad("never done")
        for result in bench.memory.kept:
            waits = bench.memory.find(result.ident) is result and result.ident
            if waits and 0 <= self.met < result.uid and result.uid not in self.uids:
                raise Bad("held, not stored")
        is_nothing_known = bench.recovery.phase == PHASE_NO_ID and bench.ledger.has_unnamed()
        if bench.recovery.flags and not is_nothing_known:  # ID 0 was pushed, and the memory was emptied
            raise Bad("never proven")
        if self.torn and self.left["reset"] == self.resets and bench.ledger.epoch():
            raise Bad("a new count that is none")


def _frozen_walk(walk):
    """What a walk has found, and where it is."""
    if walk is None:
        return None
    ended = None if walk.ended is None else tuple(sorted(vars(walk.ended).items()))
    return tuple(sorted(vars(walk.search).items())), bytes(walk.lowest), walk.is_over, ended


def _walking(search, lowest, is_over, ended):
    """Return that walk again."""
    walk = Walk()
    vars(walk.search).update(search)
    walk.lowest[:] = lowest
    walk.is_over = is_over
    if ended is not None:
        walk.ended = EndedCountSearch.__new__(EndedCountSearch)
        vars(walk.ended).update(ended)
    return walk


def _frozen_check(check):
    """What the check of a count has to ask yet and was shown."""
    if check is None:
        return None
    stored = tuple([(record, number, bytes(digest), flags) for record, number, digest, flags in check._stored])
    return stored, check._goes_on, check._began_again


def _checking(stored, goes_on, began_again):
    """Return that check again."""
    check = CountCheck.__new__(CountCheck)
    check._stored = list(stored)
    check._goes_on, check._began_again = goes_on, began_again
    return check


def _frozen(thing):
    """All of an object that is plain, in the order of its attributes, which are always the same."""
    return tuple([value if type(value) in PLAIN else _frozen_value(value) for value in vars(thing).values()])


def _frozen_value(value):
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, list):
        return tuple([tuple(one) if isinstance(one, list) else one for one in value])
    return PART


def _thaw(thing, frozen):
    attributes = vars(thing)
    for (name, old), value in zip(attributes.items(), frozen, strict=True):
        if value is old or value is PART:
            continue
        if isinstance(old, bytearray):
            old[:] = value
        elif isinstance(old, list):
            old[:] = [list(one) if isinstance(one, tuple) else one for one in value]
        else:
            attributes[name] = value


def explore(most=MOST_STATES, **options):
    """Visit all states, nearest first; returns how many, and what went wrong by which way."""
    world = World(**options)
    begin = world.value()
    came = {begin: None}
    waiting = deque([begin])
    while waiting:
        value = waiting.popleft()
        name = "the end"
        try:
            choices = world.become(value).choices()
            world.finish()
            for name in choices:
                world.become(value).do(name)
                after = world.value()
                if after not in came and len(came) < most:
                    came[after] = (value, name)
                    waiting.append(after)
        except Bad as error:
            return len(came), "%s: %s" % (error, ", ".join(_way(came, value) + [name]))
    return len(came), ""


def _way(came, value):
    way = []
    while came[value]:
        value, name = came[value]
        way.append(name)
    return way[::-1]


@contextmanager
def short_walks(run=RUN):
    """Walks end after `run` IDs that are gone."""
    before, id_ownership.GONE_OWN = id_ownership.GONE_OWN, run
    try:
        yield
    finally:
        id_ownership.GONE_OWN = before


def explored(run=RUN, **options):
    """Visit all states, with walks that end after `run` IDs that are gone."""
    with short_walks(run):
        return explore(**options)


# What is so in every state, the worlds that it is looked at in, and whether they take long.
CLEAN = (
    ("all is stored once whatever is reset and lost", False, {"resets": 2}, {"resets": 2, "memory": 3, "drops": 2}),
    ("pushes and questions may cross", True, {"resets": 1, "lags": True}),
    (
        "a queue pushed to the next connection loses nothing",
        False,
        {"memory": 5, "queues": 3, "log": 3},
        {"resets": 1, "memory": 4, "queues": 2, "log": 3, "lags": True},
        {"resets": 1, "memory": 3, "queues": 1, "kills": 1},
    ),
    (
        "power cuts and snapshots that are refused lose nothing",
        False,
        {"resets": 1, "kills": 1},
        {"results": 4, "resets": 1, "kills": 1, "refusals": 1, "lags": True},
    ),
    (
        "a log that has turned over loses nothing of the controller's",
        True,
        {"results": 6, "losses": 4, "memory": 3, "log": 3, "drops": 1},
        {"results": 6, "memory": 3, "log": 4, "resets": 1},
    ),
    (
        "others' IDs hide nothing in short runs",
        True,
        {"others": 2},
        {"results": 4, "losses": 2, "resets": 1, "others": 2},
    ),
    ("refusals that pass close nothing", True, {"resets": 1, "troubles": 1}),
    (
        "the wrap is an ordinary range",
        False,
        {"memory": 3, "first": 4294967293, "before": 1},
        {"memory": 3, "first": 4294967293, "before": 1, "resets": 1},
    ),
    ("IDs that stand still lose nothing", True, {"memory": 3, "fixed": 7}, {"knows_zero": False}),
    ("what was made before the first meeting is not asked for", True, {"results": 5, "before": 2, "resets": 1}),
)
TORN = (
    ("answers of which only the ID can be read hide nothing", False, {"resets": 1, "torn": 2, "says": False}),
    ("answers that can be told by their torque hide nothing", True, {"resets": 1, "torn": 2}, {"kills": 1, "torn": 3}),
)
MANY = pytest.mark.long("a model of many states")


@pytest.mark.parametrize(
    "worlds", [pytest.param(worlds, id=name, marks=MANY if is_long else ()) for name, is_long, *worlds in CLEAN + TORN]
)
def test_no_state_of_small_worlds_breaks_the_promise(worlds):
    for options in worlds:
        count, bad = explored(**options)
        assert bad == "" and count >= min(MOST_STATES, 1000), (options, bad)


# -- the policy, broken in one place each: the judge has to see it --------------------------------------------------


def by_id_alone(same):
    return lambda one, other: bytes(one[:5]) == bytes(other[:5])


def as_if_proven(stored):
    return lambda self, flags, *rest: stored(self, flags & ~FLAG_UNPROVEN, *rest)


def without_a_witness(compare):
    def without(recovery, now):
        outcome = compare(recovery, now)
        if recovery.phase == PHASE_WITNESS:
            recovery.observed.first = recovery.request.asked + 1
            return look_conclusion.conclude_look(recovery, now)
        return outcome

    return without


def range_behind_the_highest(commit):
    def in_two(self):
        whole = bytes(self.octets)
        self.octets[16:36] = bytes(20)
        saved = self.state.save()
        self.octets[:] = whole
        return saved

    return in_two


def given_up_at_once(again):
    def at_once(self, now):
        if self.phase == PHASE_WALK:
            return STEP_MAY_BE_THERE
        return again(self, now)

    return at_once


def nothing_in_doubt(doubt):
    return lambda self, record=1: None


def always(state):
    return lambda self: True


LOST = "held, not stored"
BROKEN = (
    (IdLedger, "_stored_elsewhere", as_if_proven, LOST, {"resets": 1}),
    (id_continuity, "compare_newest", without_a_witness, LOST, {"resets": 1}),
    (id_ledger, "same", by_id_alone, LOST, {"resets": 1}),
    (IdLedger, "commit", range_behind_the_highest, LOST, {"kills": 1}),
    (rc.Recovery, "ask_again_later", given_up_at_once, LOST, {"resets": 1, "troubles": 1}),
    (range_fetch, "same", by_id_alone, LOST, {"resets": 1, "queues": 1, "memory": 4}),  # of a run, by its first
    (CountCheck, "goes_on", always, LOST, {"resets": 1, "torn": 2, "says": False}),
    (CountCheck, "began_again", always, "a new count that is none", {"torn": 2, "says": False}),
    (IdLedger, "doubt", nothing_in_doubt, "stored twice, not said", {"log": 2, "results": 4, "memory": 4, "queues": 3}),
)


@pytest.mark.parametrize(("owner", "name", "by", "bad", "options"), BROKEN)
def test_policy_broken_in_one_place_breaks_the_promise(monkeypatch, owner, name, by, bad, options):
    monkeypatch.setattr(owner, name, by(getattr(owner, name)))
    assert bad in explored(most=BROKEN_STATES, **options)[1]


def test_walk_that_ends_too_soon_loses_results_after_others():
    assert LOST in explored(1, most=BROKEN_STATES, results=4, others=2)[1]


# -- long lives -----------------------------------------------------------------------------------------------------


def life(seed, **options):
    """A long random life; the judge looks at its end, and at each connection's questions."""
    dice = Random(seed)
    world = World(results=10**6, memory=dice.choice((5, 20, 60)), log=10**6, losses=10**6, **options)
    memory = world.bench.memory
    for _ in range(400):
        chance = dice.random()
        if not world.connected:
            for _ in range(dice.choice((0, 0, 1, 3, 10, 50))):
                memory.make()
            if chance < 0.05:
                memory.reset(dice.choice((1, memory.next_id - 3 if memory.next_id > 3 else 1)))
            world.do(dice.choice([one for one in world.choices() if one.startswith("connect")]))
        elif chance < 0.1:
            world.do(dice.choice(("loss", "kill")))
        elif chance < 0.12:
            memory.next_id += dice.randrange(RUN)
        elif chance < 0.13:
            world.do("refuse")
        elif chance < 0.14:
            memory.reset()
        elif chance < 0.4:
            world.do("make")
        else:
            choices = [one for one in world.choices() if one in ("ask", "push", "push unheard")]
            if choices:
                world.do(dice.choice(choices))
    world.finish()
    return len(world.uids)


def test_long_random_lives_lose_nothing():
    stored = 0
    with short_walks():
        for seed in range(LIVES):
            try:
                stored += life(seed, lags=seed % 2 == 0, kills=10**6, refusals=10**6)
            except Bad as error:
                raise AssertionError("seed %d: %s" % (seed, error)) from error
    assert stored > 20 * LIVES
