"""A controller that rejects a question now and then, though it has what is asked for, as one that is busy does."""

import pytest

from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController


class NowAndThen(OddController):
    """Of `each` questions for an ID the first one is rejected with this code."""

    def __init__(self, monkeypatch, each, code, **settings):
        super().__init__(monkeypatch, **settings)
        self.each = each
        self.code = code
        self.asked = 0

    def _answer(self, session, revision, number):
        self.asked += 1
        if number and self.asked % self.each == 0:
            self.requests.append(number)
            session.rejects(64, (True, self.code))
        else:
            super()._answer(session, revision, number)


@pytest.mark.parametrize(
    ("each", "code", "missed", "cut"), all_pairs([2, 3, 5], [79, 4, 58, 99, 73, 0], [1, 4, 12], [False, True])
)
def test_what_it_has_is_fetched(monkeypatch, each, code, missed, cut):
    one = NowAndThen(monkeypatch, each, code)
    one.cart.until_ready(5000)
    one.make(3)
    for _ in range(3):
        one.away(missed, cut=cut)
        one.make(2)
    one.cart.run(60000)
    twice, _, missing, gone, opened = books = one.books()
    assert missing == twice == gone == opened == 0, (books, one.cart.gone(), one.requests)
    assert len(one.requests) < 100 + 2 * 3 * (missed + 4), one.requests  # upward and downward, K in a row


@pytest.mark.parametrize(("code", "missed"), all_pairs([79, 4, 99, 0], [12, 40]))
def test_a_code_that_means_gone_costs_one_question_more(monkeypatch, code, missed):
    asked = []
    for gone_code in (15, code):
        one = OddController(monkeypatch, keeps=4)
        one.gone_code = gone_code
        one.cart.until_ready(5000)
        one.make(3)
        before = len(one.requests)
        one.away(missed)
        one.make(2)
        one.cart.run(60000)
        assert one.books()[2] == one.books()[3] == missed - 4, one.books()
        asked.append(len(one.requests) - before)
    assert asked[1] <= asked[0] + 3, asked


class ForAWhile(OddController):
    """It rejects each question with `code` while it `rejects`, and one in another revision with `unknown`, always."""

    def __init__(self, monkeypatch, revision, code, unknown):
        super().__init__(monkeypatch, controller={"recover_revisions": (revision,)})
        self.code = code
        self.unknown = unknown
        self.rejects = False

    def _answer(self, session, revision, number):
        self.requests.append(number)
        if session.rejects(64, (revision not in session.options.recover_revisions, self.unknown)):
            return
        if self.rejects and session.rejects(64, (True, self.code)):
            return
        super()._answer(session, revision, number)


@pytest.mark.parametrize(
    ("revision", "code", "unknown", "missed", "cut"),
    all_pairs([1, 2, 3], [79, 28], [75, 99, 73, 97], [1, 12], [False, True]),
)
def test_one_that_has_answered_is_asked_again_after_it_has_rejected_all_for_a_minute(
    monkeypatch, revision, code, unknown, missed, cut
):
    one = ForAWhile(monkeypatch, revision, code, unknown)
    one.cart.until_ready(5000)
    one.make(3)
    one.away(1)
    one.rejects = True
    one.away(missed, cut=cut)
    one.cart.run(60000)
    one.rejects = False
    one.make(2)
    one.cart.run(120000)
    twice, _, missing, gone, opened = books = one.books()
    assert missing == twice == gone == opened == 0, (books, one.cart.gone(), one.requests)


@pytest.mark.parametrize(("unknown", "cut"), all_pairs([75, 99, 73], [False, True]))
def test_where_it_no_longer_knows_the_question_that_is_believed(monkeypatch, unknown, cut):
    one = ForAWhile(monkeypatch, 2, unknown, unknown)
    one.cart.until_ready(5000)
    one.make(3)
    one.rejects = True
    one.away(12, cut=cut)
    before = len(one.requests)
    one.cart.run(60000)
    one.make(2)
    one.cart.run(60000)
    assert one.books()[2:] == (12, 12, 0), one.books()
    assert len(one.requests) == before, one.requests
