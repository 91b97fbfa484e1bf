"""A controller that ends the connection at a question for an ID that it does not have, and answers all others."""

from toolcart.agent.openprotocol.question_revisions import REVISIONS, QuestionRevisions
from toolcart.agent.openprotocol.requests import SAME_MOST, OldResultRequest
from toolcart.agent.openprotocol.revision_fallback import _ENDS_MOST
from host_tests.support.recovery import REQUEST_EVERY_MS, Bench, Memory

PORTABLE = True
HEAP = "2m"


def settle(bench, questions=400):
    """Answer so many questions; return how many connections have ended with one."""
    ends = 0
    for _ in range(questions):
        number = bench.ask()
        if number >= 0:
            result = bench.memory.find(number)
            bench.now -= REQUEST_EVERY_MS - 1000  # it goes on at once
            if result is None and number:
                ends += 1
                bench.again()
            else:
                bench.answer(result)
    return ends


def test_first_contact_ends_few_connections_and_all_is_fetched():
    for first in (1, 2, 1000):
        bench = Bench(Memory(first)).open()
        for _ in range(6):
            bench.live()
        ends = settle(bench)
        assert ends <= 12, (first, ends)
        bench.close()
        for _ in range(5):
            bench.memory.make()
        bench.open()
        ends = settle(bench)
        assert ends <= 4 and sorted(bench.uids()) == list(range(1, 12)), (first, ends)
        assert settle(bench, 50) == 0


def test_what_a_small_memory_has_lost_ends_few_connections_and_what_it_has_is_fetched():
    for limit, away in ((2, 6), (5, 12), (5, 40)):
        for resets in (False, True):
            bench = Bench(Memory(1, limit)).met(6)
            bench.close()
            if resets:
                bench.memory.reset()
            for _ in range(away):
                bench.memory.make()
            bench.open()
            ends = settle(bench)
            there = [one.uid for one in bench.memory.kept]
            assert set(there) <= set(bench.uids()), (limit, away, resets, ends, bench.uids())
            assert ends <= 30, (limit, away, resets, ends)


def test_the_same_question_at_the_end_of_connections_is_left_out_though_others_were_answered():
    request = OldResultRequest()
    for count in range(SAME_MOST + _ENDS_MOST):
        assert not request.revisions.is_suspended(), count
        for asked in (b"0000000000", b"0000000999"):
            request.asked_id[:] = asked
            request.asked(0)
            if asked == b"0000000000":
                request.answered()
        request.connection_ended(0, True)
    assert request.revisions.is_suspended()
    request = OldResultRequest()
    revisions = QuestionRevisions(REVISIONS)
    for count in range(2 * len(REVISIONS) + 3):  # each revision has its turn
        assert not request.revisions.is_suspended(), count
        request.asked(0)
        request.connection_ended(0, True)
        if revisions.ended(True):
            request.revisions.forget_ends()
    assert request.revisions.is_suspended()
    request = OldResultRequest()
    for count in range(40):  # a network that fails while much is fetched
        request.asked_id[:] = b"%010d" % count
        request.asked(0)
        request.answered()
        request.connection_ended(0, True)
    assert not request.revisions.is_suspended()
