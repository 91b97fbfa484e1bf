"""Random lives of a log with its state and a quarantine: nothing acknowledged is lost, whatever goes wrong.

HEAVY: 300 lives in the normal run, 75 of them on MicroPython, 20,000 with --long. A fault names its seed and tells the
story.
"""

from host_tests.portable import HAS_ALL, LONG
from host_tests.support.log_promise import APPEND, Promise, Shape
from host_tests.support.log_proof import Session
from host_tests.support.log_random import Life

PORTABLE = True
HEAVY = True
HEAP = "2m"

LIVES = 20000 if LONG else 300 if HAS_ALL else 75
STEPS = 120


def lived(seed, **fixed):
    """Live one life; a fault says which."""
    life = Life(seed, **fixed)
    try:
        return life.run(STEPS)
    except Exception as error:
        story = " ".join(life.story[-60:])
        raise AssertionError("life %d, %s: %s %s\n%s" % (seed, life.shape.name, type(error).__name__, error, story))


def test_random_lives_lose_nothing():
    cuts = starts = 0
    for seed in range(1, LIVES):
        life = lived(seed)
        cuts += life.cuts
        starts += life.starts
    assert cuts > LIVES and starts > LIVES


def filled(restarts):
    """Return how many results fit into 64 KiB, with one start for each or one for all, and what 100 of them take."""
    shape = Shape(unit=256, state_bytes=4096, log_blocks=16, log_bytes=4096, payload=190)
    area, promise = shape.area(), Promise()
    session = Session(shape, area, promise)
    hundred = 0
    for count in range(1000):
        if restarts and count:
            session = Session(shape, area, promise)
        if count == 100:
            hundred = session.log.used_blocks()
        session.run(APPEND)
        if session.log.full:
            return count, hundred
    raise AssertionError("it is never full")


def test_hundred_starts_with_result_each_take_no_more_room_than_hundred_results():
    (once, blocks), (each, blocks_each) = filled(False), filled(True)
    assert blocks_each <= blocks + 1 and each * 100 >= once * 85, (once, blocks, each, blocks_each)
