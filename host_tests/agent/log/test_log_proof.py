"""Every way in which the log and its state can be cut, on small flashes: nothing acknowledged is lost.

A part of it in the normal run, all of it with --long. What is checked stands in support_log_proof; a fault ends with a
way that `support_log_proof.replay` follows again, operation by operation.
"""

import os
import random
import select
import signal
import time

import pytest

from toolcart.agent.log.flash import FLASH_DONE
from toolcart.agent.log.snapshot_fields import DAMAGED
from toolcart.base.clock import Dice
from toolcart.board.linux.flash import FileFlash
from host_tests.portable import LONG
from host_tests.support.log import Area, append, ident_in, mounted, read_all, take_all
from host_tests.support.log_promise import APPEND, APPEND_NEW, GIVE, GIVE_ALL, GIVE_SAVE, MAINTAIN, SAVE, Shape
from host_tests.support.log_proof import Explorer, LostState, StateExplorer, WornStateExplorer, bases, replay
from lab.harness.flash import BAD, NEW, UNTOUCHED

ALL = APPEND + APPEND_NEW + GIVE + GIVE_SAVE + GIVE_ALL + SAVE + MAINTAIN
DAILY = APPEND + GIVE + GIVE_SAVE + GIVE_ALL
TWO, THREE = 512, 768  # octets of a state block of two and of three slots
SHAPES = [
    Shape(state_bytes=state, log_blocks=blocks, when_full=full)
    for state in (TWO, THREE)
    for blocks in (3, 4)
    for full in (0, 1)
]
SOME = SHAPES if LONG else [SHAPES[0], SHAPES[3], SHAPES[5], SHAPES[6]]
FEW = SHAPES if LONG else [SHAPES[0], SHAPES[7]]
FLICKERING = [
    Shape(state_bytes=state, log_blocks=3, when_full=full, flickers=True) for state in (TWO, THREE) for full in (0, 1)
]
FINE = [Shape(unit=unit, log_blocks=3, log_bytes=640, payload=190) for unit in (16, 64)]
EMPTY_AND_MORE = 40  # images at rest of one shape in the normal run
MANY = 400


def named(shape):
    return shape.name


