"""A controller whose stations share its tightening IDs: all of ours, once, in order, and none of another station's.

Rules of the model are those of the Power Focus 6000, software 2.8: one counter for all stations; MID 0064 with n is
answered with the newest result at or below n, of any station; 0 means the newest of the whole controller.
"""

from toolcart.agent.openprotocol import error_codes, shared_ids
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.base.clock import Dice
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.frames import fetched
from host_tests.support.recovery import IDENTITY, STATION, Bench, Memory, Result

PORTABLE = True
HEAP = "8m"

REVISIONS = (2, 3, 4, 5, 6, 7, 1)


class Stations(Memory):
    """A controller that answers with the newest at or below what is asked for; `ours` are the uids of our station."""

    def __init__(self, *args, **kwargs):
        Memory.__init__(self, *args, **kwargs)
        self.ours = []
        self.answers_below = True
        self.answers_above = False  # in its place

    def make_ours(self):
        result = self.make()
        self.ours.append(result.uid)
        return result

    def find(self, number):
        if number == 0:
            return self.kept[-1] if self.kept else None
        if self.answers_above:
            found = [one for one in self.kept if one.ident >= number]
            return min(found, key=lambda one: one.ident) if found else None
        found = [one for one in self.kept if one.ident == number or (self.answers_below and one.ident < number)]
        return max(found, key=lambda one: one.ident) if found else None


class Cart(Bench):
    """Our station, which hears whose each answer is."""

    def __init__(self, system_type=3, limit=5000, **settings):
        settings["revisions"] = settings.get("revisions", REVISIONS)
        self.names = True  # an answer says whose it is; None: it has the place for it, and no number is there
        self.spoiled = 0  # as many answers name another station
        Bench.__init__(self, Stations(limit=limit), **settings)
        self.opens_with = (STATION, system_type)

    def answer(self, result, flags=0):
        if result is not None and self.recovery.ownership.shared is not None:
            named = 1 if result.uid in self.memory.ours else 2
            if self.spoiled:
                self.spoiled -= 1
                named = 2
            if not self.names:
                named = 0 if self.names is None else -1
            self.recovery.ownership.shared.take_named(named)
        return Bench.answer(self, result, flags)

    def work(self, text):
        """Tighten at ours (o) and at another station (x), in this order."""
        for letter in text:
            if letter == "x":
                self.memory.make()
            else:
                self.push(self.memory.make_ours())
        return self

    def meanwhile(self, text):
        """The same while the agent is away."""
        self.close()
        for letter in text:
            self.memory.make() if letter == "x" else self.memory.make_ours()
        self.requested = []
        return self.open()

    def agrees(self):
        """All of ours is stored once, and nothing of another station; nothing is told as gone."""
        self.settle(5000)
        assert sorted(self.uids()) == self.memory.ours
        assert self.ledger.gone() == 0 and self.gone.runs == []
        return True


def cart_of(**settings):
    """Met while another station's result is the newest."""
    cart = Cart(**settings)
    cart.memory.make()
    return cart.met()


def test_what_was_missed_among_other_stations_results_is_fetched_in_order():
    cart = cart_of().work("oxxo")
    cart.settle()
    cart.meanwhile("xxoxooxxxoxx")
    assert cart.agrees() and cart.ledger.shares() and cart.uids() == cart.memory.ours
    cart.meanwhile("xoxoxo")
    assert cart.agrees() and cart.uids() == cart.memory.ours
    assert len(cart.requested) <= 2 + 6 + 3 + 1  # the newest, the last known; each on the way down; ours once more


def test_one_answer_alone_does_not_show_that_ids_are_shared():
    for spoiled in (1, 2):
        cart = Cart()
        cart.memory.answers_below = False
        cart.met().work("ooo")
        cart.settle()
        cart.meanwhile("oo")
        cart.spoiled = spoiled
        cart.settle()
        assert cart.ledger.shares() == (spoiled == 2)
        assert cart.agrees()


class Off(Stations):
    """Of our station alone: an answer has an ID that is off by `by`, or is the result `to` IDs away."""

    def __init__(self, by, to, ours):
        Stations.__init__(self, next_id=101)
        self.by, self.to, self.ours = by, to, ours

    def find(self, number):
        found = Memory.find(self, number + self.to if number else 0)
        return None if found is None else Result(found.uid, found.ident + self.by, found.key, found.time)


