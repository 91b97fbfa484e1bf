"""ID 0 is rejected, and the first look ends with the connection: what a later one finds missing is fetched."""

import pytest

from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController
from host_tests.support.world import CONTROLLER


class Rejecting(OddController):
    """ID 0 is rejected with `code`; the connection ends in place of the answer to question number `ends`."""

    def __init__(self, monkeypatch, code, ends, **settings):
        super().__init__(monkeypatch, controller={"recover_revisions": (2,)}, **settings)
        self.code = code
        self.ends = ends

    def _answer(self, session, revision, number):
        self.requests.append((revision, number))
        if len(self.requests) == 1:
            self.make(3, 0)  # in front of the first answer
        if len(self.requests) == self.ends:
            self.cart.network.cut(*CONTROLLER)
            return
        result = self.answers(self.kept, number) if number else None
        is_known = revision in session.options.recover_revisions
        session.options.refusal_text = "  " if is_known and not number and self.code is None else None
        code = 15 if number else self.code or 79
        if not session.rejects(64, (not is_known, 97), (result is None, code)):
            session._say_old(result, revision)


@pytest.mark.parametrize(("code", "ends", "before"), all_pairs([79, None, 15, 97, 99], [6, 8, 17, 18, 20, 30], [0, 3]))
def test_what_is_missing_is_fetched(monkeypatch, code, ends, before):
    one = Rejecting(monkeypatch, code, ends)
    one.make(before)
    one.cart.until_ready(5000)
    one.cart.run(2000)
    one.away(5)
    one.make(2, 300)
    one.cart.run(40000)
    one.made = one.made[before:]
    assert one.books()[2:] == (0, 0, 0), (one.books(), one.requests)
