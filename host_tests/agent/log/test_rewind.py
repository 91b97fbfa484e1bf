"""Going back in a log by what a reader counts, past records that are none for it."""

from toolcart.agent.log.rewind import rewind
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.base.clock import Dice
from host_tests.support.log import Area, append, store, take_all


def event(log):
    ev.put_event(log.stage, log.payload_at, log.next, 1, ev.GONE)
    assert log.append(KIND_EVENT, 0, 23) == 0


def passed(count, seed, **area):
    """A log of results and events, and its cursor behind all of them; the log's number of each result."""
    log = Area(**area).mount()[1]
    dice = Dice(seed)
    numbers = []
    for _ in range(count):
        if dice.randrange(3) == 0:
            event(log)
        else:
            append(log, len(numbers) + 1)
            numbers.append(log.number)
    take_all(log)
    return log, log.cursors[0], numbers


def test_it_goes_no_further_than_the_log_reaches():
    log, cursor, numbers = passed(40, 7)
    rewind(log, cursor, 1000, 99999)
    assert cursor.number == 0 and cursor.number - cursor.sequence_lag == 0
    assert log.peek(cursor) > 0 and cursor.found == numbers[0]


def test_a_cut_after_a_cursor_that_went_back_to_the_oldest_leaves_no_doubt_that_stays():
    for count in range(60, 75):
        area = Area(10, 1024, 16)
        log = area.mount()[1]
        store(log, range(1, count + 1), take_all)
        rewind(log, log.cursors[0], 1000, 99999)
        oldest = log.cursors[0].number
        assert area.state.save() and 0 < oldest < count - 7
        code = append(log, count + 1)  # no block may be free now
        area.flash.restart()
        log = area.mount()[1]
        assert log.state.ensure_reliable() and log.settle(), count
        last = count if code else count + 1
        take_all(log)
        assert log.cursors[0].number == log.number == last and append(log, last + 1) == 0


def test_who_reads_may_count_less_than_it_wants():
    log, cursor, numbers = passed(60, 3)
    cursor.sequence_lag = cursor.number - len(numbers) // 2
    count = [0]

    def every_other():
        count[0] += 1
        return log.page[log.at] % 2 == 0  # by its number

    rewind(log, cursor, 3, 99999, every_other)
    counts = []
    while log.peek(cursor) > 0:
        counts.append(cursor.found)
        cursor.advance()
    assert sum(number % 2 == 0 for number in counts) == 3 and count[0] > 0
