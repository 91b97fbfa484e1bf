"""The programs and examples in docs/library run as they stand, and what a page counts is counted."""

import doctest
import io
import re
import subprocess
import sys

import pytest

import toolcart
from toolcart import client
from toolcart.client import ConnectionLost
from toolcart.simulated import controller
from lab.cache import CHECKOUT
from lab.packaging import message_types

BOOK = CHECKOUT / "docs" / "library"
PROGRAM_LINES_MOST = 30
DEADLINE_S = 60
WITH_BROKER = "consumers.md"  # host_tests/archive/test_check_consumer.py runs it


def programs(page):
    """Return the programs of a page: each that begins with an import, with the examples that go on from there."""
    blocks = []
    for one in re.findall(r"```python\n(.*?)```", (BOOK / page).read_text(encoding="utf-8"), re.DOTALL):
        if one.startswith(("import ", "from ")):
            blocks.append(one)
        elif blocks and "async with" not in one:
            blocks[-1] += "\n" + one
    return blocks


def fragments(page):
    """Return the examples of a page that are no program: what is done with a controller that is connected."""
    blocks = re.findall(r"```python\n(.*?)```", (BOOK / page).read_text(encoding="utf-8"), re.DOTALL)
    return [one for one in blocks if one.startswith("async with ")]


PAGES = {page.name for page in BOOK.glob("*.md") if programs(page.name)} - {WITH_BROKER}


def started(program, folder=None):
    return subprocess.Popen(
        [sys.executable, "-u", "-c", program], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.parametrize("index", [0, 1])
def test_the_quick_start_prints_each_tightening_and_acknowledges_it(index):
    program = programs("quick-start.md")[index]
    assert len(program.splitlines()) <= PROGRAM_LINES_MOST
    with controller(push_last_result=True) as simulated:
        produced = simulated.produce(torque=1234)  # which a new subscription gets
        child = started(program.replace("192.0.2.10", simulated.host).replace("4545", str(simulated.port)))
        try:
            line = next(line for line in child.stdout if line.startswith(f"{produced} "))
            assert "12.34" in line
            newer = simulated.produce(torque=2345)
            line = next(line for line in child.stdout if line.startswith(f"{newer} "))
            assert "23.45" in line
            assert simulated.acknowledged[0] == produced
            simulated.assert_clean()
        finally:
            child.kill()
            child.communicate()


@pytest.mark.parametrize("page", sorted(PAGES - {"quick-start.md"}))
def test_the_other_programs_run_to_their_end(page, tmp_path):
    if page == "types.md":
        message_types.write(message_types.FOLDER)  # as a build does
    for program in programs(page):
        child = started(program, tmp_path)
        output, _ = child.communicate(timeout=DEADLINE_S)
        assert child.returncode == 0, output


def public_names():
    """Return every public name with what it stands for, `captures.read` and the like among them."""
    named = [(name, getattr(toolcart, name)) for name in dir(toolcart) if name != "messages"]  # a build makes it
    for part in (toolcart.captures, toolcart.simulated):
        named += [(f"{part.__name__}.{name}", getattr(part, name)) for name in part.__all__]
    return [(name, one) for name, one in named if callable(one)]


@pytest.mark.parametrize(("name", "public"), public_names(), ids=[name for name, _ in public_names()])
def test_every_public_name_has_an_example_that_runs(name, public):
    public = getattr(public, "__func__", public)
    examples = doctest.DocTestFinder(recurse=False).find(public, name, globs={})
    assert examples and examples[0].examples
    report = io.StringIO()
    for one in examples:
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(one, out=report.write)
    assert not report.getvalue()


def test_page_with_a_program_is_run_and_named_by_quick_start():
    assert len(PAGES) == 11 and programs(WITH_BROKER)
    quick = (BOOK / "quick-start.md").read_text(encoding="utf-8")
    assert all(f"]({page.name})" in quick for page in BOOK.glob("*.md") if page.name != "quick-start.md")


def test_every_error_and_call_that_the_page_names_is_there():
    from toolcart.client.controller import Controller

    text = (BOOK / "client.md").read_text(encoding="utf-8")
    for name in re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE):
        assert hasattr(client, name) or name == "FieldError"
    called = re.search(r"has a name: (.*?)\.\n", text, re.DOTALL)[1]
    assert all(hasattr(Controller, name) for name in re.findall(r"`(\w+)`", called))
    assert issubclass(ConnectionLost, client.ClientError)
