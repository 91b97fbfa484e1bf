"""Snapshots that cannot be read any more: what an older one says hides no record, and no number is used again."""

from toolcart.agent.log.log import LOG_DONE, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from toolcart.agent.log.mount import MOUNT_DONE, pass_gone
from toolcart.base.clock import Dice
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.log import STATE_BLOCKS, Area, append, held, take

PORTABLE = True
HEAP = "2m"

LIVES = 400 if LONG else 24 if HAS_ALL else 6
SNAPSHOT = 256
FRONT = STATE_BLOCKS + 3  # blocks of the state and the quarantine


class Life:
    """A log with two outlets that keep what they lack; now and then one of them goes back, and a session ends."""

    def __init__(self, dice):
        self.dice = dice
        self.area = Area(FRONT + 4 + dice.randrange(5), (1024, 4096)[dice.randrange(2)], 16)
        self.options = {"cursors": 2, "when_full": (WHEN_FULL_REFUSE, WHEN_FULL_OVERWRITE)[dice.randrange(2)]}
        self.acked = {}
        self.ident = 1
        self.log = self.area.mount(**self.options)[1]

    def go_on(self):
        dice, log, state = self.dice, self.log, self.area.state
        step = dice.randrange(20)
        if step < 8:
            for _ in range(1 + dice.randrange(12)):
                number = log.next
                if append(log, self.ident) == LOG_DONE:
                    self.acked[number] = self.ident
                    self.ident += 1
        elif step < 13:
            if state.ensure_reliable():
                waits = min([log.backlog_of(cursor) for cursor in log.cursors])
                for index in range(2):
                    take(log, dice.randrange(waits + 1), index)
        elif step < 15:
            state.save()
        elif step < 16:
            log.maintain()
        elif step < 18:
            cursor = log.cursors[dice.randrange(2)]
            log.seek(cursor, max(0, cursor.number - dice.randrange(30)))
            log.reopen()
        else:
            self.log = self.area.mount(**self.options)[1]
            self.log.settle()

    def end(self):
        """Return what a start finds of this: the records that count, by number."""
        log = self.area.clone().mount(**self.options)[1]
        log.visible = log.number
        return {number: payload for number, _, _, payload in held(log)}


def damaged(area, slots, fill):
    """Return a copy with these parts of its state overwritten."""
    twin = area.clone()
    for slot in slots:
        twin.flash.cells[slot * SNAPSHOT : (slot + 1) * SNAPSHOT] = bytes([fill]) * SNAPSHOT
    return twin


def take_one(log):
    for index in range(2):
        take(log, int(log.peek(log.cursors[index]) > 0), index)


def check(life, truth, slots, fill):
    """A start after this damage finds every record that is there, and gives each number to no other."""
    area = damaged(life.area, slots, fill)
    state, log = area.mount(**life.options)
    assert area.mount_result == MOUNT_DONE
    assert log.next > max(truth), "a number would be used again"
    visible, log.visible = log.visible, log.number
    found = {number: payload for number, _, _, payload in held(log)}
    for number in truth:
        assert found.get(number) == truth[number], "record %d is hidden" % number
    log.visible = visible
    for cursor in log.cursors:
        pass_gone(log, cursor)
    assert state.ensure_reliable()
    for _ in range(len(truth)):  # where no block is free the outlets have to take something first
        if log.settle():
            break
        take_one(log)
    assert not log.doubtful
    found = [number for number, _, _, _ in held(log)]
    waits = min([cursor.number for cursor in log.cursors])
    for number in truth:
        assert number <= waits or number in found or log.blocks.passed_over, "record %d is lost" % number
    number = log.next
    while append(log, 900) != LOG_DONE:
        take_one(log)
    assert log.number == number > max(truth)


def test_whatever_is_damaged_of_the_state_no_record_is_hidden_and_no_number_used_again():
    for seed in range(LIVES):
        life = Life(Dice(seed + 1))
        for _ in range(20 + seed % 50):
            life.go_on()
        truth = life.end()
        if not truth:
            continue
        count = STATE_BLOCKS * life.area.flash.block_bytes // SNAPSHOT
        cells = life.area.flash.cells
        used = [at for at in range(count) if min(cells[at * SNAPSHOT : (at + 1) * SNAPSHOT]) < 0xFF]
        sets = [[slot] for slot in used] + [used[-n:] for n in range(1, len(used) + 1)]
        for slots in sets:
            for fill in (0x11, 0xFF):
                try:
                    check(life, truth, slots, fill)
                except AssertionError as error:
                    raise AssertionError("life %d, damaged %r with %02x: %s" % (seed, slots, fill, error)) from error
