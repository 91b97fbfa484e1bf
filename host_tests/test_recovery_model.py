"""Every order of events in small worlds, on the real recovery: what a controller has is stored, once, and never stuck.

A world is a controller that makes a few results and keeps fewer, may be reset, lose its oldest, pass over IDs of
others, and a connection and an agent that may be cut anywhere. All its states are visited; at each one the world is let
run to its end, and the judge looks. Two rules of the policy are broken once to see that the judge would find it.
"""

import os
from collections import deque

from agent.openprotocol import recovery as rc
from agent.openprotocol.questions import NEWS_STORE
from host_tests.support_recovery import Bench, Memory

MOST_STATES = int(os.environ.get("TOOLCART_MODEL_STATES", "6000"))
RUN = 3  # so many in a row that are gone end a walk here
PLAIN = (int, bool, str, bytes, tuple, type(None))


class Bad(Exception):
    """The promise is broken."""


class World:
    """One controller and one agent, with what may happen to them yet."""

    def __init__(
        self, results=5, memory=2, log=6, losses=3, resets=0, drops=0, others=0, kills=0, refusals=0, **options
    ):
        self.bench = Bench(Memory(options.pop("first", 1), memory, options.pop("fixed", None)), limit=log)
        self.left = {
            "make": results,
            "loss": losses,
            "reset": options.pop("resets", 0),
            "drop": options.pop("drops", 0),
            "other": options.pop("others", 0),
            "kill": options.pop("kills", 0),
            "refuse": options.pop("refusals", 0),
        }
        self.lags = options.pop("lags", False)
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
        bench = self.bench
        return (
            tuple(self.left.values()),
            self.connected,
            tuple(self.pushed),
            self.unacknowledged,
            self.met,
            frozenset(self.uids),
            bench.memory.next_id,
            tuple(bench.memory.made),
            tuple(bench.memory.kept),
            tuple(bench.log.records),
            bench.log.number,
            _frozen(bench.state),
            _frozen(bench.known),
            _frozen(bench.recovery),
            _frozen(bench.recovery._walk),
        )

    def become(self, value):
        left, self.connected, pushed, self.unacknowledged, self.met, uids, next_id, made, kept, records, number = value[
            :11
        ]
        for name, count in zip(self.left, left, strict=True):
            self.left[name] = count
        bench = self.bench
        self.pushed = list(pushed)
        self.uids = set(uids)
        bench.memory.next_id = next_id
        bench.memory.made = list(made)
        bench.memory.kept = list(kept)
        bench.log.records = list(records)
        bench.log.number = number
        bench.now = 0
        self.questions = 0
        for thing, frozen in zip((bench.state, bench.known, bench.recovery), value[11:14], strict=True):
            _thaw(thing, frozen)
        vars(bench.recovery._walk).clear()
        vars(bench.recovery._walk).update(value[-1])
        for timer in (bench.recovery._retry, bench.recovery._looked):
            timer.stop()  # time is of no matter here: each pause is over when something is asked
        return self

    # -- what may happen ---------------------------------------------------------------------------------------

    def choices(self):
        left = self.left
        bench = self.bench
        memory = bench.memory
        found = [name for name in ("other", "reset") if left[name] and (name == "other" or memory.made)]
        if left["drop"] and memory.kept:
            found.append("drop")
        if left["make"] and len(self.pushed) < 2:
            found.append("make")
        if left["kill"]:
            found.append("kill")
        if left["refuse"] and not bench.state.refuses:
            found.append("refuse")
        if not self.connected:
            if left["loss"]:
                found.append("connect")
                if self.unacknowledged:
                    found.append("connect again")
            return found
        if left["loss"]:
            found.append("loss")
        if self.pushed:
            found.append("push")
            if left["loss"]:
                found.append("push unheard")
        if (self.lags or not self.pushed) and bench.recovery.seeks():
            found.append("ask")
        return found

    def do(self, name):
        left = self.left
        bench = self.bench
        if name in left:
            left[name] -= 1
        if name == "make":
            made = bench.memory.make()
            if self.connected:
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
        else:
            self._take(self.pushed.pop(0))
            if name == "push unheard":
                left["loss"] -= 1
                self.pushed.insert(0, bench.log.records[-1][2])
                self._lose()
                bench.close()

    def _connect(self, repeats):
        self.connected = True
        if repeats and self.unacknowledged:
            self.pushed = [self.unacknowledged]
        self.unacknowledged = None
        self.bench.open()

    def _lose(self):
        self.connected = False
        if self.pushed:
            self.unacknowledged = self.pushed[0]
        self.pushed = []

    def _take(self, result):
        held = any(one[2] is result for one in self.bench.log.records)
        if self.bench.push(result):
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
        if number < 0:
            return False
        self.questions += 1
        found = bench.memory.find(number) if number or self.knows_zero else None
        count = bench.log.number
        held = [one[2] for one in bench.log.records]
        bench.answer(found)
        if self.met < 0 and (bench.known.is_met() or bench.known.is_empty()):
            self.met = len(bench.memory.made)
        if bench.log.number > count:
            self._stored(found, found in held)
        elif found is not None and bench.news[-1] == NEWS_STORE and found not in held:
            raise Bad("not stored")
        bench.news = []
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
        missing = bench.known.missing()
        most = (2 if self.knows_zero else 4) * RUN + 3 * len(bench.memory.made) + 4 * RUN + missing + 8
        while self.pushed or bench.recovery.seeks():
            if self.pushed:
                self._take(self.pushed.pop(0))
            else:
                self.ask()
            if self.questions > most:
                raise Bad("never done")
        for result in bench.memory.kept:
            asked = bench.memory.find(result.ident) is result and result.ident
            if asked and 0 <= self.met < result.uid and result.uid not in self.uids:
                raise Bad("held, not stored")
        if bench.recovery.flags:
            raise Bad("never proven")


def _frozen(thing):
    """All of an object that is plain, by its names."""
    found = []
    for name, value in sorted(vars(thing).items()):
        if isinstance(value, (bytearray, bytes)):
            found.append((name, bytes(value)))
        elif isinstance(value, list):
            found.append((name, tuple([tuple(one) if isinstance(one, list) else one for one in value])))
        elif isinstance(value, PLAIN):
            found.append((name, value))
    return tuple(found)


def _thaw(thing, frozen):
    for name, value in frozen:
        old = getattr(thing, name)
        if isinstance(old, bytearray):
            old[:] = value
        elif isinstance(old, list):
            old[:] = [list(one) if isinstance(one, tuple) else one for one in value]
        else:
            setattr(thing, name, value)


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
            world.become(value).finish()
            choices = world.become(value).choices()
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


def clean(**options):
    before = rc.GONE_OWN
    rc.GONE_OWN = RUN
    try:
        count, bad = explore(**options)
    finally:
        rc.GONE_OWN = before
    assert bad == "", bad
    return count


def test_all_is_stored_once_whatever_is_reset_and_lost():
    assert clean(results=5, losses=3, resets=2) > 2000