def explore(explorer, cuts, share, share_long):
    """Explore from one in `share` of some images at rest, in the long run from one in `share_long` of many."""
    rest = bases(explorer.shape, MANY if LONG else EMPTY_AND_MORE)
    share = share_long if LONG else share
    for image, promise, way in rest[share // 2 :: share]:
        explorer.explore(image, promise, cuts, (way,))
    print("%s: %d images, %d sessions" % (explorer.shape.name, explorer.images, explorer.sessions))
    assert explorer.images > 1


@pytest.mark.parametrize("shape", SOME, ids=named)
def test_one_cut_loses_nothing(shape):
    explore(Explorer(shape, ALL, 1), 1, 4, 2)


@pytest.mark.parametrize("shape", FEW, ids=named)
def test_two_cuts_lose_nothing(shape):
    explore(Explorer(shape, DAILY, 1), 2, EMPTY_AND_MORE, 16)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("shape", FEW, ids=named)
def test_one_cut_in_sessions_of_three_operations_loses_nothing(shape):
    explore(Explorer(shape, DAILY + MAINTAIN, 3), 1, EMPTY_AND_MORE, 8)


@pytest.mark.parametrize("shape", FEW, ids=named)
def test_one_refused_operation_and_a_cut_lose_nothing(shape):
    explore(Explorer(shape, ALL, 1, refusals=(UNTOUCHED, BAD, NEW)), 1, EMPTY_AND_MORE, 4)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("shape", FLICKERING, ids=named)
def test_units_that_read_otherwise_at_each_start_lose_nothing(shape):
    explore(Explorer(shape, DAILY, 1), 1, 8, 2)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("shape", FINE, ids=named)
def test_records_of_several_units_are_as_safe(shape):
    explore(Explorer(shape, ALL, 1), 1, 8, 2)


@pytest.mark.parametrize("shape", [s for s in SHAPES if not s.when_full][:: 1 if LONG else 2], ids=named)
def test_without_its_state_log_still_has_all_that_no_one_has_taken(shape):
    explore(LostState(shape, DAILY + MAINTAIN, 1), 1, 8, 2)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("worn", [(0,), (1,), (2,), (3,), (1, 3)])
def test_worn_blocks_of_state_cost_nothing_as_long_as_two_are_left(worn):
    explore(Explorer(Shape(log_blocks=4), DAILY, 1, worn=worn), 1, 8, 2)


@pytest.mark.parametrize("slots", (TWO, THREE))
@pytest.mark.parametrize("flickers", (False, True))
def test_a_state_that_was_saved_is_read_again(slots, flickers):
    """From no, some and all blocks in use on."""
    for saves, cuts in [(1, 2), (2, 1 + LONG), (4, 1 + LONG)]:
        explorer = StateExplorer(Shape(state_bytes=slots, flickers=flickers), SAVE, saves)
        for starts in (0, 3, 4, 5, 6):
            explorer.explore_after(starts, cuts + (LONG and not flickers))
        assert explorer.images > 40


@pytest.mark.long("two cuts on worn blocks")
@pytest.mark.parametrize("worn", [(0, 1), (1, 3)])
@pytest.mark.parametrize(("slots", "kind"), [(TWO, StateExplorer), (THREE, WornStateExplorer)])
def test_with_two_worn_blocks_two_cuts_leave_a_state(slots, kind, worn):
    """The twin of one opening reads well once and fades, and the other block was erased because of it."""
    explorer = kind(Shape(state_bytes=slots), SAVE, 1, worn=worn)
    for starts in (0, 2, 3, 4):
        explorer.explore_after(starts, 2)
    assert explorer.images > 40


@pytest.mark.parametrize("shape", SOME + FLICKERING, ids=named)
def test_three_and_four_cuts_at_random_lose_nothing(shape):
    explorer = Explorer(shape, ALL, 1)
    dice = Dice(17)
    rest = bases(shape, 400 if LONG else EMPTY_AND_MORE)
    for _ in range(5000 if LONG else 60):
        image, promise, way = rest[dice.randrange(len(rest))]
        explorer.sample(image, promise, 3 + dice.randrange(2), dice, (way,))


def test_a_way_that_once_lost_something_loses_nothing():
    """Two blocks of copies and no state: the newer one reaches further."""
    replay(Shape(), "/A/S/A/M/lose", tell=lambda line: None, kind=LostState)


# Every single bit of a small area is turned over once: at most one record is damaged, and no wrong one delivered.


def area_with(unit, results):
    """Return an area of 1 KiB blocks with some results delivered and some that wait, and those that wait."""
    area = Area(blocks=13, block_bytes=1024, unit_bytes=unit)
    state, log = area.mount()
    for ident in range(1, results + 1):
        assert append(log, ident) == 0
        if ident == results // 3:
            take_all(log)
            assert state.save()
    return area, read_all(area.clone().mount()[1])


def flipped(area, bit):
    twin = area.clone()
    twin.flash.cells[bit >> 3] ^= 1 << (bit & 7)
    state, log = twin.mount()
    assert twin.found == 0, bit
    log.settle()
    return state, log


@pytest.mark.parametrize("unit", [16, 256])
def test_each_single_bit_damages_one_record_at_most_and_is_counted(unit):
    area, whole = area_with(unit, 17 if unit == 16 else 11)
    lost = counted = 0
    for bit in range(0, len(area.flash.cells) * 8, 1 if LONG else 109):  # odd: each bit of an octet in its turn
        state, log = flipped(area, bit)
        found = read_all(log)
        order = [ident for _, ident in found]
        missing = [ident for _, ident in whole if ident not in order]
        assert len(missing) <= 1, (bit, missing)
        assert order == sorted(set(order)), bit
        if missing:
            lost += 1
            counted += 1 if state.numbers[DAMAGED] or log.counts.torn else 0
        assert append(log, 100) == 0, bit
        assert read_all(log)[-1][1] == 100, bit
    assert lost and counted == lost


def test_bit_in_the_last_record_does_not_give_its_number_to_another():
    area, whole = area_with(16, 17)
    last = whole[-1][0]
    hit = 0
    for bit in range(0, len(area.flash.cells) * 8, 1 if LONG else 127):
        _, log = flipped(area, bit)
        before = [number for number, _ in read_all(log)]
        assert append(log, 50) == 0
        number, ident = read_all(log)[-1]
        assert ident == 50 and number > last - (last not in before), bit
        hit += last not in before
    assert hit, "the last record was never hit"


# A real process is killed while it appends to a file: everything it has said to be durable is there, in order.
#
# 60 kills in the normal run, 1,000 with --long. One process is forked for each kill, so a kill costs
# milliseconds; the moment moves from microseconds to some milliseconds after the start.

KILLS = 1000 if LONG else 20
DEADLINE_S = 20


def append_for_ever(path, ident):
    """Append to a spool file and say what is durable: `A n` after tightening n was, `D n` before it is passed over.

    It takes what is in the spool when that is half full, so that blocks are erased and used again.
    """
    log = mounted(FileFlash(path, 128 * 1024))
    while True:
        while append(log, ident) != FLASH_DONE:
            take(log, 1)
        os.write(1, b"A %d\n" % ident)
        ident += 1
        if log.waits(log.cursors[0]) > 150:
            take(log, 60)


def take(log, count):
    """Deliver some; each is said before the cursor passes it, because then its block may go."""
    cursor = log.cursors[0]
    for _ in range(count):
        if log.peek(cursor) > 0:
            os.write(1, b"D %d\n" % ident_in(log.page, log.at))
            cursor.advance()


def start(path, first):
    """Fork a process that appends; returns its number and the descriptor it writes to."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        try:
            append_for_ever(path, first)
        finally:
            os._exit(1)
    os.close(writing)
    return child, reading


def said(reading):
    octets = b""
    while True:
        piece = os.read(reading, 65536)
        if not piece:
            os.close(reading)
            break
        octets += piece
    acknowledged = delivered = 0
    for line in octets.split(b"\n")[:-1]:
        if line[:1] == b"A":
            acknowledged = int(line[2:])
        else:
            delivered = int(line[2:])
    return acknowledged, delivered


def look(path, acknowledged, delivered):
    """Everything above what was delivered up to the last acknowledged one must be there, once and in order."""
    flash = FileFlash(path, 128 * 1024)
    log = mounted(flash)
    found = [ident for _, ident in read_all(log)]
    assert found == list(range(found[0], found[-1] + 1)) if found else True
    if acknowledged > delivered:
        assert found and found[0] <= delivered + 1, (found[:3], delivered)
        assert found[-1] in (acknowledged, acknowledged + 1), (found[-1], acknowledged)
    last = found[-1] if found else acknowledged
    assert log.state.numbers[DAMAGED] == 0
    flash.close()
    return max(last, acknowledged)


def test_what_a_killed_process_said_to_be_durable_is_there(tmp_path):
    path = str(tmp_path / "spool")
    dice = random.Random(1)
    last = 0
    lived = 0
    for _ in range(KILLS):
        child, reading = start(path, last + 1)
        try:
            if dice.random() < 0.8:  # the rest is killed while it still starts
                assert select.select([reading], [], [], DEADLINE_S)[0], "it never appended"
                time.sleep(dice.random() * 0.02)
            else:
                time.sleep(dice.random() * 0.002)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        acknowledged, delivered = said(reading)
        lived += acknowledged > last
        last = look(path, max(acknowledged, last), max(delivered, last))
    assert lived > KILLS // 6  # a busy machine starts them late
    flash = FileFlash(path, 128 * 1024)
    log = mounted(flash)
    read_all(log)  # it may just have been full
    assert append(log, last + 1) == FLASH_DONE
