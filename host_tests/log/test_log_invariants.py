"""Each rule of the log and its state is broken once in the real code, and a run of the proof has to find it.

A row names the rule, the function and the lines that are replaced in it, and the run. Where the code has changed, its
row fails and wants new lines: a proof that finds nothing in broken code proves nothing.
"""

import inspect
import textwrap

import pytest

import toolcart.agent.log.blocks as blocks_module
import toolcart.agent.log.carry as carry_module
import toolcart.agent.log.log as log_module
import toolcart.agent.log.mount as mount_module
import toolcart.agent.log.reader as reader_module
import toolcart.agent.log.state as state_module
from host_tests.log.test_log_random import filled
from host_tests.portable import LONG
from host_tests.support import log_proof as support_log_proof
from host_tests.support import log_random as support_log_random
from host_tests.support.log_promise import APPEND, APPEND_NEW, GIVE, GIVE_ALL, GIVE_SAVE, SAVE, Promise, Shape
from host_tests.support.log_proof import Explorer, LostState, Session, StateExplorer, bases, replay
from host_tests.support.log_random import Life
from lab.harness.flash import BAD, NEW, UNTOUCHED

DAILY = APPEND + APPEND_NEW + GIVE + GIVE_SAVE + GIVE_ALL
IMAGES_MOST = 12000
REFUSED = (UNTOUCHED, BAD, NEW)
COPIES = "/A/S/A/M/lose"
STATE, LOG = state_module.State, log_module.Log
READER = reader_module.Reader
BLOCKS = blocks_module.Blocks


def state_alone(saves, cuts, slots=512):
    def run():
        explorer = StateExplorer(Shape(state_bytes=slots), SAVE, saves)
        for starts in (0, 3, 4, 5):
            explorer.explore_after(starts, cuts)

    return run


def cuts(count, operations=DAILY, length=1, kind=Explorer, full=0, refusals=(), blocks=3):
    def run():
        shape = Shape(log_blocks=blocks, when_full=full)
        explorer = kind(shape, operations, length, refusals)
        for image, promise, way in bases(shape, 60):
            explorer.explore(image, promise, count, (way,))
            if explorer.images > IMAGES_MOST:
                return

    return run


def lives(count=60):
    def run():
        for seed in range(1, count):
            Life(seed).run(120)

    return run


def life(seed, steps):
    def run():
        Life(seed).run(steps)

    return run


def harsh(seed):
    """Much is cut, and what is torn may read otherwise at every start: if `seed` is odd, at every read."""

    def run():
        one = Life(seed, cuts_in_100=40)
        one.shape.flickers = True
        one.restless = one.area.restless = seed % 2 == 1
        one.run(100)

    return run


def way(text, slots=512, kind=StateExplorer):
    """A way that a long search has found."""

    def run():
        replay(Shape(state_bytes=slots), text, tell=lambda line: None, kind=kind)

    return run


def room():
    once, each = filled(False), filled(True)
    assert each[0] * 100 >= once[0] * 85, (once, each)


def another_area():
    """Blocks of an older area lie about, a new one is made over them: its numbers are foreign here."""
    shape = Shape()
    area = shape.area()
    session = Session(shape, area, Promise())
    for _ in range(3):
        session.run(APPEND)
    old = area.image()
    area = shape.area()
    Session.seed = 8
    try:
        promise = Promise()
        Session(shape, area, promise).run(SAVE)
        begin, units = area.parts[1].address, area.parts[1].address // area.unit_bytes
        area.cells[begin:], area.units[units:] = old[0][begin:], old[1][units:]
        session = Session(shape, area, promise)
        for _ in range(4):
            session.run(APPEND)
            session.run(GIVE_SAVE)
    finally:
        Session.seed = 7


