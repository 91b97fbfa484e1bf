"""The library's types: made from the tables, like the code they describe, and taken by mypy and pyright."""

import ast
import dataclasses
import inspect
import json
import re
import subprocess
import sys
import textwrap

import pytest

from toolcart import catalogue, client
from toolcart.catalogue import Catalogue
from toolcart.client.options import Options
from host_tests.toolcart.client.test_library_book import BOOK, fragments, programs
from lab.cache import CACHE, CHECKOUT
from lab.packaging import message_table as table
from lab.packaging import message_types as types
from lab.packaging import reference

STUB = ast.parse((CHECKOUT / "toolcart" / "__init__.pyi").read_text(encoding="utf-8"))
GOOD = """
import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import toolcart
from toolcart.messages import Fields0061, Given0101, Given0101Spindles


def build() -> Fields0061:
    frame = toolcart.encode(61, 999, torque=Decimal("42.37"), time=datetime(2024, 3, 14), station=1)
    changed: bytes = toolcart.encode(toolcart.decode(frame), angle=95)
    return toolcart.decode(changed).fields(61)


def several(results: Sequence[Given0101Spindles]) -> Given0101:
    return {"spindle_count": len(results), "spindles": results}


async def main() -> None:
    async with toolcart.connect("192.0.2.10", timeout=3) as controller:
        accepted: toolcart.Message = await controller.ask(18, pset_id=2, timeout=1)
        print(controller.started["controller_name"], len(accepted), list(accepted.items()))
        number: int | toolcart.Odd | None = accepted.fields(5)["mid_accepted"]
        print(number, await controller.psets(), build().get("strategy"))
        async with controller.results() as gapless:
            async for one in gapless:
                if isinstance(one, toolcart.Missed):
                    print(one.ids[0], one.reason)
                else:
                    print(one.fetched, await one.scaled().acknowledge())
        stream: toolcart.Stream[toolcart.Received] = controller.results(fill_gaps=False)
        async with stream as results:
            async for result in results:
                when: datetime | None = result.datetime("time")
                print(result["torque"], result.number("torque"), when)
                await result.acknowledge()
            await (await results.next(timeout=5)).acknowledge()
        async with controller.connections() as events:
            async for event in events:
                print(event.is_found)


with toolcart.connect_blocking("192.0.2.10") as blocking:
    print(blocking.started["controller_name"])
    with blocking.results(False) as taken:
        for pushed in taken:
            print(pushed.acknowledge(), blocking.ask(10).fields(11)["pset_ids"])
        next(taken).acknowledge()
masked = toolcart.encode(61, 2, error_status=["trigger lost"], torque="42.37", torque_status="OK")
with toolcart.simulated.controller("nexo", silent=True, refuse={18: 3}) as simulated:
    simulated.produce(torque=1)
    simulated.assert_clean()
for telegram in toolcart.captures.read(masked, scaled=True):
    print(telegram.time, telegram.sent_by, telegram.message["torque"])
asyncio.run(main())
"""
BAD = """
import toolcart

toolcart.encode(18, pset=2)  # no such field
toolcart.encode(18, pset_id=object())  # no number
toolcart.encode(98)  # no such MID
toolcart.decode(b"").fields(61)["torqe"]  # misspelled
toolcart.decode(b"").fields(61)["torque"] + 1  # may be blank, or odd
toolcart.connect("192.0.2.10", deadline=2)  # no such option
toolcart.encode(61, torque=42.37)  # a whole number, a Decimal or text
toolcart.simulated.controller("nexo", silnt=True)  # no such option
toolcart.connect("192.0.2.10").results().nxt(timeout=1)  # misspelled
toolcart.nothing  # no such name
toolcart.connect_blocking("192.0.2.10").results().next().acknowledge()  # may be a Missed
"""
AROUND = (
    "import toolcart\n\n\nasync def read(controller: toolcart.Controller, host: str) -> None:\n"  # a fragment of a page
)
WRONG = {number for number, line in enumerate(BAD.splitlines(), 1) if "#" in line}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the package as an installation has it, and the programs."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "toolcart").mkdir()
    for part in (CHECKOUT / "toolcart").iterdir():
        if part.name not in (*types.FILES, "__pycache__"):
            (folder / "toolcart" / part.name).symlink_to(part)
    types.write(folder / "toolcart")
    (folder / "good.py").write_text(GOOD)
    (folder / "bad.py").write_text(BAD)
    for page in BOOK.glob("*.md"):
        inside = [AROUND + textwrap.indent(one, "    ") for one in fragments(page.name)]
        for index, program in enumerate(programs(page.name) + inside):
            (folder / f"page_{page.stem.replace('-', '_')}_{index}.py").write_text(program)
    return folder


