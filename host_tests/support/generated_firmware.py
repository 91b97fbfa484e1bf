"""Firmwares drawn at random: how one names what it pushes and what it answers, what it keeps, and what it rejects."""

import copy
import random
from datetime import datetime, timedelta

from toolcart.agent.cart.status import _why_off
from toolcart.agent.log.snapshot_fields import STORED_AGAIN
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record.provenance import spindle_in
from toolcart.agent.record.result import HEAD_BYTES, TORQUE, TORQUE_BYTES
from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_session import ControllerSession
from toolcart.sim.multi_spindle import MultipleSession
from host_tests.support.world import CONTROLLER, Cart

TORQUE_LEAST = 10000
TORQUE_STEP = 10  # rounding by one digit takes nothing away of what tells results apart
SECOND_BOLT = 100000
BLANK = "blank"

PUSHED = {
    "as kept": lambda number: number,
    "one": lambda number: 1,
    "at random": lambda number: number * 7919 % 10007 + 1,
    "in turn": lambda number: number % 8 + 1,
    "each twice": lambda number: number // 2 + 1,
    "times ten": lambda number: number * 10,
    "one above": lambda number: number + 1,
    "three below": lambda number: number - 3,
    "eight above": lambda number: number + 8,
    "twenty above": lambda number: number + 20,
    "hundred above": lambda number: number + 100,
    "zero": lambda number: 0,
    "blank": lambda number: 0,
    "two digits": lambda number: number % 100,
}
NAMED = {
    "as kept": lambda number, requested: number,
    "as asked": lambda number, requested: requested or number,
    "one": lambda number, requested: 1,
    "none": lambda number, requested: 0,
    "one above": lambda number, requested: number + 1,
    "three below": lambda number, requested: number - 3,
    "nine above": lambda number, requested: number + 9,
    "thirty above": lambda number, requested: number + 30,
}
FOUND = {
    "exactly": lambda kept, number: None,
    "newest": lambda kept, number: kept[-1],
    "oldest": lambda kept, number: kept[0],
    "nearest": lambda kept, number: min(kept, key=lambda one: abs(one.tightening_id - number)),
    "by its place": lambda kept, number: kept[number % len(kept)],
    "below the newest by its place": lambda kept, number: (
        kept[number % len(kept)] if number <= kept[-1].tightening_id else None
    ),
    "blank": lambda kept, number: BLANK,
    "blank below the newest": lambda kept, number: BLANK if number <= kept[-1].tightening_id else None,
}
TIMES = {"as made": None, "UTC": -60, "ahead": 330, "a quarter": 15}
GONE = {"15": 15, "another code": 79, "silence": None}
PLAIN = {  # nothing odd: tests change what they are about
    "pushed": "as kept",
    "named": "as kept",
    "found": "exactly",
    "times": "as made",
    "rounded": False,
    "gone": "15",
    "knows_newest": True,
    "limit": 0,
    "bolts": False,
}
REJECTED = {**GONE, "later": 98, "busy": 28, "a revision": 97}


SAY_NOTHING = ("one", "at random", "in turn", "each twice", "zero", "blank", "two digits")
TRUE = ("exactly", "blank", "blank below the newest")
WRONG = {  # which result is given in place of the one that was asked for, and whether it copies that ID
    "another": lambda kept, place: (kept[place - 1], False),
    "newest": lambda kept, place: (kept[-1], False),
    "another under the ID": lambda kept, place: (kept[place - 1], True),
    "newest under the ID": lambda kept, place: (kept[-1], True),
}


def _without_id(write):
    def data(result, revision, *given):
        octets = write(result, revision, *given)
        at = 91 if revision == 999 else octets.index(b"%010d" % result.tightening_id)
        return octets[:at] + b" " * 10 + octets[at + 10 :]

    return data


