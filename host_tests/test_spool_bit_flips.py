"""Every single bit of a small image is turned over once: at most one record is damaged, and no wrong one delivered."""

import os

import pytest

from agent.spool.mount import mount
from agent.spool.ring import Ring
from host_tests.support_spool import append, mounted, read_all
from tools.sim.flash import SimFlash

LONG = os.environ.get("TOOLCART_LONG") == "1"


def image(unit, results, taken):
    flash = SimFlash(6, 1024, unit)
    ring = mounted(flash)
    made = 0
    while made < results:
        if append(ring, made + 1) == 0:
            made += 1
        if made > 6 and taken:
            ring.peek(0)
            ring.advance(0)
            taken -= 1
    return flash, read_all(mounted(flash.clone()))


@pytest.mark.parametrize("unit", [8, 256])
def test_each_single_bit_damages_one_record_at_most_and_is_counted(unit):
    flash, whole = image(unit, 17 if unit == 8 else 9, 4)
    step = 1 if LONG else 11  # no divisor of 8: every octet is hit
    lost = counted = 0
    for bit in range(0, len(flash.cells) * 8, step):
        twin = flash.clone()
        twin.flip(bit)
        ring = Ring(twin)
        assert mount(ring) >= 0, bit
        found = read_all(ring)
        # A damaged HEAD may bring back what was delivered before, never less than what waits.
        missing = [pair for pair in whole if pair[1] not in [ident for _, ident in found]]
        assert len(missing) <= 1, (bit, missing)
        order = [ident for _, ident in found]
        assert order == sorted(set(order)), bit
        if missing:
            lost += 1
            append(ring, 99)
            read_all(ring)
            counted += 1 if ring.damaged or ring.torn else 0
        assert append(ring, 100) == 0, bit
        assert read_all(ring)[-1][1] == 100, bit
    assert lost and counted == lost


def test_a_bit_in_the_last_record_does_not_give_its_number_to_another():
    flash, _ = image(8, 17, 0)
    ring = mounted(flash.clone())
    last = ring.number
    found = 0
    for bit in range(0, len(flash.cells) * 8, 1 if LONG else 23):
        twin = flash.clone()
        twin.flip(bit)
        again = mounted(twin)
        before = [number for number, _ in read_all(again)]
        append(again, 50)
        number, ident = read_all(again)[-1]
        assert ident == 50 and number > last, bit
        if last not in before:
            found += 1
    assert found, "the last record was never hit"
