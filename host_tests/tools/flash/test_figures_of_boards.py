"""What documents say of a board's heap, and of what `toolcart flash` sends, is one figure everywhere, and so."""

import re

import pytest

from toolcart.base.sources import ROOT
from toolcart.tools.flash import package, plan
from host_tests.tools.flash.test_flash_tool import cart_in

COPIED = f"{plan.COPIED_LEAST_BYTES:,}"
RP2, ESP32 = (f"{least:,}" for least in plan.FROZEN_LEAST_BYTES.values())
SAID = {
    "docs/sizing.md": (RP2, ESP32, COPIED),
    "docs/boards.md": (RP2, ESP32, COPIED),
    "docs/internals/figures.md": (RP2, ESP32, COPIED),
    "docs/internals/decisions.md": (COPIED,),
}


@pytest.mark.parametrize("name", SAID)
def test_the_heap_that_a_board_needs_is_one_figure_everywhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [figure for figure in SAID[name] if figure not in text] == []


def test_what_flash_sends_to_an_empty_board_is_what_the_first_ten_minutes_say(tmp_path):
    version = package.build("rp2", "armv6m", cart_in(tmp_path))
    sent = sum(map(len, [*version.files.values(), *version.root.values()]))
    said = re.search(r"sends (\d+) KB", (ROOT / "docs/boards.md").read_text(encoding="utf-8"))
    assert said and abs(sent / 1000 - int(said[1])) < 8, sent
