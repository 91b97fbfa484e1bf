"""A real process is killed while it appends to a file: everything it has said to be durable is there, in order.

20 kills in the normal run, 1,000 with --long. One process is forked for each kill, so a kill costs
milliseconds; the moment moves from microseconds to some milliseconds after the start.
"""

import os
import random
import select
import signal
import time

from toolcart.agent.log.flash import FLASH_DONE
from toolcart.agent.log.snapshot_fields import DAMAGED
from toolcart.board.linux.flash import FileFlash
from host_tests.portable import LONG
from host_tests.support.log import append, ident_in, mounted, read_all

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
        if log.backlog_of(log.cursors[0]) > 150:
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


def counts_reported(reading):
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
    ids = [ident for _, ident in read_all(log)]
    assert ids == list(range(ids[0], ids[-1] + 1)) if ids else True
    if acknowledged > delivered:
        assert ids and ids[0] <= delivered + 1, (ids[:3], delivered)
        assert ids[-1] in (acknowledged, acknowledged + 1), (ids[-1], acknowledged)
    last = ids[-1] if ids else acknowledged
    assert log.state.numbers[DAMAGED] == 0
    flash.close()
    return max(last, acknowledged)


def test_what_a_killed_process_reported_durable_is_there(tmp_path):
    path = str(tmp_path / "spool")
    dice = random.Random(1)
    last = 0
    recovered_lives = 0
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
        acknowledged, delivered = counts_reported(reading)
        recovered_lives += acknowledged > last
        last = look(path, max(acknowledged, last), max(delivered, last))
    assert recovered_lives > KILLS // 6  # a busy machine starts them late
    flash = FileFlash(path, 128 * 1024)
    log = mounted(flash)
    read_all(log)  # it may just have been full
    assert append(log, last + 1) == FLASH_DONE
