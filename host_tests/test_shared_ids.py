"""A controller whose stations share its tightening IDs: all of ours, once, in order, and none of another station's.

Rules of the model are those of the Power Focus 6000, software 2.8: one counter for all stations; MID 0064 with n is
answered with the newest result at or below n, of any station; 0 means the newest of the whole controller.
"""

from agent import health as h
from agent.openprotocol import shared
from agent.openprotocol.ids import ID_PERIOD
from agent.openprotocol.questions import PHASE_OFF
from agent.store import NOT_SURE
from host_tests.support_frames import light
from host_tests.support_world import CONTROLLER, Cart
from tools.sim.clock import Dice

PORTABLE = True
HEAVY = True
HEAP = "6m"


def cart_of(settings=None, **options):
    options = dict({"answers_below": True, "max_clients": 9, "recover_revisions": tuple(range(1, 9))}, **options)
    cart = Cart(controller=options, **(settings or {}))
    cart.controller.identity.system_type = 3
    if cart.controller.options.answers_below:
        cart.controller.produce_elsewhere()  # before it was met: not ours
    else:
        cart.controller.produce()
        cart.controller.produced.clear()
    return cart.ready().settle()


def make(cart, text, every_ms=20):
    """Tighten at ours (o) and at another station (x), in this order."""
    for letter in text:
        if letter == "o":
            cart.controller.produce()
        else:
            cart.controller.produce_elsewhere()
        cart.run(every_ms)


def away(cart, text):
    """The same while the agent is away."""
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.run(3000)
    make(cart, text, 0)
    cart.network.up(CONTROLLER[0], CONTROLLER[1])


def asked(cart):
    return cart.controller.messages.get(64, 0)


def agrees(cart):
    """Everything produced at ours is stored once, oldest first; nothing of another station is."""
    cart.settle(3600000)
    assert cart.stored_ids() == cart.controller.produced
    assert cart.raw() == [] and cart.station.known.gone() == 0


def test_push_that_comes_before_anything_was_asked_waits_since_it_would_hide_what_is_in_front():
    cart = cart_of()
    make(cart, "oxo")
    cart.settle()
    station = cart.station
    station.recovery.closed()  # as between two sessions, and until the next one is ready
    before = station.ring.number
    frame = light(tightening_id=9, time="2026-03-01:06:00:09")
    assert station.known.shares() and station.intake.store.put_pushed(frame, 0, len(frame), 999, False, 0) == NOT_SURE
    assert station.ring.number == before and station.known.top() < 9


def test_session_begins_in_revision_6_where_the_controller_is_a_power_focus_6000():
    cart = cart_of()
    session = cart.station.session
    assert session.start_revisions[session.start_index] == 6
    assert bytes(session.identity[41:51]) == b"0000000001"
    assert cart.controller.messages[3] == 1 and cart.controller.complaints == []
    cart = cart_of(start_revisions=(1, 2, 3, 4, 5))  # one that knows no 6 is served as well as can be
    make(cart, "oo")
    cart.settle()
    assert cart.stored_ids() == [2, 3] and cart.station.recovery.shared is None


def test_what_was_missed_among_other_stations_results_is_fetched_in_order():
    cart = cart_of()
    make(cart, "oxxo")
    cart.settle()
    away(cart, "xxoxooxxxoxx")
    agrees(cart)
    assert cart.station.known.shares()
    before = asked(cart)
    away(cart, "xoxoxo")
    agrees(cart)
    assert asked(cart) - before <= 2 + 6 + 3 + 1  # the newest, the witness; each result on the way down; ours once more


def test_jumps_of_pushed_ids_ask_for_nothing_once_the_ids_are_known_to_be_shared():
    cart = cart_of()
    make(cart, "o")
    away(cart, "xo")
    cart.settle()
    before = asked(cart), cart.gaps()
    make(cart, "xxxoxxoxxxxo")
    agrees(cart)
    assert (asked(cart), cart.gaps()) == before


def test_controller_that_counts_for_each_station_is_asked_as_ever():
    cart = cart_of(answers_below=False)
    make(cart, "oo")
    cart.settle()
    away(cart, "oooo")
    agrees(cart)
    assert not cart.station.known.shares() and asked(cart) == 1 + 2 + 4  # the newest; both; what is missing