def test_answers_of_one_station_that_are_off_are_not_taken_for_shared_ids():
    for names in (True, False):
        for by, to in [(-by, 0) for by in range(1, 9)] + [(0, -to) for to in range(1, 9)] + [(-2, 2), (3, 0), (0, 3)]:
            for before in (3, 20):
                cart = Cart()
                cart.memory = memory = Off(by, to, range(1, 100))
                memory.bench = cart
                if not names:
                    cart.names, cart.opens_with = False, (IDENTITY, 3)
                for _ in range(before):
                    memory.make()
                for missed in (0, 10, 5):
                    cart.away(missed)
                    settle_off(cart)
                    for _ in range(6):
                        cart.push(memory.make())
                        settle_off(cart)
                made = set(range(before + 1, before + 34))
                case = (names, by, to, before, cart.uids())
                assert made <= set(cart.uids()) and len(set(cart.uids())) == len(cart.uids()), case
                assert not cart.ledger.shares() and cart.recovery.phase == phases.PHASE_IDLE, case


def test_that_ids_are_shared_is_not_believed_where_one_of_ours_is_no_longer_under_its_id():
    for by in (-1, -2, -3):
        cart = Cart()
        cart.memory = memory = Off(by, 0, range(1, 100))
        memory.bench = cart
        for _ in range(3):
            memory.make()
        cart.open()
        cart.recovery.ownership.shared.is_proven = True
        cart.recovery.ownership.are_shared()
        settle_off(cart)
        for missed in (0, 10):
            cart.away(missed)
            settle_off(cart)
            for _ in range(6):
                cart.push(memory.make())
                settle_off(cart)
        assert not cart.ledger.shares() and cart.ledger.gone() <= 3, (by, cart.gone.runs)  # made before it was met
        assert set(range(4, 26)) <= set(cart.uids()), (by, cart.uids())


def settle_off(cart):
    """As the intake asks: what is asked for is put right."""
    for _ in range(200):
        number = cart.ask()
        if number < 0:
            return
        cart.answer(cart.memory.find(number + cart.recovery.offset.ask if number else 0))


class Newest(Stations):
    """Answers what it does not have, or `always`, with its newest."""

    def __init__(self, always, limit):
        Stations.__init__(self, next_id=101, limit=limit)
        self.always = always

    def find(self, number):
        found = None if self.always else Memory.find(self, number)
        return found or Memory.find(self, 0)


def test_what_pushes_skip_may_be_missing_where_no_answer_says_whose_it_is():
    for always, limit, before in [(False, 4, 3), (True, 100, 3), (True, 4, 0), (False, 100, 3)]:
        cart = Cart()
        cart.memory = memory = Newest(always, limit)
        memory.bench = cart
        cart.names, cart.opens_with = False, (IDENTITY, 3)
        for _ in range(before):
            memory.make()
        cart.open().settle()
        cart.make(5)
        cart.away(8)
        cart.settle()
        cart.make(2)
        assert cart.recovery.ownership.needs == "owner"
        for _ in range(3):
            assert 8 <= missing_most(cart.ledger, 1, cart.log) <= 108, (always, limit)
            cart.close().start()
            assert 8 <= missing_most(cart.ledger, 1, cart.log) <= 108, (always, limit)
            cart.open().settle()


def test_witness_that_is_gone_costs_look_through_all_and_stores_nothing_twice():
    cart = cart_of(limit=30).work("oxoxo")
    cart.settle()
    cart.memory.forget(6)  # the last one known
    cart.memory.ours.remove(6)
    cart.log.records.pop()
    cart.meanwhile("xoxo")
    assert cart.agrees() and cart.ledger.shares()


def test_answer_that_does_not_say_whose_it_is_is_never_stored():
    cart = cart_of().work("oxo")
    cart.settle()
    cart.names = False
    cart.meanwhile("xxoxx")
    cart.settle()
    assert phases.OUTCOME_NO_OWNER in cart.outcomes and cart.recovery.phase == phases.PHASE_OFF
    assert cart.recovery.ownership.needs == "owner"
    cart.work("o")
    assert cart.stored() == [2, 4, 10]
    cart.names = True
    cart.again()
    assert cart.recovery.ownership.needs == "" and cart.agrees()


