"""Which revision is next: what was rejected or cut off is asked for again only when nothing else is left."""

from toolcart.agent.openprotocol.revision_fallback import CUTS_MOST, Revisions

PORTABLE = True


ALL = (5, 6, 4, 3)


def order(revisions, step, count):
    """Return what is asked for in turn while each comes to nothing in this way."""
    order_wanted = []
    for _ in range(count):
        order_wanted.append(revisions.wanted())
        step(revisions)
    return order_wanted


def test_each_is_asked_for_before_any_comes_again():
    for step in (Revisions.rejected, Revisions.cut, Revisions.occupied):
        assert order(Revisions(ALL), step, 9) == [5, 6, 4, 3, 5, 6, 4, 3, 5]


def test_a_rejection_says_whether_another_one_is_left():
    for step in (Revisions.rejected, Revisions.cut):
        revisions = Revisions(ALL)
        assert [step(revisions) for _ in range(5)] == [True, True, True, False, True]
        assert revisions.is_exhausted
        revisions.answered()
        assert not revisions.is_exhausted


def test_one_that_stood_is_given_up_after_the_third_cut_in_row():
    revisions = Revisions(ALL)
    revisions.rejected()
    revisions.accepted()
    assert order(revisions, Revisions.cut, CUTS_MOST + 2) == [6] * CUTS_MOST + [4, 3]
    revisions = Revisions(ALL)
    revisions.accepted()
    for _ in range(10):
        revisions.cut()
        revisions.cut()
        assert revisions.wanted() == 5
        revisions.accepted()


def test_cuts_of_a_controller_that_answers_are_believed():
    revisions = Revisions(ALL)
    assert order(revisions, Revisions.cut, 2) == [5, 6]
    assert not revisions.answered()
    assert order(revisions, Revisions.cut, 2) == [5, 6]
    assert revisions.wanted() == 4 and revisions.answered()
    revisions = Revisions(ALL)
    revisions.rejected()
    assert order(revisions, Revisions.cut, 1) == [6]  # it had rejected the one before
    assert revisions.wanted() == 4 and revisions.answered()


def test_a_rejected_one_is_not_preferred_until_it_has_stood():
    revisions = Revisions(ALL)
    assert revisions.prefer(6) and revisions.wanted() == 6
    assert not revisions.prefer(7)
    revisions.rejected()
    assert not revisions.prefer(6) and revisions.wanted() == 5
    revisions.answered()
    revisions.accepted()
    assert not revisions.prefer(6)
    for _ in range(len(ALL)):
        revisions.rejected()  # all but the last are left: 6 was rejected before
    assert revisions.prefer(6)