class Firmware:
    """One drawn from `seed`; fields given by name are not drawn."""

    def __init__(self, monkeypatch, seed, **given):
        dice = random.Random(seed)
        plain = dice.random() < 0.5  # one oddity alone, or all at once

        def draw(name, table, usual):
            drawn = dice.choice(list(table)) if not plain or dice.random() < 0.35 else usual
            return given.get(name, drawn)

        self.traits = traits = {
            "pushed": draw("pushed", PUSHED, "as kept"),
            "named": draw("named", NAMED, "as kept"),
            "found": draw("found", FOUND, "exactly"),
            "times": draw("times", TIMES, "as made"),
            "rounded": draw("rounded", (False, True), False),
            "gone": draw("gone", GONE, "15"),
            "knows_newest": draw("knows_newest", (True, False), True),
            "bolts": draw("bolts", (False, True), False),
            "keeps": given.get("keeps", dice.choice((1, 2, 3, 4, 5, 7, 12, 50, 500))),
            "first": given.get("first", dice.choice((1, 2, 9, 20, 90, 500, 65520, 4294967280))),
            "limit": draw("limit", (0, 99, 65535), 0),
            "blank_as": draw("blank_as", ("spaces", "zeros"), "spaces"),
            "outages": given.get(
                "outages",
                [
                    (dice.choice((0, 1, 3, 5, 9, 15, 40)), dice.choice(("cut", "down")), dice.random() < 0.07)
                    for _ in range(dice.choice((1, 2, 3)))
                ],
            ),
            "between": given.get("between", dice.choice((1, 2, 4, 7))),
            "asks_above": given.get("asks_above", 0),  # it is asked for a result by so much more than its ID
            "newest_rejected": given.get("newest_rejected", 0),  # the code for ID 0; 0: it is as "gone" says
            "before": given.get("before", 0),  # made before the first meeting
            "early": given.get("early", 0),  # so many come before anything is asked; then the first connection ends
            "ends_at": given.get("ends_at", ()),  # with which questions, counted from 1, the connection ends
            # Behind the first outage: the IDs asked for, counted in the order in which each came first, whose questions
            # end so many connections; and which questions of an ID that is there are answered with another result.
            "settles": given.get("settles", False),  # time passes until nothing is looked for
            "forgets": given.get("forgets", True),  # what it keeps, when its count begins again
            "oldest_first": given.get("oldest_first", False),  # it answers with the oldest that it keeps under an ID
            "ends_with": given.get("ends_with", {}),
            "wrong": given.get("wrong", "another"),
            "wrong_at": given.get("wrong_at", ()),
            "away": given.get("away", 2),  # made while it is away then
            "at_once": given.get("at_once", 0),  # made as soon as a later connection is subscribed
        }
        if traits["pushed"] in SAY_NOTHING:  # else nothing at all would show what is missing
            traits.update(named="as kept", knows_newest=True)
            traits["found"] = traits["found"] if traits["found"] in TRUE else "exactly"
        self.before = 0  # made before the first meeting
        self.unknowable = 0  # made and forgotten while no one heard, before the count began anew
        self.kept = []
        self.made = {}  # its mark and bolt -> how often
        self.asked = 0
        self.questions = 0
        self.outages = 0
        self.asked_since = {}  # the first outage, in the order in which each came first: how often
        self.questions_since = 0  # for IDs that are there
        settings = {"controller": {}, "first_id": traits["first"]}
        if traits["bolts"]:
            settings["controller"] = {
                "header_spindles": (1, 2),
                "answering_spindles": "first",
                "names_spindles": given.get("names_spindles", dice.random() < 0.5),
            }
            monkeypatch.setattr("toolcart.sim.multi_spindle.TORQUE_APART", SECOND_BOLT)
        monkeypatch.setattr(ControllerSession, "_queue", self._renaming(ControllerSession._queue))
        monkeypatch.setattr(MultipleSession, "_queue", self._renaming(MultipleSession._queue))
        monkeypatch.setattr(frames, "old_result_data", self._fetched(frames.old_result_data))
        if traits["pushed"] == "blank":
            monkeypatch.setattr(frames, "result_data", _without_id(frames.result_data))
        monkeypatch.setattr(ControllerSession, "_recover", lambda session, *request: self._answer(session, *request))
        self.cart = Cart(toolsnet=None, **settings)

    def _renaming(self, queue):
        pushed = PUSHED[self.traits["pushed"]]

        def renamed(session, result):
            other = copy.copy(result)
            other.tightening_id = max(pushed(result.tightening_id), 0) % 10**10
            queue(session, other)

        return renamed

    def _fetched(self, data):
        traits = self.traits
        minutes = TIMES[traits["times"]]

        def renamed(result, revision, pad=b" ", instead=()):
            other = copy.copy(result)
            asked = self.asked
            if getattr(result, "is_blank", False):
                width = {"vin": 25, "torque": 6, "angle": 5, "time": 19}
                sign = b" " if traits["blank_as"] == "spaces" else b"0"
                instead = {name: sign * width[name] for name in width}
                return data(other, revision, pad, dict(instead, vin=b" " * 25))
            other.tightening_id = max(NAMED[traits["named"]](result.tightening_id, asked), 0) % 10**10
            if minutes is not None:
                time = datetime.strptime(result.time, "%Y-%m-%d:%H:%M:%S") + timedelta(minutes=minutes)
                other.time = time.strftime("%Y-%m-%d:%H:%M:%S")
            if traits["rounded"]:
                other.torque = (result.torque + 5) // 10 * 10
            return data(other, revision, pad, instead)

        return renamed

    def _answer(self, session, revision, number):
        self.asked = number
        self.questions += 1
        traits = self.traits
        if self.questions in traits["ends_at"]:
            session.controller.drop()
            self.make(traits["away"], 0)
            return
        if self._ends_with(number):
            session.controller.drop()
            return
        kept = self.kept
        number -= traits["asks_above"] if number else 0
        result = None
        if kept and number:
            result = self._under(number)
            result = result or FOUND[traits["found"]](kept, number)
        elif kept and traits["knows_newest"]:
            result = kept[-1]
        result = self._wrong(result)
        if result is BLANK:
            result = copy.copy(kept[-1])
            result.tightening_id = number
            result.is_blank = True
        if revision not in session.options.recover_revisions:
            session.refuse(64, 97)
        elif not number and traits["newest_rejected"]:
            session.refuse(64, traits["newest_rejected"])
        elif result is None and REJECTED[traits["gone"]] is None:
            return
        elif result is None:
            session.refuse(64, REJECTED[traits["gone"]])
        else:
            session._say_old(result, revision)

    def _under(self, number):
        """Return what it has under this ID, None: nothing."""
        kept = self.kept if self.traits["oldest_first"] else reversed(self.kept)
        return next((one for one in kept if one.tightening_id == number), None)

    def _ends_with(self, number):
        if not self.outages:
            return False
        self.asked_since[number] = self.asked_since.get(number, 0) + 1
        place = list(self.asked_since).index(number) + 1
        return self.asked_since[number] <= self.traits["ends_with"].get(place, 0)

    def _wrong(self, result):
        if not self.outages or result not in self.kept:
            return result
        self.questions_since += 1
        if self.questions_since not in self.traits["wrong_at"]:
            return result
        other, is_copied = WRONG[self.traits["wrong"]](self.kept, self.kept.index(result))
        if is_copied:
            other = copy.copy(other)
            other.tightening_id = result.tightening_id
        return other

    def make(self, count=1, every_ms=1000):
        """Tighten so many, and let so much time pass behind each."""
        controller = self.cart.controller
        limit = self.traits["limit"]
        for _ in range(count):
            mark = len(self.made)
            if limit and controller._next_id > limit:
                controller._next_id = 1
            number = controller._next_id
            kept = []
            keep = controller._keep
            controller._keep = lambda result, keep=keep, kept=kept: (kept.append(result), keep(result))
            self.kept.append(None)
            torque = TORQUE_LEAST + TORQUE_STEP * mark + mark * 7 % 4
            self.made[mark] = number
            controller.produce(torque=torque)
            controller._keep = keep
            self.kept[-1] = kept[0]
            kept[0].mark = mark
            del self.kept[: -self.traits["keeps"]]
            if every_ms:
                self.cart.run(every_ms)

    def _note_unknowable(self, before, after, kept):
        """What was made while no one heard, of a count that has ended since, nothing can show but what is `kept`.

        It was made from mark `before` on; mark `after` is the first that was heard again.
        """
        numbers = list(self.made.values())
        after = min(after, len(numbers) - 1)
        ends = [mark for mark in range(before, after + 1) if mark and numbers[mark] <= numbers[mark - 1]]
        lost = [mark for mark in range(before, max(ends, default=before)) if mark not in kept]
        known = numbers[before - 1]
        if ends and numbers[after] > known:  # nor that there is a new count
            hidden = self.kept if self.traits["oldest_first"] else []
            hidden = [one.mark for one in hidden if one is not self._under(one.tightening_id)]
            new = [mark for mark in range(ends[-1], after) if mark not in kept]
            lost += [mark for mark in new if numbers[mark] <= known or mark in hidden]
        self.unknowable += len(lost) * (2 if self.traits["bolts"] else 1)

    def _end_early(self):
        """The first connection ends before anything is asked, and results are made until the next one."""
        cart = self.cart
        cart.controller.options.refuse[40] = None
        cart.until_ready()
        self.make(self.traits["early"], 300)
        cart.network.down(*CONTROLLER)
        cart.controller.drop()
        del cart.controller.options.refuse[40]
        self.make(self.traits["away"])
        cart.network.up(*CONTROLLER)
        cart.controller.messages.pop(60)

    def live(self):
        """Live through what was drawn."""
        cart = self.cart
        if self.traits["before"]:
            cart.network.down(*CONTROLLER)
            self.make(self.traits["before"])
            self.before = len(self.made)  # they are not missing when they are not fetched
            cart.network.up(*CONTROLLER)
        if self.traits["early"]:
            self._end_early()
            cart.until_ready()
            self.make(self.traits["at_once"], 300)
        cart.until_ready(2000)
        self.make(6, 700)
        for count, ending, restarts in self.traits["outages"]:
            if ending == "cut":
                cart.cut()
            cart.network.down(*CONTROLLER)
            self.outages += 1
            before = len(self.made)
            if restarts:
                self.make(count // 2)
                self.kept = [] if self.traits["forgets"] else self.kept
                cart.controller.reset_ids()
            self.make(count)
            after = len(self.made)
            tells = self.traits["named"] == "as kept" and self.traits["found"] in TRUE
            kept = [one.mark for one in self.kept if one is self._under(one.tightening_id)] if tells else []
            cart.network.up(*CONTROLLER)
            if self.traits["at_once"]:
                cart.controller.messages.pop(60)
                cart.until_ready()
                self.make(self.traits["at_once"], 300)
            cart.until_ready(60000)
            cart.run(6000)
            self.make(self.traits["between"], 700)
            self._note_unknowable(before, after, kept)
            cart.run(200000)
        if self.traits["settles"]:
            self._settle()
        return self

    def _settle(self):
        """Let time pass until nothing is looked for any more: each question without an answer takes its time."""
        if not self.traits["knows_newest"]:
            self.make(1, 700)  # what was made behind the last question shows by the next push alone
        for _ in range(40):
            self.cart.run(5000)
            if not phases.PHASE_IDLE < self.cart.station.recovery.phase < phases.PHASE_OFF:
                return
            self.cart.run(120000)

    # What came of it

    def rows(self):
        """Return mark and bolt of each result of the log; the mark is None where it was never made so."""
        at = HEAD_BYTES + TORQUE
        rows = []
        for payload in self.cart.stored():
            text = bytes(payload[at : at + TORQUE_BYTES])
            torque = int(text) if text.isdigit() else -1
            bolt = 2 if torque >= SECOND_BOLT else 1
            mark = (torque - (bolt - 1) * SECOND_BOLT - TORQUE_LEAST) // TORQUE_STEP
            if self.traits["bolts"] and spindle_in(payload, 0) != bolt:
                mark = None
            rows.append((mark if mark in self.made else None, bolt))
        return rows

    def books(self):
        """Return how many results are stored that were never made, are there twice, and are missing."""
        rows = self.rows()
        bolts = (1, 2) if self.traits["bolts"] else (1,)
        false = [row for row in rows if row[0] is None]
        true = [row for row in rows if row[0] is not None]
        missing = [
            (mark, bolt) for mark in self.made if mark >= self.before for bolt in bolts if (mark, bolt) not in true
        ]
        return len(false), len(true) - len(set(true)), len(missing)

    def faults(self):
        """Return what is wrong, as words."""
        false, twice, missing = self.books()
        ledger = self.cart.station.ledger
        again = ledger.state.numbers[STORED_AGAIN]
        gone, opened = ledger.gone(), missing_most(self.cart.station.ledger, self.cart.station.recovery.spindle_count())
        faults = []
        if false:
            faults.append("%d stored that were never made" % false)
        if twice > again:
            faults.append("%d twice, %d said" % (twice, again))
        station = self.cart.station
        if missing > gone + opened + self.unknowable and not _why_off(station.log, station.recovery):
            faults.append("%d missing, %d gone and %d open" % (missing, gone, opened))
        return faults