def test_revision_that_names_the_station_is_asked_for_first():
    cart = cart_of()
    assert cart.recovery.revision() == 7
    cart = Cart(revisions=(2, 1)).open()
    assert cart.recovery.revision() == 2


def test_station_that_the_session_does_not_know_is_known_by_an_answer_that_the_log_has():
    for sharing, system_type in ((phases.SHARING_AUTO, 3), (phases.SHARING_ALL, 0)):
        cart = cart_of(sharing=sharing).work("oxo")
        cart.settle()
        cart.opens_with = (IDENTITY, system_type)
        cart.meanwhile("oxo")
        assert cart.recovery.revision() == 7 and cart.agrees() and cart.ledger.shares()
        cart.meanwhile("xoxox")  # the last known was fetched
        assert cart.agrees()
        cart.opens_with = (STATION, 3)
        cart.meanwhile("xox")
        assert cart.agrees() and cart.ledger.shares()


def test_answer_with_the_place_for_a_station_and_none_there_is_never_stored():
    for system_type, shares, sharing in (
        (0, True, phases.SHARING_AUTO),
        (0, False, phases.SHARING_AUTO),
        (3, False, phases.SHARING_AUTO),
        (3, True, phases.SHARING_ALL),
    ):
        cart = Cart(system_type, sharing=sharing)
        cart.memory.answers_below = shares
        cart.memory.make()
        cart.names = None
        cart.met().work("oxo")
        cart.meanwhile("xxoxx")
        cart.settle()
        assert cart.stored() == [2, 4] and cart.recovery.ownership.needs == "owner"
        assert cart.outcomes.count(phases.OUTCOME_NO_OWNER) == 1 and cart.recovery.phase == phases.PHASE_OFF
        cart.names = True
        cart.again()
        assert cart.agrees()


def test_ids_that_nobody_used_end_no_search():
    for sharing in (phases.SHARING_AUTO, phases.SHARING_ALL):
        for below, above in ((True, False), (False, False), (False, True)):
            for step in (1, 7):
                cart = Cart(sharing=sharing)
                cart.memory.answers_below = below
                cart.memory.answers_above = above
                cart.memory.make(1000)
                cart.met().work("oxo")
                cart.settle()
                cart.close()
                for number, letter in enumerate("xoxxoxxoxxxxoxoxxo"):
                    cart.memory.next_id += 3 if number in (4, 11) else step - 1
                    cart.memory.make_ours() if letter == "o" else cart.memory.make()
                cart.open()
                cart.settle(5000)
                assert sorted(cart.uids()) == cart.memory.ours, (sharing, below, above, step)


def test_search_ends_after_many_ids_in_a_row_that_nobody_has():
    for below, most in ((False, 300), (True, 60)):
        cart = Cart(sharing=phases.SHARING_ALL)
        cart.memory.answers_below = below
        cart.memory.make(1000)
        cart.met().work("oxo")
        cart.settle()
        cart.close()
        cart.memory.reset(500000)
        cart.memory.make()
        cart.memory.make_ours()
        cart.requested = []
        cart.open()
        cart.settle(5000)
        assert cart.uids()[-1] == cart.memory.ours[-1] and len(cart.requested) < most


def test_random_shifts_with_cuts_and_losses_bring_every_result_once():
    for seed in range(1, 40, 1 if LONG else 2 if HAS_ALL else 10):
        dice = Dice(seed)
        cart = cart_of()
        for _ in range(12):
            text = "".join(["ox"[dice.randrange(3) > 0] for _ in range(dice.randrange(30))])
            what = dice.randrange(4)
            if what == 0:
                cart.work(text)
            else:
                cart.meanwhile(text)
            for _ in range(dice.randrange(40)):
                cart.step()
            if what == 2:
                cart.again()
            elif what == 3:
                cart.start().open()
        cart.settle(5000)
        assert sorted(cart.uids()) == cart.memory.ours, seed


def stretch_of(most_ids=0):
    return shared_ids.SharedIds(STATION, True, most_ids)


def test_answer_with_lower_number_from_after_a_wrap_says_that_stretch_has_nothing():
    stretch = stretch_of()
    stretch.begin(3732930542, 500)
    stretch.add_answer(2, True)
    assert not stretch.seeks and stretch.next_of_ours(3732930542) == -1


