"""esptool takes every line that documents and `toolcart image` tell people to type for it.

Where it is installed it reads them itself; else they are compared with what 5.6 said of itself by `--help`.
"""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from toolcart.base.sources import ROOT
from toolcart.tools.flash import boards, image

CHIPS = ("auto", "esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6")
ARGUMENTS = {"erase-flash": "", "write-flash": "(0x[0-9a-f]+ [^ ]+)( 0x[0-9a-f]+ [^ ]+)*"}
ESP32 = {name: board for name, board in boards.BOARDS.items() if board.port == "esp32"}


def lines():
    """Every line, with where it stands."""
    found = [("boards.md", line) for line in (ROOT / "docs/boards.md").read_text(encoding="utf-8").splitlines()]
    found += [(name, image.next_steps(board, Path(f"toolcart-{name}.bin"))[0]) for name, board in ESP32.items()]
    return [(place, line.partition("esptool ")[2]) for place, line in found if "pipx run esptool " in line]


def understood(arguments):
    """Say what is wrong with them, "" if nothing is."""
    words = shlex.split(arguments)
    while words and words[0].startswith("--"):
        option, value = words.pop(0), words.pop(0)
        if option not in ("--chip", "--port") or (option == "--chip" and value not in CHIPS):
            return f"{option} {value}"
    command = words.pop(0) if words else "no command"
    good = command in ARGUMENTS and re.fullmatch(ARGUMENTS[command], " ".join(words))
    return "" if good else f"{command} {words}"


def test_documents_and_the_command_have_such_lines():
    assert {place for place, _ in lines()} == {"boards.md", *ESP32}


@pytest.mark.parametrize(("place", "arguments"), lines())
def test_esptool_takes_the_line(tmp_path, place, arguments):
    assert understood(arguments) == ""
    if importlib.util.find_spec("esptool") is None:
        return
    words = ["/dev/null" if word == "PORT" or word.startswith("/dev/") else word for word in shlex.split(arguments)]
    for word in words:
        if word.endswith(".bin"):
            (tmp_path / word).write_bytes(bytes(16))
    run = subprocess.run(
        [sys.executable, "-m", "esptool", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    said = run.stdout + run.stderr
    assert "Could not open /dev/null" in said and "eprecated" not in said, said


@pytest.mark.parametrize(
    "arguments",
    ["write_flash 0x0 a.bin", "--port P", "erase-flash 1", "--chip esp33 erase-flash", "write-flash a.bin 0x0"],
)
def test_a_line_that_it_does_not_take_is_seen(arguments):
    assert understood(arguments)


def test_each_address_of_the_document_is_that_of_its_chip():
    said = dict(
        re.findall(
            r"--chip (\w+) .*write-flash (0x\w+)", "\n".join(line for place, line in lines() if place == "boards.md")
        )
    )
    assert said == {board.chip: image.next_steps(board, Path("x"))[0].split()[-2] for board in ESP32.values()}
