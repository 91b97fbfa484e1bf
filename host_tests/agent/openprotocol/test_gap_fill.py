"""What is gone of the range that is being fetched is reported once, and counted in the same step."""

from toolcart.agent.log.snapshot_fields import GONE
from toolcart.agent.openprotocol.gap_fill import WHY_NONE, GapFill
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.openprotocol.missing_bound import missing_most
from host_tests.support.recovery import FakeLog, FakeState, ReportedGaps

PORTABLE = True
HEAP = "8m"


def filling(*ranges):
    state = FakeState()
    state.log = FakeLog()
    ledger = IdLedger(state)
    for first, last in ranges:
        ledger.add(first, last)
    reported = ReportedGaps()
    made = GapFill(ledger, reported.put)
    if ranges:
        assert made.turn(ranges[0][0]) and not made.turn(ranges[0][0])
    return made, ledger, reported


def test_what_is_gone_is_reported_once():
    made, ledger, reported = filling((5, 9))
    reported.refuses = True
    for is_gone in (True, False, True, False, False):
        made.close(is_gone, WHY_NONE, 9)
    assert not made.flush() and missing_most(ledger) == 2 and ledger.state.numbers[GONE] == 0
    made.drop()
    ledger.load()
    assert ledger.ranges == [[5, 7]], "what is not counted is written as missing"
    made.turn(5)
    for is_gone in (True, False, True):
        made.close(is_gone, WHY_NONE, 9)
    assert ledger.doubted == 1, "what is fetched once more was here"
    reported.refuses = False
    assert (
        made.flush() and reported.runs == [(5, 7, 2, False)] and ledger.state.numbers[GONE] == 2 and ledger.ranges == []
    )


def test_counts_stay_within_what_the_state_can_hold():
    totals = []
    made, ledger, _ = filling((1, 4294967299))  # where it begins is not known
    made.gone = lambda first, last, count, total, epoch, why: totals.append((count, total)) or True
    for first in (1, 5 * 10**9):
        assert made.report(first, first + 3 * 10**9, 3 * 10**9 + 1, WHY_NONE)
    assert totals == [(0x3FFFFFFF, 0x3FFFFFFF)] * 2 and ledger.gone() == 0x3FFFFFFF
    assert made.report_lost_zero(2) and totals[-1] == (2, 0x3FFFFFFF)
    assert missing_most(ledger) == 0x3FFFFFFF
