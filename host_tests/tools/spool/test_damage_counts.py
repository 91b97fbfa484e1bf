"""`toolcart spool check` counts what an agent counts that starts with this spool and delivers all that it finds."""

import json
import random

import pytest

from toolcart.agent.log import snapshot_fields as field
from toolcart.board.linux import spool_header
from toolcart.board.ram_flash import RamFlash
from toolcart.spool.offline_spool import each
from host_tests.agent.linux.test_events import put
from host_tests.support.combinations import some
from host_tests.support.running import toolcart
from lab.harness.cart import CONTROLLER, PIM, QUARANTINE_BLOCKS, SERVER, STATE_BLOCKS, Cart

LOG = STATE_BLOCKS + QUARANTINE_BLOCKS  # the first block of the log
BLOCK = 4096
TO_DELIVER_MS = 400000
FILLS = {
    "zeros": lambda count, dice: bytes(count),
    "erased": lambda count, dice: b"\xff" * count,
    "noise": lambda count, dice: dice.randbytes(count),
}


def file_flash(block_count):
    """A flash as a file is one."""
    return RamFlash(block_count, BLOCK, 16, wears=False)


def reach_toolsnet(cart, is_up):
    for place in (PIM, SERVER):
        (cart.network.up if is_up else cart.network.down)(*place)


def cart_of(blocks, when_full="refuse", files=()):
    return Cart(
        blocks=blocks, make_flash=file_flash, files=files, settings={"spool": {"when_full": when_full}}
    ).until_ready()


def end(cart, is_orderly):
    if is_orderly:
        cart.station.state.save()
    for entry in cart.board.watched:
        cart.abandon(entry[0])


class Spool:
    """What an agent left. `counts` says what check and a start count for a content."""

    def __init__(self, cart, path):
        self.cart = cart
        self.path = path
        self.flash = cart.flashes["spool0"]
        self.cells = bytes(self.flash.cells)
        identity = bytes(spool_header.IDENTITY_BYTES)
        header = spool_header.Header(16, BLOCK, self.flash.block_count, (3, 1, 10), identity)
        self.header = bytes(header.page())
        self.damaged_before = cart.station.state.durable[field.DAMAGED]
        self.newest = LOG + cart.station.log.block
        cart.network.down(*CONTROLLER)  # nothing new comes

    def damaged(self, begin, stop, fill):
        return self.cells[:begin] + fill + self.cells[stop:]

    def start(self, cells):
        """Return how many the next agent counts in the log, and in the quarantine."""
        self.flash.cells[:] = cells
        reach_toolsnet(self.cart, True)
        self.cart.boot()
        station = self.cart.station
        before = self.damaged_before if station.state.found else 0
        self.cart.run(TO_DELIVER_MS)
        counts = station.state.numbers[field.DAMAGED] - before, station.quarantine.unreadable
        end(self.cart, False)
        return counts

    def check(self, cells):
        """Let check and list be as a start of an agent; return what all of them say."""
        self.path.write_bytes(self.header + cells)
        found = toolcart("spool", "check", self.path, "--json", code=None)
        summary = json.loads(found.stdout)
        is_lost = any("state cannot be read" in flaw for flaw in summary["flaws"])
        counts = self.start(cells)
        assert summary["damaged"] == sum(counts), (summary, counts)
        assert found.exit_code == int(sum(counts) > 0 or is_lost)
        assert toolcart("spool", "list", self.path, code=found.exit_code)
        return sum(counts)