# Rule: the function, what stands in it, what takes its place; then the run that has to find it.
ROWS = [
    ("1 a snapshot is bound by its CRC", STATE, "_read_slot", state_alone(2, 2)),
    ("get_u32(read, _AT_CRC) != crc30(read, 0, _AT_CRC)", "False"),
    ("1 a block is bound to its area", mount_module, "_read_heads", another_area),
    ("get_u32(page, AT_IDENTITY) != state.identity", "False"),
    ("2 a block is erased directly before its first program", STATE, "_open", state_alone(1, 2)),
    ("self.device.erase(block)", "self.device.erase(block) if self._generations[block] else 0"),
    ("3 a session's first snapshot opens a fresh block", STATE, "load", state_alone(1, 2, 768)),
    ("self.found = True", "self.found = True; self._block = best % 4; self._next = self._image[3] + 1"),
    ("4 a fresh block begins with the same snapshot twice", STATE, "_open", state_alone(2, 3)),
    ("    if code == FLASH_DONE:\n        code = self._program(block, 1, generation)\n", ""),
    ("self._next = 2", "self._next = 1"),
    ("5 nothing is done before the state is written", STATE, "ready", cuts(2)),
    ("return self.sure or", "return True or"),
    ("6 no number is used twice", LOG, "end_at", cuts(1)),
    ("self.next = max(", "self.next = min(number + 1, "),
    ("7 snapshot, then erase", BLOCKS, "saved_lowest", cuts(1, length=3)),
    ("durable[cursor.slot] < low", "False"),
    ("7 what is erased and was not had is counted", mount_module, "_mount", harsh(3201418)),
    ("numbers[place] > newest", "False"),
    ("8 what results bring is told once", LOG, "_appended", cuts(1)),
    ("if numbers[ring] == number:", "if True:"),
    ("9 settling needs no room", carry_module, "carry", cuts(1)),
    ("blocks.find(0)", "blocks.find(1)"),
    ("10 the last slot of the highest generation counts", STATE, "load", state_alone(2, 1, 768)),
    ("generation > best", "generation >= best"),
    ("10 a first snapshot with nothing behind it does not count", STATE, "load", harsh(3304433)),
    ("slot or follows", "True"),
    ("10 the block that counts is never opened", STATE, "_choose", state_alone(2, 2)),
    ("self._generations[block] < self._generations[oldest]", "block > oldest"),
    ("11 without a state nothing is formatted", mount_module, "mount", cuts(0, kind=LostState)),
    ("identity if identity else seed", "seed + state.lost"),
    ("11 a start that has lost its state knows it", mount_module, "mount", cuts(1, kind=LostState)),
    ("state.lost = identity > 0", "state.lost = False"),
    ("12 the last record is in doubt", mount_module, "_mount", cuts(2)),
    ("log.doubtful = last > 0", "log.doubtful = False"),
    ("13 copies count from the snapshot on that says so", mount_module, "_read_heads", cuts(2)),
    ("number > counts_to and state.found", "False"),
    ("13 without a state all blocks of copies are compared", mount_module, "_find_newest", cuts(2, kind=LostState)),
    ("not (copies and log.state.lost)", "True"),
    ("13 the block that reaches furthest is read again", mount_module, "_find_newest", way(COPIES, kind=LostState)),
    ("place != best and _read_block", "False and _read_block"),
    ("14 the first append of a session opens a block", mount_module, "_mount", cuts(1)),
    ("log.doubtful = last > 0", "log.doubtful = last > 0; log.begun, log.open_to = True, log.device.block_bytes"),
    ("15 what is behind a later block's first number is void", READER, "first_above", cuts(1, refusals=REFUSED)),
    ("return TOP if least == WORN else least", "return TOP"),
    ("16 blocks are ordered by their number", mount_module, "_mount", cuts(1)),
    ("key=lambda place: numbers[place]", "key=lambda place: place"),
    ("16 no two blocks ever have one number", LOG, "put_head", life(1009647, 100)),
    ("max(self.heads.last_number // count + 1, state.round) * count + place", "self.heads.last_number + 1"),
    ("17 a reader in a block that is erased is placed afresh", READER, "peek", lives(60)),
    ("cursor.version != self.version", "cursor.version < 0"),
    ("18 restarts eat no capacity", carry_module, "carry", room),
    ("whole = log.offset", "whole = 0 and log.offset"),
    ("18 an append keeps one block free", LOG, "_append_elsewhere", cuts(1)),
    ("self.blocks.find(1)", "self.blocks.find(0)"),
    ("19 a head tells of the block before", LOG, "put_words", cuts(1)),
    (
        "self.heads.ids, 0, 2",
        'b"0" * 20, 0, 2',
    ),
]


# What random lives once lost something in, and does not.
FOUND = [life(seed, 100) for seed in (1009647, 1018168, 1024032, 1034571)]
FOUND += [harsh(seed) for seed in (3201418, 3207745, 3301197, 3304433, 3307151, 3402369)]


def rules():
    """Return what is broken: [(rule, owner, function, [(old, new)], run)]."""
    found = []
    for row in ROWS:
        if len(row) == 4:
            rule, owner, name, run = row
            found.append((rule, owner, name, [], run))
        else:
            found[-1][3].append(row)
    return found


def broken(monkeypatch, owner, name, changes):
    """Replace lines in a function of the real code."""
    function = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        assert old in source, "%s has no %r any more" % (name, old)
        source = source.replace(old, new)
    module = inspect.getmodule(owner) if inspect.isclass(owner) else owner
    names = {}
    exec(compile(source, "<broken %s>" % name, "exec"), module.__dict__, names)
    for place in (owner, log_module, support_log_proof, support_log_random):
        if getattr(place, name, None) is function:
            monkeypatch.setattr(place, name, names[name])


SLOW = ("13", "11", "7")  # rules whose runs take longest
BROKEN = [row for row in rules() if LONG or row[0].split()[0] not in SLOW]


@pytest.mark.parametrize("rule, owner, name, changes, run", BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_rule_is_found(monkeypatch, rule, owner, name, changes, run):
    broken(monkeypatch, owner, name, changes)
    with pytest.raises((AssertionError, IndexError)) as found:
        run()
    print(rule, "->", str(found.value).splitlines()[0])


@pytest.mark.parametrize(
    "run",
    [state_alone(1, 2, 768), cuts(1), another_area, room, *((cuts(1, full=1), lives(20), *FOUND) if LONG else ())],
)
def test_the_real_code_passes_the_same_runs(run):
    run()