def test_a_walk_that_was_cut_off_is_shorter_next():
    stretch = stretch_of()
    lengths = []
    for ends in (True, True, False, True, True, False, False, False, False, False):
        stretch.begin(1, 5000)
        lengths.append(stretch.last)
        if not ends:
            stretch = stretch_of(stretch.break_off())
        else:
            stretch.add_answer(5, True)  # a result: the next stretch is no longer than this one for that
    assert lengths == [500, 500, 500, 125, 250, 500, 125, 31, 7, 1]
    stretch.begin(1, 5000)
    assert stretch.last == 1


def owner_of(station, answer, at, length, revision):
    shared = shared_ids.SharedIds(station, False)
    shared.read_owner(answer, at, length, revision)
    return shared.owner


def test_whose_an_answer_is_says_revision_7_alone():
    for revision, station, wanted in (
        (7, 12, shared_ids.OWNER_OURS),
        (8, 12, shared_ids.OWNER_OURS),
        (7, 11, shared_ids.OWNER_OTHER),
        (6, 12, shared_ids.OWNER_NONE),
        (7, 0, shared_ids.OWNER_UNKNOWN),
    ):
        answer = fetched(revision, station_number=12)
        assert owner_of(station, b"##" + answer, 2, len(answer), revision) == wanted
        wide = b"%04d" % (len(answer) + 1) + answer[4:34] + b" " + answer[34:]
        assert owner_of(station, wide, 0, len(wide), revision) == wanted, "its VIN is an octet wider"


def test_number_of_a_station_may_have_blanks_and_nothing_else_beside_it():
    frame = fetched(7, station_number=12)
    for place, wanted in (
        (b"12        ", shared_ids.OWNER_OURS),
        (b"        12", shared_ids.OWNER_OURS),
        (b"  0012    ", shared_ids.OWNER_OURS),
        (b"         2", shared_ids.OWNER_OTHER),
        (b" " * 10, shared_ids.OWNER_UNKNOWN),
        (b"0" * 10, shared_ids.OWNER_UNKNOWN),
        (b"\0" * 10, shared_ids.OWNER_UNKNOWN),
        (b"12\0\0\0\0\0\0\0\0", shared_ids.OWNER_UNKNOWN),
        (b"+000000012", shared_ids.OWNER_UNKNOWN),
        (b"1 2       ", shared_ids.OWNER_UNKNOWN),
        (b"cell 12   ", shared_ids.OWNER_UNKNOWN),
    ):
        other = frame[:342] + place + frame[352:]
        assert owner_of(12, other, 0, len(other), 7) == wanted, place
    assert owner_of(12, frame, 0, 350, 7) == shared_ids.OWNER_UNKNOWN
    for named, station in ((b"        12", 12), (b"12        ", 12), (b"+000000012", 0), (b" " * 10, 0)):
        cart = Cart()
        cart.opens_with = (STATION[:41] + named, 3)
        assert cart.open().recovery.ownership.shared.station == station


def test_what_is_made_while_questions_are_rejected_is_fetched_later():
    for kind, code in ((error_codes.REJECTED_NEVER, 99), (error_codes.REJECTED_OTHER, 79)):
        cart = Cart().open()
        cart.settle()
        cart.work("xoxxo")
        cart.settle()
        cart.meanwhile("xoooxxo")
        while cart.ask() >= 0:
            cart.recovery.rejected(kind, cart.now, code)
            cart.work("xo")
            if len(cart.requested) > 9:
                break
        cart.now += 4000000
        assert cart.agrees(), kind


def test_rejection_within_a_stretch_closes_none_of_it():
    for turn in range(1, 12):
        cart = Cart().open()
        cart.settle()
        cart.work("xoxxo")
        cart.settle()
        cart.meanwhile("xoooxxoxo")
        asked = 0
        while cart.recovery.seeks():
            number = cart.ask()
            if number < 0:
                break
            asked += 1
            if asked == turn:
                cart.recovery.rejected(error_codes.REJECTED_OTHER, cart.now, 79)
            else:
                cart.answer(cart.memory.find(number))
        assert cart.agrees(), turn