@pytest.mark.parametrize(("count", "when_full"), [(60, "refuse"), (130, "overwrite"), (900, "overwrite")])
def test_check_counts_what_an_agent_counts_wherever_a_block_is_damaged(tmp_path, count, when_full):
    """The log is new, has gone round once, and many times; the last third waits."""
    cart = cart_of(6, when_full)
    cart.produce(count - 40, 200)
    cart.until_quiet(and_ms=30000)
    reach_toolsnet(cart, False)
    cart.produce(40, 200)
    cart.run(3000)
    end(cart, True)
    spool = Spool(cart, tmp_path / "cart.spool")
    assert spool.check(spool.cells) == 0
    found = {}
    for block in some(range(STATE_BLOCKS, spool.flash.block_count), 3):
        for first, last in ((0, BLOCK), (0, BLOCK // 2), (BLOCK // 2, BLOCK)):
            begin, stop = block * BLOCK + first, block * BLOCK + last
            found[block, first, last] = spool.check(spool.damaged(begin, stop, bytes(stop - begin)))
    assert any(found.values()) and not all(found.values())


def spool_of(dice, path):
    """A spool after a few sessions, some of which ended in a power cut."""
    files = ({"path": "results"},) * (dice.random() < 0.4)
    cart = cart_of(dice.choice((5, 8, 12)), dice.choice(("refuse", "overwrite")), files)
    for _ in range(dice.randint(1, 4)):
        reach_toolsnet(cart, is_up := dice.random() < 0.5)
        cart.produce(dice.choice((3, 10, 40, 90, 200)), 200)
        cart.run(20000 if is_up else 1000)
        if dice.random() < 0.5:
            if dice.random() < 0.5:
                cart.station.state.save()
            cart.cut()
            cart.run(20000)
    end(cart, dice.random() < 0.6)
    return Spool(cart, path)


@pytest.mark.parametrize("seed", some(range(8), 2))
def test_check_counts_what_an_agent_counts_whatever_was_damaged(tmp_path, seed):
    dice = random.Random(seed)
    spool = spool_of(dice, tmp_path / "cart.spool")
    for turn in range(8):
        block = dice.randrange(STATE_BLOCKS, spool.flash.block_count) if turn % 3 else spool.newest
        begin, stop = sorted(block * BLOCK + at for at in (dice.randint(0, BLOCK), dice.choice((0, BLOCK))))
        fill = FILLS[dice.choice(sorted(FILLS))](stop - begin, dice)
        spool.check(spool.damaged(begin, stop, fill))


@pytest.mark.parametrize("is_up", [True, False])
def test_nothing_counts_as_damaged_where_the_state_alone_is(tmp_path, is_up):
    """An agent that starts with an older state, or none, finds all that is in the log; so does whoever looks at it."""
    cart = cart_of(6, "overwrite")
    for _ in range(5):
        cart.produce(30, 200)
        cart.until_quiet(and_ms=30000)
        cart.cut()
    reach_toolsnet(cart, is_up)
    cart.produce(90, 200)
    cart.run(30000)
    end(cart, False)
    spool = Spool(cart, tmp_path / "cart.spool")
    assert spool.check(spool.cells) == 0
    numbers = listed(spool.path)
    used = [at for at in range(0, STATE_BLOCKS * BLOCK, 256) if spool.cells[at : at + 256] != FILLS["erased"](256, 0)]
    for begin in some(used, 4):
        for stop, fill in ((begin + 256, bytes(256)), (STATE_BLOCKS * BLOCK, b"\x11" * (STATE_BLOCKS * BLOCK - begin))):
            assert spool.check(spool.damaged(begin, stop, fill)) == 0, (begin, stop)
            assert listed(spool.path) == numbers
            assert cart.station.log.next > numbers[-1]


def listed(path):
    """Return the number of each result in the log that a list of this spool shows."""
    lines = [json.loads(line) for line in toolcart("spool", "list", path, "--json", code=None).stdout.splitlines()]
    return [line["number"] for line in lines if line["area"] == "main"]


def test_numbers_that_a_start_skipped_are_no_damage(tmp_path):
    """Records that lie one behind the other had none between them, whatever their numbers are."""
    cart = cart_of(12)
    reach_toolsnet(cart, False)
    cart.produce(5, 200)
    cart.run(2000)
    cart.station.log.next += 50
    cart.produce(5, 200)
    cart.run(2000)
    end(cart, True)
    spool = Spool(cart, tmp_path / "cart.spool")
    assert cart.station.log.number == 60 and spool.check(spool.cells) == 0


def test_what_is_gone_between_two_records_is_counted_although_their_copies_are_adjacent(tmp_path):
    cart = cart_of(12)
    reach_toolsnet(cart, False)
    cart.produce(6, 200)
    cart.run(2000)
    end(cart, True)
    spool = Spool(cart, tmp_path / "cart.spool")
    at = spool.newest * BLOCK + 52 + 2 * 144
    cells = spool.damaged(at, at + 8, bytes(8))
    assert spool.check(cells) == 1
    spool.flash.cells[:] = cells
    for _ in range(2):  # the first start copies them
        reach_toolsnet(cart, False)
        cart.boot()
        cart.run(2000)
        cart.produce(1)
        cart.run(2000)
        end(cart, True)
        assert cart.station.state.durable[field.DAMAGED] == 1


def test_what_is_gone_at_the_end_of_the_newest_block_is_counted_once(tmp_path):
    cart = cart_of(12)
    reach_toolsnet(cart, False)
    cart.produce(20, 200)
    cart.run(2000)
    end(cart, True)
    spool = Spool(cart, tmp_path / "cart.spool")
    at = spool.newest * BLOCK + 1500
    cells = spool.damaged(at, (spool.newest + 1) * BLOCK, bytes((spool.newest + 1) * BLOCK - at))
    gone = spool.check(cells)
    assert 5 < gone < 22  # as many as have room where it is damaged
    spool.flash.cells[:] = cells
    whole = 0
    for turn in range(4):
        reach_toolsnet(cart, False)
        cart.boot()
        whole = whole or cart.station.log.number
        cart.run(2000)
        if turn == 2:
            cart.network.up(*CONTROLLER)
            cart.produce(2, 200)
            cart.run(5000)
            cart.network.down(*CONTROLLER)
        end(cart, True)
        assert cart.station.state.durable[field.DAMAGED] == gone, turn
    assert cart.station.log.number == whole + gone + 2 > 22  # no number is used twice
    spool.damaged_before = gone
    assert spool.check(bytes(spool.flash.cells)) == 0


@pytest.mark.parametrize("blocks", [(1,), (1, 2), (1, 3)])
def test_starts_add_nothing_while_toolsnet_is_away(tmp_path, blocks):
    cart = cart_of(16)
    reach_toolsnet(cart, False)
    cart.produce(180, 200)
    cart.run(3000)
    end(cart, True)
    firsts = sorted(first for first in cart.station.log.firsts if first)
    places = [LOG + list(cart.station.log.firsts).index(firsts[block]) for block in blocks]
    lost = sum(firsts[block + 1] - firsts[block] for block in blocks)
    spool = Spool(cart, tmp_path / "cart.spool")
    cells = spool.cells
    for place in places:
        cells = cells[: place * BLOCK] + bytes(BLOCK) + cells[(place + 1) * BLOCK :]
    assert spool.check(cells) == lost
    spool.flash.cells[:] = cells
    for turn in range(4):
        reach_toolsnet(cart, False)
        cart.boot()
        cart.run(20000)
        for _ in each(cart.station.log):
            pass
        assert cart.station.state.numbers[field.DAMAGED] == lost, turn
        end(cart, turn % 2)
        left = lost - cart.station.state.durable[field.DAMAGED]
        spool.path.write_bytes(spool.header + bytes(spool.flash.cells))
        assert json.loads(toolcart("spool", "check", spool.path, "--json", code=1).stdout)["damaged"] == left == lost
    reach_toolsnet(cart, True)
    cart.boot()
    cart.run(TO_DELIVER_MS)
    end(cart, True)
    assert cart.station.state.durable[field.DAMAGED] == lost and cart.station.log.backlog() == 0


@pytest.mark.parametrize("is_orderly", [False, True])
@pytest.mark.parametrize("blocks", [(1,), (1, 3)])
def test_what_one_outlet_lacks_is_known_after_each_start_while_another_one_is_behind(blocks, is_orderly):
    cart = cart_of(16, files=({"path": "results"},))
    reach_toolsnet(cart, False)
    cart.produce(180, 200)
    end(cart, True)
    firsts = sorted(first for first in cart.station.log.firsts if first)
    places = [LOG + list(cart.station.log.firsts).index(firsts[block]) for block in blocks]
    lost = sum(firsts[block + 1] - firsts[block] for block in blocks)
    cart.station.log.cursors[1].number = 0  # the file has none of them yet
    assert cart.station.state.save()
    flash = cart.flashes["spool0"]
    for place in places:
        flash.cells[place * BLOCK : (place + 1) * BLOCK] = bytes(BLOCK)
    cart.network.down(*CONTROLLER)
    for turn in range(4):
        cart.boot()
        if not turn:
            cart.run(60000)
        assert cart.station.state.numbers[field.DAMAGED] == lost, turn
        cart.run(3000)
        end(cart, is_orderly)
    reach_toolsnet(cart, True)
    cart.boot()
    cart.run(TO_DELIVER_MS)
    end(cart, True)
    assert cart.station.state.durable[field.DAMAGED] == lost and cart.station.log.backlog() == 0


@pytest.mark.parametrize(("saved", "more", "events"), [(40, 4, 0), (43, 1, 0), (20, 3, 0), (44, 0, 0), (40, 4, 3)])
def test_what_toolsnet_took_and_the_spool_lost_with_its_newest_block_is_delivered(saved, more, events):
    cart = cart_of(12)
    cart.produce(saved, 200)
    cart.until_quiet(and_ms=200)
    assert cart.station.state.save()
    for index in range(events):
        put(cart, b"E%d" % (index + 1))
    cart.produce(more, 200)
    cart.until_quiet(and_ms=200)
    end(cart, False)
    log = cart.station.log
    newest = (log.device.first_block + log.block) * BLOCK
    cart.flashes["spool0"].cells[newest : newest + BLOCK] = bytes(BLOCK)
    cart.network.down(*CONTROLLER)
    for _ in range(2):
        cart.boot()
        cart.run(TO_DELIVER_MS)
        numbers = cart.station.state.numbers
        taken = cart.archive.tightening_ids()
        assert len(taken) == len(set(taken)) == saved + more
        assert numbers[field.STORED] == numbers[field.DELIVERED] == len(taken)
        assert cart.station.state.save()
        end(cart, False)