def found_by_mypy(folder, *names):
    """Return (file, line) of each error that mypy finds."""
    options = ["--strict", "--follow-imports=silent", "--cache-dir", str(CACHE / "mypy")]  # as an installed package is
    command = [sys.executable, "-m", "mypy", *options, *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    return {(match[1], int(match[2])) for match in re.finditer(r"^(\S+):(\d+): error", done.stdout, re.MULTILINE)}


def found_by_pyright(folder, *names):
    """The same of pyright."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(names)
    errors = [one for one in report["generalDiagnostics"] if one["severity"] == "error"]
    return {(one["file"].rpartition("/")[2], one["range"]["start"]["line"] + 1) for one in errors}


@pytest.mark.parametrize(
    "judge", [found_by_pyright, pytest.param(found_by_mypy, marks=pytest.mark.long("mypy reads the whole library"))]
)
def test_a_right_program_has_no_error_and_each_mistake_is_found(folder, judge):
    pages = [path.name for path in folder.glob("page_*.py")]
    assert {"page_consumers_0.py", "page_client_1.py"} <= set(pages)
    assert judge(folder, "good.py", "bad.py", *pages) == {("bad.py", line) for line in WRONG}


def test_the_table_of_messages_is_that_of_the_tables():
    page = (CHECKOUT / "docs" / "library" / "messages.md").read_text(encoding="utf-8")
    assert page == table.page(), "python -m lab.packaging.message_table > docs/library/messages.md"


def test_the_reference_is_that_of_the_docstrings():
    page = (CHECKOUT / "docs" / "library" / "reference.md").read_text(encoding="utf-8")
    assert page == reference.page(), "python -m lab.packaging.reference > docs/library/reference.md"
    names = {name for part in (catalogue, client) for name in part.__all__}
    assert all(f"### toolcart.{name}" in page for name in names if name != "connect_serial_blocking")
    assert not re.search(r"^### [^\n]*\n\n\n", page, re.MULTILINE), "each has a docstring"


REAL = {name: getattr(part, name) for part in (catalogue, client) for name in part.__all__}


def parameters_of(function):
    """Return (name, has a default) of each parameter of a function, without self."""
    parameters = inspect.signature(function).parameters.values()
    return [(one.name, one.default is not one.empty) for one in parameters if one.name != "self"]


def parameters_in(node):
    """The same of a function in the stub."""
    given = node.args
    plain = given.posonlyargs + given.args
    missing = [None] * (len(plain) - len(given.defaults))
    parameters = [(arg.arg, default is not None) for arg, default in zip(plain, missing + given.defaults, strict=True)]
    parameters += [(given.vararg.arg, False)] if given.vararg else []
    parameters += [
        (arg.arg, default is not None) for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg:
        is_options = given.kwarg.annotation is not None and ast.unparse(given.kwarg.annotation) == "Unpack[_Options]"
        parameters += parameters_of(Options) if is_options else [(given.kwarg.arg, False)]
    return [one for one in parameters if one[0] != "self"]


def compared(name, real, node):
    """Return what the stub says otherwise than the code, of a function or of a class with its methods."""
    if isinstance(node, ast.ClassDef):
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        plain = [one for one in methods if not one.decorator_list and not one.name.startswith("__")]
        return [wrong for one in plain for wrong in compared(f"{name}.{one.name}", getattr(real, one.name, None), one)]
    if real is None:
        return [f"{name}: there is none"]
    if parameters_in(node) == parameters_of(real) or list(inspect.signature(real).parameters)[-1:] == ["options"]:
        return []
    return [f"{name}: {parameters_in(node)}, the code has {parameters_of(real)}"]


def named(kind):
    return [one for one in STUB.body if isinstance(one, kind)]


def test_the_stub_says_what_the_code_takes():
    wrong = [fault for one in named(ast.FunctionDef) for fault in compared(one.name, REAL[one.name], one)]
    for one in named(ast.ClassDef):
        real = REAL.get(one.name)
        if real is not None:
            wrong += compared(one.name, real, one)
    assert wrong == []


def test_a_name_that_the_stub_lacks_would_be_found():
    names = {one.name for one in named((ast.FunctionDef, ast.ClassDef))} | {"CONTROLLER", "INTEGRATOR"}
    names |= {alias.asname for one in named(ast.ImportFrom) for alias in one.names}
    assert names >= set(REAL)
    assert compared("x", Catalogue.encode, ast.parse("def x(self, mid, most): ...").body[0])


def test_the_options_of_a_client_are_those_of_a_controller():
    options = next(one for one in named(ast.ClassDef) if one.name == "_Options")
    assert {one.target.id: ast.unparse(one.annotation) for one in options.body} == {
        field.name: field.type for field in dataclasses.fields(Options)
    }
    for name in ("connect", "connect_serial", "connect_blocking", "connect_serial_blocking"):
        node = next(one for one in named(ast.FunctionDef) if one.name == name)
        assert ast.unparse(node.args.kwarg.annotation) == "Unpack[_Options]"
