"""ToolsNet is removed, the log goes round, blocks are damaged, it is put back: no count of what it lacks is too low."""

import random

import pytest

from toolcart.agent.base.fields import get_u32
from toolcart.agent.cart.config import complete
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.framing import FRAME_BYTES, NUMBER
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.result import HEAD_BYTES, ID_BYTES, TIGHTENING_ID
from toolcart.board.ram_flash import RamFlash
from host_tests.agent.linux.test_events import put
from host_tests.portable import LONG
from lab.harness.cart import PIM, SERVER, Cart

BLOCK = 4096
TO_DELIVER_MS = 400000


def read_in(log, place):
    """Return the tightening ID of each result that can be read in this block, by its number in the log."""
    found, offset = {}, HEAD_OCTETS
    while offset + FRAME_BYTES <= BLOCK:
        octets = log.read_record(place, offset, BLOCK)
        if octets <= 0:
            offset = log.next_probe_offset(offset)
            continue
        if log.page[HEAD_OCTETS] == KIND_RESULT:
            begin = log.at + HEAD_BYTES + TIGHTENING_ID
            found[get_u32(log.page, HEAD_OCTETS + NUMBER)] = int(bytes(log.page[begin : begin + ID_BYTES]))
        offset = log.next_record_offset(offset, octets)
    return found


class Life:
    """A cart with a file and, at times, ToolsNet; `stored` and `damaged` are the IDs of which that is known."""

    def __init__(self, seed):
        self.dice = dice = random.Random(seed)
        wears, when_full = dice.random() < 0.3, dice.choice(("refuse", "overwrite"))
        self.cart = Cart(
            blocks=dice.choice((6, 8, 12)),
            make_flash=lambda count: RamFlash(count, BLOCK, 16, wears),
            settings={"spool": {"when_full": when_full}},
            files=({"path": "results"},),
            on=False,
            seed=seed,
        )
        self.with_toolsnet = self.cart.configuration
        self.without = complete(
            {
                "stations": [
                    {
                        "number": 10,
                        "controller": {"host": "cart0"},
                        "spool": {"path": "spool0", "parked_kib": 12, "size_kib": 40, "when_full": when_full},
                        "outlets": [{"kind": "file", "path": "results"}],
                    }
                ]
            }
        )
        self.stored, self.damaged = set(), set()
        self.cart.boot()
        self.cart.until_ready()

    def reach_toolsnet(self, is_up):
        for place in (PIM, SERVER):
            (self.cart.network.up if is_up else self.cart.network.down)(*place)

    def in_log(self):
        log = self.cart.station.log
        for place in range(log.device.block_count):
            if log.firsts[place]:
                self.stored |= set(read_in(log, place).values())

    def produce(self):
        cart, dice = self.cart, self.dice
        for _ in range(dice.choice((0, 3, 20, 40))):
            put(cart)
        for _ in range(dice.choice((1, 3, 5, 10, 20, 40, 90, 200))):
            cart.produce(1, 200)
            if len(cart.controller.produced) % 20 == 0:
                self.in_log()
        cart.run(2000)

    def damage(self):
        """Zero a part of a block: with the power off."""
        log, dice = self.cart.station.log, self.dice
        place = dice.choice([at for at in range(log.device.block_count) if at == log.block or log.firsts[at]])
        begin, stop = dice.choice(
            ((0, BLOCK), (0, BLOCK // 2), (BLOCK // 2, BLOCK), (52, 52 + 144 * dice.randint(1, 5)))
        )
        before = read_in(log, place)
        start = (log.device.first_block + place) * BLOCK
        log.device.device.cells[start + begin : start + stop] = bytes(stop - begin)
        after = read_in(log, place) if begin else {}  # without its head nothing in it counts
        self.damaged |= {before[number] for number in before if number not in after}

    def restart(self, has_toolsnet, damages=False):
        cart = self.cart
        if self.dice.random() < 0.5:
            cart.station.state.save()
        self.in_log()
        for entry in cart.board.watched:
            cart.abandon(entry[0])
        cart.lines["results"].close()
        if damages:
            self.damage()
        cart.configuration = self.with_toolsnet if has_toolsnet else self.without
        cart.boot()
        cart.run(20000)

    def live(self):
        """Return what is counted as overwritten, and what ToolsNet lacks that was not damaged."""
        dice, cart = self.dice, self.cart
        for _ in range(dice.randint(8, 16)):
            what = dice.randrange(9)
            if what < 4:
                self.produce()
            elif what == 4:
                self.reach_toolsnet(dice.random() < 0.5)
                cart.run(20000)
            elif what < 8:
                self.restart(dice.random() < 0.5, what == 7)
            else:
                cart.station.state.save()
        self.reach_toolsnet(True)
        self.restart(True)
        cart.run(TO_DELIVER_MS)
        self.in_log()
        there = {int(one) for one in cart.archive.tightening_ids()}
        return cart.station.state.numbers[field.OVERWRITTEN], self.stored - self.damaged - there

    def emptied(self):
        """Return how many results ToolsNet lacks, as is reported once it was emptied, and how many it had."""
        cart = self.cart
        had = len({*cart.archive.tightening_ids()})
        cart.archive.clear()
        for place in (PIM, SERVER):
            cart.network.cut(*place)
        cart.run(20000)
        return cart.outlet_status()["lost_there"], had


PARTS = [0, *[pytest.param(part, marks=pytest.mark.long("more lives")) for part in range(1, 8)]]


@pytest.mark.parametrize("part", PARTS)
def test_overwritten_is_never_less_than_what_toolsnet_lacks(part):
    first = 246 + 40 * part
    for seed in range(first, first + (40 if LONG else 10)):
        life = Life(seed)
        overwritten, lacks = life.live()
        assert len(lacks) <= overwritten, (seed, overwritten, sorted(lacks))
        reported, had = life.emptied()
        assert had <= reported, (seed, reported, had)


def test_what_toolsnet_took_right_before_a_cut_and_its_removal_is_not_left_out_of_what_it_lacks():
    life = Life(15)
    cart = life.cart
    cart.produce(60, 100)
    cart.until_quiet()
    life.restart(False)
    while cart.station.log.first_above(0) < 100:
        cart.produce(5, 100)
        cart.run(2000)
    life.restart(True)
    cart.run(TO_DELIVER_MS)
    reported, had = life.emptied()
    assert 60 < had <= reported <= had + 1
