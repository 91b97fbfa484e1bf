"""The examples of docs/open-protocol.md run as they stand there, and what the page counts is counted."""

import re

import pytest

from agent.openprotocol import catalogue
from agent.openprotocol.catalogue import desoutter, nexo
from tools.cache import CHECKOUT

PAGE = CHECKOUT / "docs" / "open-protocol.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_page_runs(number):
    first = "from agent.openprotocol import catalogue\n"
    exec(compile(first + EXAMPLES[number], f"{PAGE.name}, example {number + 1}", "exec"), {})


def test_there_are_enough_of_them():
    assert len(EXAMPLES) >= 10


def test_the_tables_of_two_vendors_are_read_and_stand_before_the_specification():
    own = catalogue.Catalogue()
    assert own.about(501).name == "Motor tuning result data"
    own.register(nexo)
    own.register(desoutter)
    assert own.about(501).name == "Output and input signals" and not own.form(501).known
    battery = own.decode(own.encode(801, capacity=55, state=3))
    assert battery.meaning("state") == "fine" and battery.unit("capacity") == "%"
    for table in (nexo, desoutter):
        for mid in re.findall(r"^MID (\d+)", table.TABLE, re.MULTILINE):
            for revision in own.revisions(int(mid)):
                form = own.form(int(mid), revision)
                assert sum(field.octets() for field in form.fields) + 20 == form.length
            assert own.about(int(mid)).name
