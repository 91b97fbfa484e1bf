"""What a recovery is put together from: a question, what a look has heard, what was pushed, the range being fetched."""

from toolcart.agent.log.numbers import GONE
from toolcart.agent.openprotocol import question as qn
from toolcart.agent.openprotocol.filling import CLOSED_MOST, Filling
from toolcart.agent.openprotocol.heard import Heard
from toolcart.agent.openprotocol.ids import ID_PERIOD, open_below
from toolcart.agent.openprotocol.known import DIGEST_BYTES, Known, pack_id
from toolcart.agent.openprotocol.pushes import NONE, Pushes
from toolcart.agent.openprotocol.question import UNANSWERED_MOST, Question
from toolcart.agent.openprotocol.questions import SHARING_ALL, SHARING_AUTO, SHARING_OWN
from toolcart.agent.openprotocol.whose import GONE_OWN, GONE_SHARED, Whose
from host_tests.support.recovery import IDENTITY, STATION, FakeLog, FakeState, Told

PORTABLE = True


def digest(number, rest=0):
    octets = bytearray(bytes((rest,)) * DIGEST_BYTES)
    pack_id(octets, 0, number)
    return octets


# -- a question --------------------------------------------------------------------------------------------------


def test_a_question_that_is_not_answered_is_asked_beside_and_then_for_the_last_time():
    question = Question()
    question.begin(7)
    for _ in range(UNANSWERED_MOST):
        assert question.state == qn.ITSELF and question.fails(True)
    assert question.state == qn.BESIDE and question.fails(True)
    assert question.state == qn.ITSELF and question.fails(True), "nothing is answered: it goes on"
    assert question.state == qn.BESIDE and question.is_answered_beside()
    assert question.state == qn.LAST and not question.is_answered_beside(), "that is its own answer"
    assert not question.fails(True), "it is given up"
    question.begin(8)
    assert (question.state, question.tries, question.asked) == (qn.ITSELF, 0, 8)


def test_the_newest_has_nothing_beside_it():
    question = Question()
    for _ in range(3 * UNANSWERED_MOST):
        assert question.fails(False) and question.state == qn.ITSELF


def test_a_question_goes_to_each_spindle_in_turn():
    question = Question()
    question.begin(7)
    assert question.turn_spindle(2) and question.spindle == 2
    question.there = True
    question.fails(True)
    assert not question.turn_spindle(2) and question.spindle == 1 and question.there and question.tries == 0
    question.begin(8)
    assert not question.there and not question.turn_spindle(1)


# -- what was heard ----------------------------------------------------------------------------------------------


class Top:
    """In place of toolcart.agent.openprotocol.known: this digest is the highest known."""

    def __init__(self, octets):
        self.octets = octets

    def is_top(self, other):
        return other == self.octets


def test_of_several_newest_the_highest_counts_and_of_equals_the_known_one():
    heard = Heard()
    assert heard.is_nothing() and heard.is_below(1)
    known = Top(digest(9, 5))
    heard.take_newest(7, digest(7), True, known)
    heard.take_newest(9, digest(9, 4), False, known)
    assert heard.newest == 9 and not heard.is_held, "it is another one"
    heard.take_newest(8, digest(8), True, known)
    assert heard.newest == 9 and not heard.is_held
    heard.take_newest(9, digest(9, 5), True, known)
    assert heard.top == digest(9, 5) and heard.is_held
    heard.take_newest(9, digest(9, 4), False, known)
    assert heard.top == digest(9, 5) and heard.is_held
    heard.miss_up_to_newest(True)
    assert heard.upto == 8
    heard.miss_up_to_newest(False)
    assert heard.upto == 9


def test_a_look_that_begins_has_heard_nothing():
    heard = Heard()
    heard.take(3, digest(3))
    heard.is_held = heard.is_zero_gone = heard.is_higher = heard.is_afresh = heard.is_reset = True
    heard.first = heard.upto = heard.row = 7
    heard.forget()
    assert heard.is_nothing() and heard.first == heard.upto == heard.row == 0
    assert not (heard.is_held or heard.is_zero_gone or heard.is_higher or heard.is_afresh or heard.is_reset)


# -- what was pushed ---------------------------------------------------------------------------------------------


def test_a_run_ends_with_what_does_not_come_next():
    pushes = Pushes()
    assert pushes.follows(5) and pushes.take(5, digest(5))
    assert pushes.follows(6) and not pushes.take(6, digest(6))
    assert pushes.first == digest(5) and pushes.last == 6
    assert not pushes.follows(6) and not pushes.follows(4) and pushes.follows(8)
    assert pushes.take(8, digest(8)) and pushes.first == digest(8)
    pushes.close()
    assert pushes.last == NONE and pushes.take(9, digest(9)), "what is pushed behind a closed run is another one"
    assert pushes.take(ID_PERIOD - 1, digest(ID_PERIOD - 1)) and not pushes.take(1, digest(1)), "0 is not asked for"


