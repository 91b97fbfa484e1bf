"""Controllers that push, keep or answer otherwise than they should, and what of their results is accounted for.

Each result has a torque of its own: by that it is known, whatever ID it has. A memory may have several under one ID.
"""

import copy

from toolcart.agent.log.snapshot_fields import STORED_AGAIN
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record.result import HEAD_BYTES, TORQUE, TORQUE_BYTES
from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_session import ControllerSession
from toolcart.sim.controller_spindles import OperationSession
from toolcart.sim.profiles import profile_options
from host_tests.support.world import CONTROLLER, Cart

TORQUE_LEAST = 1000
SECOND_BOLT = 500
BOLT_APART = 100000


def exactly(kept, number):
    """It has what it is asked for, or nothing."""
    return next((one for one in reversed(kept) if one.tightening_id == number), None)


def the_newest(kept, number):
    return exactly(kept, number) or (kept[-1] if kept else None)


def the_oldest(kept, number):
    return exactly(kept, number) or (kept[0] if kept else None)


def the_nearest(kept, number):
    return exactly(kept, number) or min(kept, key=lambda one: abs(one.tightening_id - number), default=None)


def the_next_below(kept, number):
    below = [one for one in kept if one.tightening_id <= number]
    return exactly(kept, number) or max(below, key=lambda one: one.tightening_id, default=None)


def under_any_id(kept, number):
    """It copies the ID that it is asked for into its answer, and looks for the result afterwards."""
    result = exactly(kept, number) or (copy.copy(kept[-1]) if kept else None)
    if result is not None:
        result.tightening_id = number
    return result


ANSWERS = {
    "exactly": exactly,
    "newest": the_newest,
    "oldest": the_oldest,
    "nearest": the_nearest,
    "below": the_next_below,
}


class OddController:
    """A cart at such a controller; `pushed_as` and `named` give the ID of MID 0061 and 0065 for that of the memory.

    `bolts`: a push for each of two bolts, MID 0065 has the first one's whichever is asked for. `again`: each result is
    pushed so many times more, each time under the next ID.
    """

    def __init__(self, monkeypatch, answers="exactly", pushed_as=None, named=None, keeps=500, bolts=False, **settings):
        self.answers = ANSWERS[answers] if answers in ANSWERS else under_any_id
        self.pushed_as = pushed_as
        self.named = named
        self.keeps = keeps
        self.late_ms = 0  # how long an answer for an old result takes
        self.again = 0
        self.knows_newest = True  # it has an answer to ID 0
        self.newest_place = -1  # in the memory, of what it answers to that
        self.newest_code = 15  # with which it rejects that
        self.gone_code = 15  # with which it rejects what it does not have; None: it says nothing
        self.requests = []
        self.kept = []
        self.made = []  # the torque of each result
        if bolts:
            settings.setdefault("controller", {}).update(
                header_spindles=(1, 2), answering_spindles="first", names_spindles=False
            )
            monkeypatch.setattr("toolcart.sim.multi_spindle.TORQUE_APART", SECOND_BOLT)
        else:
            monkeypatch.setattr(ControllerSession, "_queue", self._queue(ControllerSession._queue))
        self.bolts = bolts
        monkeypatch.setattr(frames, "old_result_data", self._fetched(frames.old_result_data))
        monkeypatch.setattr(ControllerSession, "_recover", lambda session, *request: self._answer(session, *request))
        self.cart = Cart(toolsnet=None, **settings)

    def _queue(self, queue):
        def renamed(session, result):
            other = copy.copy(result)
            if self.pushed_as is not None:
                other.tightening_id = max(self.pushed_as(result.tightening_id), 0)
            queue(session, other)

        return renamed

    def _fetched(self, data):
        def renamed(result, *rest):
            other = copy.copy(result)
            if self.named is not None:
                other.tightening_id = max(self.named(result.tightening_id), 0)
            return data(other, *rest)

        return renamed

    def _answer(self, session, revision, number):
        self.requests.append(number)
        if not (number or self.knows_newest):
            session.rejects(64, (True, self.newest_code))
            return
        newest = self.kept[self.newest_place] if self.kept else None
        result = self.answers(self.kept, number) if number else newest
        if session.rejects(64, (revision not in session.options.recover_revisions, 97)):
            return
        if result is None:
            session.rejects(64, (self.gone_code is not None, self.gone_code))
            return
        waiting = session._out[:]
        session._say_old(result, revision)
        if self.late_ms:
            for octets in session._out[len(waiting) :]:
                session.send_later(octets, self.late_ms, session.controller.clock.now)
            session._out = waiting

    def make(self, count=1, every_ms=1000):
        """Tighten so many, and let so much time pass behind each."""
        controller = self.cart.controller
        for _ in range(count):
            torque = TORQUE_LEAST + len(self.made)
            self.made += self._torques(torque)
            keep = controller._keep
            kept = []
            controller._keep = lambda result, keep=keep, kept=kept: (kept.append(result), keep(result))
            number = controller._next_id
            self.kept.append(None)
            controller.produce(torque=torque)
            controller._keep = keep
            self.kept[-1] = kept[0]
            assert kept[0].tightening_id == number
            del self.kept[: -self.keeps]
            if every_ms:
                self.cart.run(every_ms)
            for _ in range(self.again):
                self._push_again(every_ms)

    def _torques(self, torque):
        """Return the torque of each result that a tightening of this one brings."""
        return [torque, torque + SECOND_BOLT] if self.bolts else [torque]

    def _push_again(self, every_ms):
        """The last one gets another ID, and is pushed once more."""
        controller = self.cart.controller
        self.kept[-1].tightening_id = controller._next_id
        controller._next_id += 1
        for session in controller.sessions:
            session.offer(self.kept[-1])
        self.cart.run(every_ms)

    def away(self, count, every_ms=1000, restarts=False, cut=False, keeps=True):
        """Tighten so many while no one hears; `restarts`: the count begins again; `cut`: so does the agent."""
        cart = self.cart
        if cut:
            cart.cut()
        cart.network.down(*CONTROLLER)
        if restarts:
            cart.controller.reset_ids()
            if not keeps:
                self.kept = []
        self.make(count, every_ms)
        cart.network.up(*CONTROLLER)
        cart.until_ready(60000)

    # What came of it

    def rows(self):
        """Return the torque of each result of the log."""
        at = HEAD_BYTES + TORQUE
        return [int(payload[at : at + TORQUE_BYTES]) for payload in self.cart.stored()]

    def books(self):
        """Return how many rows are one too many, and how many of these are counted; the same of what is missing."""
        rows = self.rows()
        ledger = self.cart.station.ledger
        again = ledger.state.numbers[STORED_AGAIN]
        missing = [one for one in self.made if one not in rows]
        return len(rows) - len(set(rows)), again, len(missing), ledger.gone(), missing_most(ledger)

    def judge(self, most_again=None, most_gone=None):
        """Nothing is stored twice, or missing, that is not counted; the counts are no higher than these."""
        twice, again, missing, gone, opened = books = self.books()
        assert twice <= again, ("stored twice", books, self.rows())
        assert missing <= gone + opened, ("missing", books, self.cart.gone(), self.rows())
        assert most_again is None or again <= most_again, ("stored again", books)
        assert most_gone is None or gone <= most_gone, ("gone", books, self.cart.gone())
        return True


