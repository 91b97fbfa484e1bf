"""The end of the log cannot be read any more: no number that a record there may have had is given to another one."""

from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE, pass_gone
from toolcart.agent.log.snapshot_fields import DAMAGED, JUMPED
from toolcart.base.clock import Dice
from host_tests.agent.log.test_damaged_state import FRONT, LIVES, Life
from host_tests.support.log import Area, append, numbers, store, take_all

PORTABLE = True
HEAP = "2m"

SECTOR = 512
FIRST = 192  # where the second record of a block begins


def sectors_at_the_end(life):
    """Return where the log's last sectors lie, the newest first; never the first record of its newest block."""
    log = life.log
    begin = (FRONT + log.block) * log.device.block_bytes
    last = begin + (log.offset - 1) // SECTOR * SECTOR
    return [(max(begin + FIRST, last - n * SECTOR), last + SECTOR) for n in range(4)]


def check(life, truth, begin, end, fill, dice):
    """Return how many records are gone, once two starts have said the right things of it."""
    area = life.area.clone()
    area.flash.wears = False
    for at in range(begin, end):
        area.flash.cells[at] = dice.randrange(256) if fill < 0 else fill
    state, log = area.mount(**life.options)
    assert area.mount_result == MOUNT_DONE
    gone = sum(number > log.number for number in truth)
    if gone < 2:
        return gone  # one may be what a cut has left
    assert log.next > max(truth), "%d of %d: number %d is given again" % (gone, len(truth), log.next)
    damaged, following = state.numbers[DAMAGED], log.next
    awaited = max(truth) > min([cursor.number for cursor in log.cursors])
    assert damaged or not awaited, "%d are gone in silence" % gone
    assert state.save()
    state, log = area.mount(**life.options)
    assert log.next == following and state.numbers[DAMAGED] == damaged, "the second start says something else"
    for cursor in log.cursors:
        pass_gone(log, cursor)
    for _ in range(len(truth)):
        if append(log, 900) == LOG_DONE:
            break
        for index in range(2):
            if log.peek(log.cursors[index]) > 0:
                log.cursors[index].advance()
    assert log.number == following
    return gone


def test_no_number_of_a_damaged_tail_is_given_again():
    gone = 0
    for seed in range(LIVES):
        dice = Dice(seed + 1)
        life = Life(dice)
        for _ in range(20 + seed % 50):
            life.go_on()
        truth = life.end()
        if life.log.number not in truth:
            continue
        for begin, end in sectors_at_the_end(life):
            for fill in (0, -1):
                try:
                    gone += check(life, truth, begin, end, fill, dice)
                except AssertionError as error:
                    raise AssertionError("life %d, %d to %d: %s" % (seed, begin, end, error)) from error
    assert gone > 0


def test_what_one_cut_write_leaves_skips_no_number():
    for count in (1, 3, 5):
        for octets in (1, 40, 128):
            for fill in (0, 0x5A):
                area = Area(16, 1024)
                area.flash.wears = False
                log = area.mount()[1]
                store(log, numbers(1, count))
                at = (FRONT + log.block) * 1024 + log.offset
                area.flash.cells[at : at + octets] = bytes([fill]) * octets
                state, log = area.mount()
                assert log.next == count + 1 and log.settle()
                store(log, [count + 1])
                take_all(log)
                assert log.number == count + 1 and state.numbers[DAMAGED] == state.numbers[JUMPED] == 0
