"""A block that reads as its older content, or as nothing: whatever a cursor passes unread is counted."""

from toolcart.agent.log.log import LOG_DONE, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from toolcart.agent.log.mount import pass_gone
from toolcart.agent.log.reader import WORN
from toolcart.agent.log.snapshot_fields import DAMAGED, JUMPED, MISSED, OVERWRITTEN
from toolcart.base.clock import Dice
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.log import Area, append, read_all, store, take

PORTABLE = True
HEAP = "2m"

LIVES = 400 if LONG else 40 if HAS_ALL else 20
FRONT = 4 + 3  # blocks of the state and the quarantine


def content_of(flash, block):
    """Return the block, and what it reads as now."""
    at = block * flash.block_bytes
    return block, bytes(flash.cells[at : at + flash.block_bytes])


def restore(flash, block, cells):
    """Have the block read as this from now on."""
    flash.cells[block * flash.block_bytes : block * flash.block_bytes + len(cells)] = cells


def test_what_an_oldest_block_had_is_counted_when_it_is_blank():
    for taken in (0, 3):
        area = Area(16, 1024)
        log = area.mount()[1]
        store(log, range(1, 21))
        take(log, taken)
        assert area.state.save()
        first = sorted(number for number in log.firsts if number)[1]
        block = FRONT + log.place_of(1)
        restore(area.flash, block, b"\xff" * 1024)
        log = area.mount()[1]
        log.settle()
        assert [number for number, _ in read_all(log)] == list(range(first, 21))
        assert area.state.numbers[DAMAGED] == first - 1 - taken