class BoltsUnderOneId(OddController):
    """A cart at a controller that pushes a result for each bolt, all under one ID and without a spindle in the header.

    `answers` "first", "last", "any" or "all": of which bolts an answer is. `apart_s`: from one bolt's time to the next.
    """

    torque_apart = BOLT_APART

    def __init__(self, monkeypatch, bolts=2, answers="first", apart_s=0, **settings):
        self.count = bolts
        self.apart_s = apart_s
        self.chosen = {
            "first": lambda: [0],
            "last": lambda: [bolts - 1],
            "any": lambda: [len(self.requests) % bolts],
            "all": lambda: range(bolts),
        }[answers]
        super().__init__(monkeypatch, **settings)

    def _bolt(self, result, number):
        one = copy.copy(result)
        one.torque += self.torque_apart * number
        if self.apart_s:
            seconds = min(int(one.time[-2:]) + number * self.apart_s, 59)
            one.time = one.time[:-2] + "%02d" % seconds
        return one

    def _torques(self, torque):
        return [torque + self.torque_apart * number for number in range(self.count)]

    def _queue(self, queue):
        def each(session, result):
            for number in range(self.count):
                queue(session, self._bolt(result, number))

        return each

    def _answer(self, session, revision, number):
        self.requests.append(number)
        newest = self.kept[max(self.newest_place, -len(self.kept))] if self.kept else None
        result = exactly(self.kept, number) if number else newest
        if not session.rejects(64, (revision not in session.options.recover_revisions, 97), (result is None, 15)):
            for bolt in self.chosen():
                session._say_old(self._bolt(result, bolt), revision)


class OperationsUnderOneId(BoltsUnderOneId):
    """The same at a controller that pushes a MID 1201 and its 1202 for each bolt.

    `profile` says which, `is_named` whether the headers name the bolt as the spindle.
    """

    torque_apart = SECOND_BOLT  # a MT Focus 6000 sends few digits

    def __init__(self, monkeypatch, profile, *bolts, is_named=False, controller=(), **settings):
        options = dict(profile_options(profile), **dict(controller))
        super().__init__(monkeypatch, *bolts, controller=options, **settings)
        parts = OperationSession._parts
        say = OperationSession._say_part

        def parts_of(session, result, number, revision, asked_with):
            made = parts(session, self._bolt(result, number), revision, asked_with)
            return [part + (number + 1,) for part in made]

        def offer(session, result):
            if session.operation_revision and session.alive:
                for number in range(self.count):
                    session.unsent += parts_of(session, result, number, session.operation_revision, 8)

        def say_part(session, part):
            if is_named:
                session.say(*part[:3], spindle="%02d" % part[4])
            else:
                say(session, part)

        def push_old(session, mid, revision, text, now):
            if session.rejects(session._named(6), (not session.options.operation_history, 75)):
                return
            _, revision, index = session.parse_request(6, text)
            number = int(index)
            self.requests.append(number)
            newest = self.kept[max(self.newest_place, -len(self.kept))] if self.kept else None
            result = exactly(self.kept, number) if number else newest
            if not session.rejects(session._named(6), (result is None, session.options.history_refusal_code)):
                for bolt in self.chosen():
                    for part in parts_of(session, result, bolt, revision, 6):
                        say_part(session, part)

        monkeypatch.setattr(OperationSession, "offer", offer)
        monkeypatch.setattr(OperationSession, "_say_part", say_part)
        monkeypatch.setattr(OperationSession, "_push_old", push_old)
