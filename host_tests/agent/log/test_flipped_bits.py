"""Every single bit of a small area is turned over once: at most one record is damaged, and no wrong one delivered."""

import pytest

from toolcart.agent.log.snapshot_fields import DAMAGED
from host_tests.portable import LONG
from host_tests.support.log import Area, append, read_all, take_all


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
    assert twin.mount_result == 0, bit
    log.settle()
    return state, log


@pytest.mark.parametrize("unit", [16, 256])
def test_each_single_bit_damages_one_record_at_most_and_is_counted(unit):
    area, whole = area_with(unit, 17 if unit == 16 else 11)
    lost = counted = 0
    for bit in range(0, len(area.flash.cells) * 8, 1 if LONG else 527):  # odd: each bit of an octet in its turn
        state, log = flipped(area, bit)
        records = read_all(log)
        order = [ident for _, ident in records]
        missing = [ident for _, ident in whole if ident not in order]
        assert len(missing) <= 1, (bit, missing)
        assert order == sorted(set(order)), bit
        if missing:
            lost += 1
            counted += 1 if state.numbers[DAMAGED] or log.damage.torn else 0
        assert append(log, 100) == 0, bit
        assert read_all(log)[-1][1] == 100, bit
    assert lost and counted == lost


def test_bit_in_the_last_record_does_not_give_its_number_to_another():
    area, whole = area_with(16, 17)
    last = whole[-1][0]
    hit = 0
    for bit in range(0, len(area.flash.cells) * 8, 1 if LONG else 255):
        _, log = flipped(area, bit)
        before = [number for number, _ in read_all(log)]
        assert append(log, 50) == 0
        number, ident = read_all(log)[-1]
        assert ident == 50 and number > last - (last not in before), bit
        hit += last not in before
    assert hit, "the last record was never hit"