def test_ids_in_which_nothing_exists_take_a_few_questions():
    cart = cart_of()
    make(cart, "ox")
    away(cart, "xo")
    cart.settle()
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.run(3000)
    cart.controller.jump_ids(15000)
    make(cart, "xoxo", 0)
    cart.controller.jump_ids(3000)
    make(cart, "xx", 0)
    cart.network.up(CONTROLLER[0], CONTROLLER[1])
    before = asked(cart)
    agrees(cart)
    assert asked(cart) - before < 40


def test_more_of_ours_than_are_noted_come_in_order_too():
    cart = cart_of(memory=5000)
    make(cart, "ox")
    away(cart, "xo")
    cart.settle()
    away(cart, "oxo" * 230)
    before = asked(cart)
    agrees(cart)
    assert asked(cart) - before < 3 * 690


def test_deleted_results_of_ours_and_of_others_hold_up_nothing():
    cart = cart_of()
    make(cart, "ox")
    away(cart, "xo")
    cart.settle()
    away(cart, "oxoxoxox")
    for number in (6, 7, 10):
        cart.controller.forget(number)
        if number in cart.controller.produced:
            cart.controller.produced.remove(number)
    agrees(cart)


def test_answer_that_does_not_say_whose_it_is_is_never_stored():
    cart = cart_of(recover_revisions=(1, 2, 3, 4, 5, 6))
    make(cart, "oxo")
    away(cart, "xxoxx")
    cart.run(120000)
    assert cart.stored_ids() == [2, 4]
    assert cart.counted(h.NO_OWNER) == 2 and cart.station.recovery.phase == PHASE_OFF
    make(cart, "o")
    cart.run(5000)
    assert cart.stored_ids() == [2, 4, 10]


def test_controller_that_was_believed_to_share_and_names_no_station_is_asked_as_ever():
    cart = cart_of()
    make(cart, "oxo")
    away(cart, "xo")
    cart.settle()
    assert cart.station.known.shares()
    cart.controller.identity.system_type = 1
    cart.controller.options.start_revisions = (1, 2, 3, 4, 5)
    cart.controller.options.answers_below = False
    away(cart, "oooo")
    agrees(cart)
    make(cart, "o")
    away(cart, "oo")
    agrees(cart)
    assert not cart.station.known.shares()


def test_one_answer_alone_does_not_show_that_ids_are_shared():
    cart = cart_of(answers_below=False)
    make(cart, "ooo")
    cart.settle()
    for spoiled in (1, 2):  # how many answers in a row name another station
        asked_before = asked(cart)
        cart.controller.options.fetched_as = {"station_number": 2}
        cart.network.cut(CONTROLLER[0], CONTROLLER[1])
        cart.until(lambda: asked(cart) >= asked_before + spoiled)  # noqa: B023
        cart.controller.options.fetched_as = {}
        cart.settle()
        assert cart.station.known.shares() == (spoiled == 2)
    make(cart, "o")
    away(cart, "ooo")
    agrees(cart)


def test_power_focus_6000_that_names_no_station_for_once_is_waited_for():
    cart = cart_of()
    make(cart, "oxo")
    away(cart, "xo")
    cart.settle()
    cart.controller.identity.station_number = None
    away(cart, "oxo")
    cart.run(120000)
    assert cart.station.known.shares() and len(cart.stored_ids()) == 3
    cart.controller.identity.station_number = 1
    away(cart, "xox")
    agrees(cart)


def test_push_behind_one_that_found_no_room_is_not_taken_before_it():
    cart = cart_of(settings={"blocks": 6})
    make(cart, "ox")
    away(cart, "xo")
    cart.settle()
    cart.station.ring.when_full = 0
    for _ in range(60):
        make(cart, "oxo")
        cart.run(1000)
    assert cart.station.intake.full
    stored = cart.stored_ids()
    assert stored == cart.controller.produced[: len(stored)]


def test_setting_decides_before_any_answer_does():
    cart = cart_of(settings={"settings": {"tightening_ids": "shared"}})
    make(cart, "o")
    cart.settle()
    before = asked(cart)
    make(cart, "xxxo")
    cart.settle()
    assert cart.station.known.shares() and cart.stored_ids() == [2, 6] and asked(cart) == before
    cart = cart_of(settings={"settings": {"tightening_ids": "own"}}, answers_below=False)
    make(cart, "oo")
    away(cart, "oo")
    agrees(cart)
    assert not cart.station.known.shares()