def test_what_is_skipped_is_counted_once():
    pushes = Pushes()
    assert pushes.skipped() is None
    pushes.take(5, digest(5))
    assert pushes.skipped() is None, "what came before is not known"
    pushes.take(6, digest(6))
    assert pushes.skipped() is None
    pushes.ended()
    pushes.take(9, digest(9))
    assert pushes.skipped() == (7, 8) and pushes.skipped() is None


def test_what_another_connection_has_pushed_or_proven_is_not_skipped():
    for happens in (lambda pushes: pushes.ended(), lambda pushes: pushes.proven()):
        pushes = Pushes()
        pushes.take(5, digest(5))
        assert pushes.skipped() is None
        pushes.take(7, digest(7))
        happens(pushes)
        pushes.take(9, digest(9))
        assert pushes.skipped() is None


# -- the range that is being fetched -----------------------------------------------------------------------------


def filling(*ranges):
    state = FakeState()
    state.log = FakeLog()
    known = Known(state)
    for first, last in ranges:
        known.add(first, last)
    told = Told()
    made = Filling(known, told.put)
    if ranges:
        assert made.turn(ranges[0][0]) and not made.turn(ranges[0][0])
    return made, known, told


def test_what_is_closed_is_saved_every_few_and_at_the_end():
    made, known, told = filling((5, 60))
    for _ in range(CLOSED_MOST):
        assert not made.is_due()
        made.close(False)
    assert made.is_due() and known.ranges == [[5, 60]]
    assert made.flush() and known.ranges == [[37, 60]] and not made.is_due() and known.state.saves == 1
    assert made.flush() and known.state.saves == 1, "nothing has changed"
    while made.left_to(60):
        made.close(False)
    assert made.flush() and known.ranges == [] and told.runs == []


def test_what_is_gone_is_told_once_and_stays_open_until_it_can_be():
    made, known, told = filling((5, 9))
    told.refuses = True
    for is_gone in (True, False, True, False, False):
        made.close(is_gone)
    assert not made.flush() and known.ranges == [[5, 9]] and known.numbers[GONE] == 0
    made.drop()
    assert known.doubted == 1, "what is fetched once more was here"
    told.refuses = False
    assert made.flush() and told.runs == [(5, 7, 2, False)] and known.numbers[GONE] == 2 and known.ranges == []


def test_what_was_never_made_is_not_gone():
    made, known, told = filling((open_below(50), 50))
    made.jump(40, True)
    assert made.is_due() and made.flush() and told.runs == [] and known.ranges == [[40, 50]]
    made.jump(45, True)
    made.skip(47)
    assert made.flush() and told.runs == [(40, 44, 5, False)] and known.ranges == [[47, 50]]


def test_a_refused_snapshot_is_counted_and_nothing_is_told_twice():
    made, known, told = filling((5, 9))
    made.close(True)
    known.state.refuses = 1
    assert made.flush() and known.not_saved == 1 and told.runs == [(5, 5, 1, False)]
    made.close(True)
    assert made.flush() and told.runs == [(5, 5, 1, False), (6, 6, 1, False)]


def test_a_range_that_is_another_one_by_now_is_not_closed():
    made, known, told = filling((5, 9))
    made.close(True)
    known.forget_ranges()
    assert made.flush() and told.runs == []
    known.add(20, 30)
    assert made.flush() and made.turn(20) and made.at == 20


# -- whose the IDs are -------------------------------------------------------------------------------------------


def test_a_setting_and_earlier_answers_say_at_first_whose_the_ids_are():
    for sharing, identity, system, shares, most, needs, names in (
        (SHARING_AUTO, IDENTITY, 1, False, GONE_OWN, "", False),
        (SHARING_AUTO, IDENTITY, 0, False, GONE_SHARED, "", False),
        (SHARING_AUTO, STATION, 3, False, GONE_SHARED, "", True),
        (SHARING_OWN, STATION, 3, False, GONE_OWN, "", False),
        (SHARING_ALL, STATION, 1, True, GONE_SHARED, "", True),
        (SHARING_ALL, IDENTITY, 1, True, GONE_SHARED, "station_id", False),
    ):
        known = filling()[1]
        whose = Whose(sharing)
        assert whose.opened(identity, system, False, known) == names, (sharing, system)
        assert (whose.shares, whose.gone_most, whose.needs) == (shares, most, needs), (sharing, system)
        assert not whose.is_other, "none is known"


def test_another_controller_is_believed_when_it_names_itself_twice():
    known = filling()[1]
    whose = Whose(SHARING_AUTO)
    whose.opened(IDENTITY, 1, False, known)
    known.put_controller(whose.identity, False, False)
    other = bytearray(IDENTITY)
    other[35] ^= 1
    whose.opened(bytes(other), 1, False, known)
    assert whose.is_other and not whose.is_believed() and whose.is_believed()
    whose.opened(IDENTITY, 1, False, known)
    assert not whose.is_other
