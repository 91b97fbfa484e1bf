"""What is read by a pattern has the values, and the breaches, that it has when each field is read with care."""

import random

import pytest

from toolcart.archive.server import reader
from toolcart.toolsnet import layouts, telegrams
from toolcart.toolsnet.patterns import pattern_of

LAYOUTS = {
    name: layout
    for name, layout in vars(layouts).items()
    if name.isupper() and isinstance(layout, tuple) and isinstance(layout[0], tuple) and pattern_of(layout)
}
OCTETS = b"0123456789-. +A~\x7f\x00\xff"


def octets_of(dice, width, kind, *span):
    """A field that is in order, or nearly."""
    if kind == "d":
        outside = (span[1] + 1, max(span[0] - 1, 0))
        value = dice.choice(outside if dice.randrange(20) == 0 else (*span, dice.randint(*span)))
        return b"%0*d" % (width, value)
    if kind == "s":
        return bytes(dice.choice(b"A z~09") for _ in range(dice.randrange(width + 1))).ljust(width)
    if kind == "t":
        return b"%04d%02d%02d%02d%02d%02d" % tuple(dice.randrange(*one) for one in (
            (1999, 2030), (1, 14), (1, 32), (0, 25), (0, 60), (0, 60)))  # fmt: skip
    decimals = int(kind[1])
    return b"%0*.*f" % (width, decimals, dice.randrange(-99999, 99999) / 10**decimals)


@pytest.mark.parametrize("kind", [telegrams.Reading, reader._Lenient])
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_pattern_reads_what_reading_with_care_reads(monkeypatch, name, kind):
    layout, dice = LAYOUTS[name], random.Random(name)
    by_pattern = 0
    for _ in range(600):
        octets = bytearray(layout[0][1]) + b"".join(octets_of(dice, *form[2:]) for form in layout)
        if dice.randrange(3) == 0:
            octets[dice.randrange(layout[0][1], len(octets))] = dice.choice(OCTETS)
        telegram = bytes(octets[: len(octets) - (dice.randrange(9) == 0)])
        quick, careful = kind(telegram), kind(telegram)
        with monkeypatch.context() as patch:
            patch.setattr(telegrams, "pattern_of", None)
            wanted = careful.fields(0, layout)
        assert quick.fields(0, layout) == wanted
        assert [vars(one) for one in quick.breaches] == [vars(one) for one in careful.breaches]
        assert quick.unread == careful.unread
        by_pattern += pattern_of(layout).read(quick.text, 0) is not None
    assert 10 < by_pattern < 600


def test_the_layouts_of_results_have_patterns():
    assert {"GENERAL", "SPINDLE", "VIN", "PARAMETER"} <= set(LAYOUTS)