def test_random_shifts_with_cuts_and_losses_bring_every_result_once():
    for seed in range(1, 25):
        dice = Dice(seed)
        cart = cart_of(nul=("normal", "late")[seed % 2])
        for _ in range(12):
            text = "".join(["ox"[dice.randrange(3) > 0] for _ in range(dice.randrange(30))])
            what = dice.randrange(4)
            if what == 0:
                make(cart, text)
            else:
                away(cart, text)
            cart.run(dice.randrange(4000))
            if what == 2:
                cart.network.cut(CONTROLLER[0], CONTROLLER[1])
            elif what == 3:
                cart.cut()
        cart.run(600000)  # a push that had to come again is owed an answer for good, and would not let it settle
        ids = cart.stored_ids()
        assert sorted(ids) == cart.controller.produced, seed


def test_a_stretch_is_known_when_an_answer_lies_below_it():
    stretch = shared.Stretch()
    assert not stretch.begin(100, 10) and stretch.asked == 109
    assert not stretch.hear(107, True) and stretch.asked == 106
    assert not stretch.hear(103, False) and stretch.asked == 102
    assert stretch.hear(99, True) and stretch.ours == [107]
    assert not stretch.begin(100, 10)
    assert not stretch.hear(109, True) and stretch.hear(100, True) and stretch.ours == [109, 100]


def test_a_stretch_goes_over_the_wrap_past_0_which_cannot_be_asked_for():
    stretch = shared.Stretch()
    stretch.begin(ID_PERIOD - 2, 4)
    assert stretch.asked == 1
    assert not stretch.hear(1, True) and stretch.asked == ID_PERIOD - 1
    assert not stretch.hear(ID_PERIOD - 1, False) and stretch.asked == ID_PERIOD - 2
    assert stretch.hear(ID_PERIOD - 3, True) and stretch.ours == [1]
    assert stretch.begin(0, 1)


def test_an_empty_stretch_doubles_the_next_one():
    stretch = shared.Stretch()
    stretch.begin(1000, 100000)
    assert stretch.last == 999 + shared.STRETCH_IDS
    assert stretch.hear(5, False)
    stretch.begin(1000 + shared.STRETCH_IDS, 100000)
    assert stretch.last == 999 + 3 * shared.STRETCH_IDS
    stretch.hear(stretch.last, True)
    stretch.begin(stretch.last + 1, 100000)
    assert stretch.last - stretch.first + 1 == shared.STRETCH_IDS


def test_whose_an_answer_is_says_revision_7_alone():
    frame = b"x" * 342 + b"0000000012" + b" " * 27
    for revision, station, wanted in (
        (7, b"0000000012", shared.OWNER_OURS),
        (8, b"0000000012", shared.OWNER_OURS),
        (7, b"0000000011", shared.OWNER_OTHER),
        (6, b"0000000012", shared.OWNER_NONE),
    ):
        assert shared.owner_of(station, b"##" + frame, 2, len(frame), revision) == wanted
    for blank in (b" " * 10, b"0" * 10, b"\0" * 10, b"12        "):
        other = frame[:342] + blank + frame[352:]
        assert shared.owner_of(b"0000000012", other, 0, len(other), 7) == shared.OWNER_NONE
    assert shared.owner_of(b"0000000012", frame, 0, 350, 7) == shared.OWNER_NONE


def test_walk_that_a_connection_did_not_live_to_see_the_end_of_is_shorter_in_the_next_one():
    stretch = shared.Stretch()
    lengths = []
    for ends in (True, True, False, True, True, False, False, False, False, False):
        stretch.begin(1, 5000)
        lengths.append(stretch.last)
        if not ends:
            stretch.break_off()
            stretch = shared.Stretch(stretch.most_ids)
        else:
            stretch.hear(5, True)  # a result: the next stretch is no longer than this one for that
    assert lengths == [500, 500, 500, 125, 250, 500, 125, 31, 7, 1]
    stretch.begin(1, 5000)
    assert stretch.last == 1
