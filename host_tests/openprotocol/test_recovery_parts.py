"""What a recovery is put together from: a question, what a look has heard, what was pushed, the range being fetched."""

from toolcart.agent.log.numbers import GONE
from toolcart.agent.openprotocol import question as qn
from toolcart.agent.openprotocol.filling import Filling
from toolcart.agent.openprotocol.known import DIGEST_BYTES, Known, pack_id
from toolcart.agent.openprotocol.question import UNANSWERED_MOST, Question
from host_tests.support.recovery import FakeLog, FakeState, Told

PORTABLE = True


def digest(number, rest=0):
    octets = bytearray(bytes((rest,)) * DIGEST_BYTES)
    pack_id(octets, 0, number)
    return octets


# -- a question --------------------------------------------------------------------------------------------------


def test_the_newest_has_nothing_beside_it():
    question = Question()
    for _ in range(3 * UNANSWERED_MOST):
        assert question.fails(False) and question.state == qn.ITSELF


# -- what was heard ----------------------------------------------------------------------------------------------


# -- what was pushed ---------------------------------------------------------------------------------------------


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


def test_what_is_gone_is_told_once():
    made, known, told = filling((5, 9))
    told.refuses = True
    for is_gone in (True, False, True, False, False):
        made.close(is_gone)
    assert not made.flush() and known.ranges == [[5, 9]] and known.numbers[GONE] == 0
    made.drop()
    assert known.doubted == 1, "what is fetched once more was here"
    told.refuses = False
    assert made.flush() and told.runs == [(5, 7, 2, False)] and known.numbers[GONE] == 2 and known.ranges == []


# -- whose the IDs are -------------------------------------------------------------------------------------------
