"""A traceback of the compacted program comes back as file, line and function of the sources."""

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools import runtimes
from tools.base.sources import Source, compiler, product_sources
from tools.compact.bytecode import BLOCK_BYTES, Bytecode, decoded, encoded
from tools.compact.mpy import Mpy
from tools.compact.tree import OPTIONS, compile_sources, files_of, lines_in, program_of, program_of_board
from tools.flash import traceback
from tools.flash.board_commands import board

BOX = """class Box:
    def __init__(self):
        self.kept_here = [1]

    def take_out(self, at):
        first = at + 1

        return self.kept_here[first]

    def once_called(self, at):
        if at > 5:
            return 0
        at = at + 0
        return 1 // at

    def run_all(self, at):
        return self.once_called(at) + self.take_out(at)


def over_all(at):
    try:
        return Box().take_out(at)
    finally:
        at = 0


def alone(text):
    return int(text)
"""
APP = """from agent.base.box import Box, alone, over_all


def go(how):
    if how == 1:
        return Box().run_all(7)
    if how == 2:
        return Box().run_all(0)
    if how == 3:
        return over_all(9)
    return alone("x")
"""
USER = "from agent.cart.app import go\n\n\ndef main(how):\n    return go(how)\n"
FILES = {
    "agent/__init__.py": "",
    "agent/base/__init__.py": "",
    "agent/base/box.py": BOX,
    "agent/cart/__init__.py": "",
    "agent/cart/app.py": APP,
    "board/__init__.py": "",
    "board/user.py": USER,
}
# What is asked for, and the innermost frame: a method, one that went into its caller, one with more than one
# statement, and the caller of a function that is only an expression, which has become a part of the caller's line.
ASKED = [
    (1, "agent/base/box.py", "        return self.kept_here[first]", "Box.take_out"),
    (2, "agent/base/box.py", "        return 1 // at", "Box.once_called"),
    (3, "agent/base/box.py", "        return self.kept_here[first]", "Box.take_out"),
    (4, "agent/cart/app.py", '    return alone("x")', "go"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    runtime = runtimes.named("unix32")
    reason = runtime.fetch()
    if reason:
        pytest.skip(reason)
    sources = [Source(name, text) for name, text in FILES.items()]
    folder = tmp_path_factory.mktemp("board")
    compile_sources(folder, files_of(program_of(sources).texts))
    return runtime, folder, lines_in(folder, sources)


def raised(made, how: int) -> str:
    """What MicroPython prints."""
    runtime, folder, _ = made
    script = folder / "script.py"
    script.write_text(
        "import sys\nfrom board.user import main\ntry:\n"
        f"    main({how})\nexcept Exception as fault:\n    sys.print_exception(fault, sys.stdout)\n"
    )
    return subprocess.run(
        runtime.command(script, "256k", (), folder), capture_output=True, text=True, timeout=30
    ).stdout


@pytest.mark.parametrize("how, file, text, function", ASKED)
def test_a_traceback_names_file_line_and_function_of_the_source(made, how, file, text, function):
    said = raised(made, how)
    assert file not in said and 'File "app.py", line ' in said
    told, version = traceback.in_sources(said, {"abc": made[2]})
    assert version == "abc"
    last = [line for line in told.splitlines() if "File " in line][-1]
    [match] = [one for one in last.split(" or ") if one.strip().endswith(f", in {function}")]
    numbers = [int(word.strip(",")) for word in match.partition("line")[2].split() if word.strip(",").isdigit()]
    wanted = FILES[file].split("\n").index(text) + 1
    assert f'File "{file}", line' in match and numbers[0] <= wanted <= numbers[-1] <= numbers[0] + 4, told


def test_the_newest_version_that_fits_is_meant_and_one_that_does_not_fit_is_named(made, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    fault = tmp_path / "fault.txt"
    fault.write_text(raised(made, 4))
    outcome = CliRunner().invoke(board, ["traceback", str(fault)])
    assert outcome.exit_code == 1 and "no version" in outcome.output and "app.py" in outcome.output
    assert traceback.keep("0123", made[2]) == ""
    traceback.keep("4567", {"agent/app.py": {"other": [[["agent/app.py", "", 1, 1]]]}})
    outcome = CliRunner().invoke(board, ["traceback", str(fault)])
    assert outcome.exit_code == 0 and 'File "agent/cart/app.py"' in outcome.output and "in go" in outcome.output
    assert CliRunner().invoke(board, ["traceback", "--version", "45", str(fault)]).exit_code == 1
    own = tmp_path / "map"
    own.write_bytes(traceback.packed(made[2]))
    assert "in go" in CliRunner().invoke(board, ["traceback", "--map", str(own), str(fault)]).output
    own.write_bytes(b"something else")
    assert CliRunner().invoke(board, ["traceback", "--map", str(own), str(fault)]).exit_code == 1


def test_a_map_that_cannot_be_written_is_a_reason_and_no_exception(made, tmp_path, monkeypatch):
    (tmp_path / "toolcart").write_text("a file stands where the folder would be")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert "not kept" in traceback.keep("0123", made[2])


def test_every_function_of_the_agent_is_in_the_map_and_numbers_fill_only_what_the_heap_rounds_away(tmp_path):
    texts = program_of_board().texts  # other tests have it made as well
    compile_sources(tmp_path, files_of(texts), "armv6m")
    lines = lines_in(tmp_path, product_sources())
    named: Counter[tuple[str, str]] = Counter()
    for file in [file for file in files_of(texts) if not file.is_native]:  # machine code has no numbers of lines
        for node in ast.walk(ast.parse(file.text)):
            if isinstance(node, ast.FunctionDef):
                named[file.name, node.name] += 1
    short = {key for key, count in named.items() if len(lines[key[0]].get(key[1], ())) < count}
    assert len(named) > 500 and not short
    told = {span[1] for numbers in lines["agent/app.py"].values() for spans in numbers for span in spans}
    origins = {origin[1] for origin in texts["agent.app"].origins if origin}
    assert origins - told <= {""}
    exact = [spans for numbers in lines["agent/app.py"].values() for spans in numbers if len(spans) == 1]
    assert len(exact) > 0.9 * sum(len(numbers) for numbers in lines["agent/app.py"].values())
    # The heap that the bytecode of the core takes, with numbers and without any.
    plain = tmp_path / "plain.mpy"
    text = tmp_path / "app.py"
    text.write_text(texts["agent.app"])
    subprocess.run([compiler()[0], *OPTIONS, "-s", "app.py", "-o", str(plain), str(text)], check=True, timeout=60)
    more = blocks_of(tmp_path / "agent/app.mpy") - blocks_of(plain)
    assert 0 <= more <= len(exact) // 100, more


def blocks_of(file: Path) -> int:
    """The heap's blocks of a .mpy's functions."""
    pieces = Mpy(file.read_bytes()).pieces(lambda line: None, lambda line: "?")
    return sum(-(-len(one.data) // BLOCK_BYTES) for one in pieces if isinstance(one, Bytecode))


@pytest.mark.parametrize("skipped", [0, 1, 15, 16, 31, 32, 200])
@pytest.mark.parametrize("lines", [1, 3, 4, 7, 255, 256, 2047, 2048, 5000])
def test_line_numbers_are_read_as_they_were_written(skipped, lines):
    assert decoded(encoded(skipped, lines))[-1] == (skipped, 1 + lines)