def test_damage_after_what_another_cursor_has_counted_is_counted_too():
    area = Area(16, 1024)
    log = area.mount(cursors=2, best_effort=(1,))[1]
    store(log, range(1, 21))
    blocks = [FRONT + log.place_of(number) for number in (20 // 2, 1)]
    for block in blocks:  # the second one goes when the first cursor has passed it
        restore(area.flash, block, b"\xff" * 1024)
        if block == blocks[0]:
            readable = len(read_all(log))
            assert area.state.numbers[DAMAGED] == 20 - readable > 0
    readable = len(read_all(log, 1))
    assert area.state.numbers[DAMAGED] == 20 - readable > 4


class Life:
    """A log with an outlet that keeps what it lacks and one that may not, on a flash whose blocks go back in time."""

    def __init__(self, dice):
        self.dice = dice
        blocks = FRONT + 3 + dice.randrange(4)
        self.area = Area(blocks, (1024, 4096)[dice.randrange(2)], (64, 256)[dice.randrange(2)])
        when_full = (WHEN_FULL_REFUSE, WHEN_FULL_OVERWRITE)[dice.randrange(2)]
        self.options = {"when_full": when_full, "cursors": 2, "best_effort": ((), (1,))[dice.randrange(2)]}
        self.left = 1 + dice.randrange(3)
        self.images, self.stored, self.delivered = [], [], [[], []]
        self.ident = 1
        self.start()

    def start(self):
        self.log = self.area.mount(**self.options)[1]
        self.log.settle()

    def append(self):
        for _ in range(1 + self.dice.randrange(20)):
            if append(self.log, self.ident) == LOG_DONE:
                self.ident += 1
                self.stored.append(self.log.number)

    def read(self):
        index = self.dice.randrange(2)
        self.take(index, 1 + self.dice.randrange(25))
        if self.dice.randrange(10) < 7:
            self.area.state.save()

    def take(self, index, count):
        cursor = self.log.cursors[index]
        while count and self.log.peek(cursor) > 0:
            self.delivered[index].append(cursor.found)
            cursor.advance()
            count -= 1

    def keep(self):
        flash = self.area.flash
        self.images.append(content_of(flash, FRONT + self.dice.randrange(flash.block_count - FRONT)))

    def rewind(self):
        if self.images and self.left:
            self.left -= 1
            block, cells = self.images[self.dice.randrange(len(self.images))]
            restore(self.area.flash, block, cells if self.dice.randrange(5) else b"\xff" * len(cells))

    def restart(self):
        self.area.state.save()
        if self.dice.randrange(5) < 2:
            self.rewind()
        self.start()

    def go_on(self):
        """Let something happen."""
        step = self.dice.randrange(20)
        if step < 9:
            self.append()
        elif step < 15:
            self.read()
        elif step < 17:
            self.keep()
        elif step < 18:
            self.rewind()
        else:
            self.restart()

    def undelivered(self, index):
        """Return how many records this cursor has passed that it did not find, beyond those that are counted."""
        self.take(index, 1 << 20)
        passed, delivered = self.log.cursors[index].number, set(self.delivered[index])
        lost = [number for number in self.stored if number <= passed and number not in delivered]
        counts = self.area.state.numbers
        return len(lost) - counts[DAMAGED] - counts[JUMPED] - counts[MISSED if index else OVERWRITTEN]


def test_what_a_cursor_passes_unread_is_counted_whatever_a_block_reads_as():
    for seed in range(LIVES):
        dice = Dice(seed + 1)
        life = Life(dice)
        for _ in range(5 + dice.randrange(60)):
            life.go_on()
        assert max(life.undelivered(0), life.undelivered(1)) <= 0, seed


def test_numbers_of_a_newest_block_that_is_gone_are_not_used_again():
    for cuts in (0, 1):
        area = Area(16, 1024)
        log = area.mount()[1]
        store(log, range(1, 21))
        take(log, 3)
        block = FRONT + log.block
        lost_from = log.firsts[log.block]
        for _ in range(cuts):  # a start that finds the last one in doubt, and the power goes before that is settled
            log = area.mount()[1]
        assert area.state.save()
        restore(area.flash, block, b"\xff" * 1024)
        log = area.mount()[1]
        assert log.number == lost_from - 1 and log.settle()
        assert area.state.numbers[DAMAGED] >= 20 - log.number
        damaged = area.state.numbers[DAMAGED]
        log = area.mount()[1]
        store(log, range(21, 23))
        assert log.number > 21 and log.state.numbers[DAMAGED] == damaged, "counted once, though the power went"
        assert [ident for _, ident in read_all(log)][-2:] == [21, 22]


def test_what_was_appended_to_copies_is_counted_when_their_block_is_gone():
    for more in (1, 2, 5):
        area = Area(16, 4096)
        store(area.mount()[1], range(1, 4))
        log = area.mount()[1]
        store(log, range(4, 4 + more))  # behind copies of all before
        used = log.number
        log = area.mount()[1]
        assert area.state.save()
        restore(area.flash, FRONT + log.block, b"\xff" * 4096)
        log = area.mount()[1]
        assert log.settle() and log.number == 3
        assert area.state.numbers[DAMAGED] == more and log.next > used


def test_one_in_doubt_that_is_alone_in_its_block_and_fades_is_no_damage():
    area = Area(16, 1024)
    log = area.mount()[1]
    ident = 1
    while log.firsts[log.block] != log.number or ident < 4:
        store(log, [ident])
        ident += 1
    block = FRONT + log.block
    log = area.mount()[1]
    assert area.state.save() and log.doubtful
    restore(area.flash, block, b"\xff" * 1024)  # it was torn
    for _ in range(2):
        log = area.mount()[1]
        assert log.settle() and log.number == ident - 2
        assert area.state.numbers[DAMAGED] == 0 and log.next == ident - 1


def test_a_best_effort_cursor_in_front_of_the_oldest_block_passes_it_at_the_start():
    area = Area(16, 1024)
    log = area.mount(cursors=2, best_effort=(1,))[1]
    store(log, range(1, 21))
    take(log, 20)
    assert area.state.save()
    first = sorted(number for number in log.firsts if number)[1]
    restore(area.flash, FRONT + log.place_of(1), b"\xff" * 1024)
    log = area.mount(cursors=2, best_effort=(1,))[1]
    cursor = log.cursors[1]
    pass_gone(log, cursor)
    assert (cursor.number, area.state.numbers[DAMAGED]) == (first - 1, first - 1)
    pass_gone(log, cursor)
    assert (cursor.number, area.state.numbers[DAMAGED]) == (first - 1, first - 1)


def test_a_worn_block_in_front_of_one_that_was_erased_does_not_count_when_it_reads_well():
    for best_effort in ((), (0,)):
        area = Area(FRONT + 4, 1024)
        log = area.mount(best_effort=best_effort)[1]
        store(log, [1])
        area.flash.worn = (FRONT + log.place_of(1),)
        store(log, range(2, 21), lambda log: take(log, 1))
        oldest = log.first_above(0)
        assert WORN in list(log.firsts) and oldest > 4, "it could not be erased, and the one behind it was"
        assert area.state.save()
        log = area.mount(best_effort=best_effort)[1]
        assert log.first_above(0) == oldest and log.settle()
        log.seek(log.cursors[0], 0)
        assert [number for number, _ in read_all(log)] == list(range(oldest, 21))
