"""What ToolsNet refuses, tried exhaustively on the real policy: nothing is lost or twice, none waits for ever.

Every order of power cuts (in front of every durable write), lost answers, moods of the server, refusals of the flash,
other people's saves and operators' wishes, for every mix of good and bad results, as far as the budgets go. From each
state all goes well from then on, and then everything has to find its way. The last part takes single rules away: each
has to be missed.
"""

import itertools

import pytest

from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.snapshot_fields import (
    SEND_LIMIT,
    SENT,
    SENT_LOOKAHEAD,
)
from toolcart.agent.outlets.toolsnet import lookahead
from toolcart.agent.outlets.toolsnet import policy as pol
from toolcart.agent.outlets.toolsnet.in_flight import InFlight
from toolcart.agent.outlets.toolsnet.lookahead import Lookahead
from toolcart.agent.outlets.toolsnet.reoffer import Reoffer
from toolcart.agent.outlets.toolsnet.resume_point import ResumePoint
from host_tests.agent.outlets import refusals as few
from host_tests.agent.outlets.refusals import (
    EVENT,
    FRAME,
    GOOD,
    MUTE,
    REFUSED,
    REFUSES,
    SILENT,
    WELL,
    World,
    explored,
)
from host_tests.portable import LONG


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Lookaheads and patience as short as the logs are."""
    monkeypatch.setattr(lookahead, "REACH", 2)
    monkeypatch.setattr(pol, "PATIENCE", 2)


def explore(logs, **world):
    """Explore each of these logs; returns (states, what broke)."""
    states, broken = 0, {}
    for kinds in logs:
        count, problems = explored(World(tuple(kinds), **world))
        states += count
        for what in problems:
            broken.setdefault(what, (kinds, problems[what]))
        if broken:
            break
    return states, broken


def mixes(length, kinds=(GOOD, REFUSED)):
    return list(itertools.product(kinds, repeat=length))


LONGER = 4 if LONG else 3
SHORTER = 3 if LONG else 2  # of what has most states
ROWS = {
    "the 08 names the last": (mixes(LONGER), {"toggles": 2, "cuts": 1, "lost": 1}),
    "the 08 names the highest": (mixes(LONGER), {"toggles": 2, "cuts": 1, "lost": 1, "highest": True}),
    "room for one": (mixes(LONGER), {"toggles": 2, "cuts": 1, "lost": 1, "room": 1}),
    "two cuts": (mixes(3), {"toggles": 1, "cuts": 2, "lost": 2}),
    "proven well": (mixes(LONGER), {"toggles": 2, "cuts": 1, "lost": 1, "proven": True}),
    "a server that says nothing": (mixes(3), {"toggles": LONGER - 1, "cuts": 1, "lost": 1, "moods": (REFUSES, SILENT)}),
    "one that answers all but results": (
        mixes(3),
        {"toggles": LONGER - 1, "cuts": 1, "lost": 1, "moods": (REFUSES, SILENT), "proves": (WELL, REFUSES, SILENT)},
    ),
    "results that make it silent": (mixes(3, (GOOD, REFUSED, MUTE)), {"toggles": 1, "cuts": 1, "lost": 1}),
    "results that make one silent that answers nothing else": (
        mixes(3, (GOOD, REFUSED, MUTE)),
        {"toggles": 1, "cuts": 1, "lost": 1, "proves": ()},
    ),
    "frames": (mixes(3, (GOOD, REFUSED, FRAME)), {"toggles": 1, "cuts": 1, "lost": 1}),
    "events between": (mixes(4, (GOOD, REFUSED, EVENT)), {"toggles": 1, "cuts": 1, "lost": 1}),
    "no gaps": (mixes(5, (GOOD, EVENT)), {"cuts": 2, "lost": 2, "moods": ()}),
    "operators": (mixes(3), {"toggles": 2, "cuts": 1, "lost": 1, "asks": 1}),
    "operators while it is silent": (
        [(REFUSED, GOOD, REFUSED, MUTE, GOOD), (MUTE, GOOD, MUTE, REFUSED, GOOD, GOOD)],
        {"asks": 1, "toggles": 1, "room": 3},
    ),
    "operators in a hold": (mixes(3), {"toggles": 1, "cuts": 1, "lost": 1, "asks": 2, "room": 1}),
    "a flash that refuses": (mixes(SHORTER), {"toggles": 1, "cuts": 1, "lost": 1, "refusals": 1, "asks": 1}),
    "connections break": (mixes(LONGER), {"breaks": 2, "toggles": 1}),
    "lies": (mixes(SHORTER), {"lies": (0,), "lost": 1, "toggles": 2, "cuts": 1}),
    "lies far ahead": (mixes(3), {"lies": (5000,), "lost": 1, "toggles": 2, "cuts": 1}),
    "lies of one that names the highest": (
        mixes(4),
        {"lies": (0,), "lost": 1, "toggles": 1, "breaks": 1, "highest": True},
    ),
    "lies while there is trouble": (
        mixes(4)[:: 1 if LONG else 7],
        {"lies": (0,), "lost": 1, "breaks": 1, "toggles": 2, "highest": True},
    ),
    "others save": (mixes(3), {"toggles": 1, "cuts": 1, "lost": 1, "saves": 2}),
    "four moods": (mixes(4), {"toggles": 4}),
}


# Refusals, cuts, a failing flash, broken connections, lies and operators; what mixes them is the long run's.
USUAL = (
    "the 08 names the last",
    "two cuts",
    "operators in a hold",
    "a flash that refuses",
    "connections break",
    "lies",
)


def chosen(logs):
    """A third of the logs, of three kinds a quarter, all kinds at every place; the long run has them all."""
    return logs[:: 4 if len(logs) % 3 == 0 else 3]


def test_chosen_logs_have_every_kind_at_every_place():
    for logs in (mixes(3), mixes(4), mixes(5), mixes(3, (GOOD, REFUSED, MUTE)), mixes(4, (GOOD, REFUSED, MUTE))):
        for place in range(len(logs[0])):
            assert {kinds[place] for kinds in chosen(logs)} == {kinds[place] for kinds in logs}


@pytest.mark.parametrize("name", ROWS if LONG else USUAL)
def test_nothing_is_lost_or_twice_and_nothing_waits_for_ever(name):
    logs, budgets = ROWS[name]
    if not LONG and len(logs) > 4:
        logs = chosen(logs)
    states, broken = explore(logs, **budgets)
    print("%s: %d states" % (name, states))
    assert not broken
    assert states > 500


# -- without one of its rules


def instead(part, kind):
    """Makes policies in which this part is of another kind."""

    def make(*given):
        policy = pol.Policy(*given)
        getattr(policy, part).__class__ = kind
        return policy

    return make


def lies(part, kind, method):
    """Makes policies in which what this method of this part has saved is not durable, but they go on as if it were."""
    lying = [False]

    class Unsaved(kind):
        pass

    def unsaved(self, *given):
        lying[0] = True
        done = getattr(kind, method)(self, *given)
        lying[0] = False
        return done

    class Lying(InFlight):
        def save(self):
            return lying[0] or InFlight.save(self)

    def make(*given):
        policy = pol.Policy(*given)
        policy.in_flight.__class__ = Lying
        if kind is InFlight:
            setattr(Lying, method, unsaved)
        else:
            getattr(policy, part).__class__ = Unsaved
        return policy

    setattr(Unsaved, method, unsaved)
    return make


class PassNotOver(InFlight):
    """What was taken in order behind a lookahead does not end it durably before the next one goes out."""

    def end_lookahead(self):
        pass


class LateNotOver(Reoffer):
    """The next one goes out before it is durable what became of a reoffered one."""

    def conclude(self, now, is_unknown=False):
        sent = self.policy.in_flight
        state, sent.state = sent.state, Deaf()
        done = Reoffer.conclude(self, now, is_unknown)
        sent.state = state
        self.numbers[SEND_LIMIT] = sent.may_send_to = self.policy.cursor.number + sent.batch
        return done


class Deaf:
    """A state that says it has saved."""

    def save(self):
        return True


class CursorFirst(Lookahead):
    """The cursor passes what is refused before it is copied."""

    def finish(self, policy, now):
        numbers = list(range(policy.cursor.number + 1, self.taken))
        policy.cursor.number = self.taken - 1
        done = Lookahead.finish(self, policy, now)
        for number in numbers:
            policy.quarantine_record(number, 17, now)
        return done


class NoReoffer(pol.Policy):
    """What was set aside stays there."""

    def _next_by_phase(self, now):
        self.reoffers.timer.stop()
        return pol.Policy._next_by_phase(self, now)


class VouchesForAll(ResumePoint):
    """In a lookahead as well the 08 vouches for all in front of the one it names."""

    def _resume_at(self, stored, now):
        self.numbers[SENT] &= ~SENT_LOOKAHEAD
        return ResumePoint._resume_at(self, stored, now)


class NothingOpen(InFlight):
    """What went out before an 08 that could not be believed is taken for settled."""

    def is_unsettled(self):
        return False


class Blind(few.FewKept):
    """A quarantine that says that it has room, whatever it has."""

    def fits(self, _length):
        return True


class NoRoomAsked(World):
    checks_room = False

    def __init__(self, *given, **more):
        self.room = 1
        World.__init__(self, *given, **more)


class OneReoffer(Reoffer):
    """A reoffered one that was refused is not offered once more."""

    def conclude(self, now, is_unknown=False):
        self.policy.reoffers._again = Timer()
        done = Reoffer.conclude(self, now, is_unknown)
        self.policy.reoffers._again = Timer()
        return done


WITHOUT = {
    "W1": (lies("in_flight", InFlight, "raise_send_limit"), {"cuts": 1, "lost": 1}),
    "W2": (instead("in_flight", PassNotOver), {"toggles": 2, "cuts": 1}),
    "W3": (lies("in_flight", InFlight, "begin_lookahead"), {"cuts": 1, "lost": 1}),
    "W4": (lies("lookahead", Lookahead, "_lookahead_taken"), {"cuts": 1, "lost": 1}),
    "W5": (lies("reoffer", Reoffer, "begin"), {"toggles": 2, "cuts": 1, "lost": 1}),
    "W6": (instead("reoffer", LateNotOver), {"toggles": 2, "cuts": 1, "lost": 1}),
    "the copy before the cursor": (instead("lookahead", CursorFirst), {"cuts": 1}),
    "reoffers": (NoReoffer, {"toggles": 2}),
    "a second reoffer": (instead("reoffer", OneReoffer), {"toggles": 4}),
    "the one it names alone": (instead("resume_point", VouchesForAll), {"lost": 1}),
    "what an odd 08 leaves open": (
        instead("in_flight", NothingOpen),
        {"lies": (0,), "lost": 1, "breaks": 1, "toggles": 2, "highest": True},
    ),
}


@pytest.mark.parametrize("name", list(WITHOUT))
def test_without_one_of_its_rules_something_breaks(name):
    made, budgets = WITHOUT[name]
    _states, broken = explore(mixes(3), make=made, **budgets)
    print(name, broken)
    assert broken


def test_without_a_look_at_the_room_the_quarantine_is_too_full(monkeypatch):
    monkeypatch.setattr(few, "FewKept", Blind)
    broken = {}
    for kinds in mixes(4):
        broken.update(explored(NoRoomAsked(kinds, lost=1))[1])
    assert "quarantine too full" in broken


def test_without_an_end_to_patience_silent_one_holds_all_others_for_ever(monkeypatch):
    monkeypatch.setattr(pol, "PATIENCE", 10**6)
    assert "never done" in explore([(MUTE, GOOD)], proves=())[1]


class Patient(pol.Policy):
    """One whose server is known to answer a 06 while it is there: then no result goes out to it while it is not."""

    def silent(self, now, proven=False):
        pol.Policy.silent(self, now, proven)
        self.unanswered = 0


def test_what_a_server_leaves_unanswered_that_answers_nothing_else_is_no_refusal():
    logs = [(GOOD,) * 3]
    mood = {"toggles": 2, "moods": (SILENT,), "in_order": True, "make": Patient}
    assert explore(logs, **mood)[1] == {}
    assert "order" in explore(logs, proves=(WELL, SILENT), **mood)[1]


@pytest.mark.parametrize("unnoticed", (False, True))
@pytest.mark.parametrize("proven", (False, True))
def test_outstanding_result_is_offered_again_before_anything_is_set_aside(proven, unnoticed):
    mood = {"breaks": 1, "in_order": True, "proven": proven, "unnoticed": unnoticed}
    assert explore(mixes(LONGER) if LONG else chosen(mixes(LONGER)), **mood)[1] == {}


def test_fixed_reach_would_hold_all_others_after_many_refused(monkeypatch):
    assert explore([(REFUSED,) * 4], room=4)[1] == {}
    monkeypatch.setattr(lookahead, "_WIDER_MOST", 0)
    assert "never done" in explore([(REFUSED,) * 4], room=4)[1]
