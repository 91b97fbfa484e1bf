"""Every command that the program names is one that it takes, as it is installed here, and does what is said of it."""

import ast
import lzma
import re
import shlex
import socket
import subprocess
import sys

import click
import pytest

from toolcart.base.privileges import as_root
from toolcart.base.sources import files_below
from toolcart.tools.cli import main as cli
from toolcart.tools.config import file as config_file
from toolcart.tools.config import new as config_new
from toolcart.tools.live.figures import Figures
from toolcart.tools.live.log_lines import LogLines
from toolcart.tools.service import commands as service
from toolcart.tools.status import commands as status
from host_tests.support import running
from host_tests.support.descriptors import WrittenText
from host_tests.support.running import ENVIRONMENT, cart_of, toolcart, written
from lab.cache import CHECKOUT

_NAMED = re.compile(r"`(?:sudo )?toolcart ([a-z][^`\n]*)`")
ASIDE = CHECKOUT / "host_tests/data/aside.spool.xz"  # station 10 of system 1: some results are set aside


# -- named in the source -------------------------------------------------------------------------------------------


def sources(*folders):
    """The trees of the files that name a command at all, with their paths: to parse all files takes seconds."""
    for folder in folders:
        for path in files_below(CHECKOUT / folder):
            source = path.read_text(encoding="utf-8")
            if re.search(r"toolcart[^.\w/-]", source):
                yield path, ast.parse(source)


def texts():
    """Every text in the program that names a command, with its file."""
    for path, tree in sources("toolcart"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from ((path.name, line) for line in _NAMED.findall(node.value))


def test_every_command_that_the_program_names_is_there():
    lines = sorted(set(texts()))
    assert len(lines) > 40
    for name, line in lines:
        command, words = cli.main, re.split(r"[\s|&]+", line)
        while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]+", words[0]):
            assert words[0] in command.list_commands(click.Context(command)), f"{name}: toolcart {line}"
            command = command.get_command(click.Context(command), words.pop(0))
        options = {option for one in command.params for option in one.opts}
        assert all(word in options for word in words if word.startswith("--")), f"{name}: toolcart {line}"


# -- named by a running agent --------------------------------------------------------------------------------------


def cart_with_refused(parent):
    """The configuration of a cart in a folder with a space in its name, with a spool that holds results set aside."""
    folder = parent / "my carts"
    folder.mkdir()
    (folder / "cart.spool").write_bytes(lzma.open(ASIDE).read())
    (folder / "cart.spool").chmod(0o600)
    return written(folder, cart_of(number=10, station={"spool": {"path": "cart.spool"}}))


@pytest.fixture
def cart(tmp_path, monkeypatch):
    """A cart in a folder with a space in its name, whose ToolsNet refused some results and is away now."""
    monkeypatch.chdir(tmp_path)
    return cart_with_refused(tmp_path)


def run_agent(config):
    """The lines of the log and of the status of an agent that lives until neither side has let it in."""
    figures, out = Figures(), WrittenText()
    lines = LogLines(out)

    def goes_on(_agent, lines):
        if lines[-1]["kind"] != "status":
            return True
        [station] = lines[-1]["stations"]
        return not all(side.get("why") for side in (station["controller"], *station["outlets"]))

    code, reported = running.run_agent(config, goes_on)
    assert code == 0
    for line in reported[:-1]:
        lines.changes(figures.feed(line, 0.0))
    stations = reported[-1]["stations"]
    return out.getvalue(), "\n".join(status.lines({"agent": {}, "stations": stations})), stations


# -- named where something is wrong --------------------------------------------------------------------------------


def test_a_configuration_of_the_service_is_started_by_the_service():
    assert config_new.next_step({}, config_file.SERVICE_CONFIG) == f"Next: {as_root('systemctl restart toolcart')}"


def test_without_systemd_nothing_is_written_and_a_way_out_is_named(cart, monkeypatch):
    monkeypatch.setattr(service.shutil, "which", lambda name: None if name == "systemctl" else f"/usr/bin/{name}")
    monkeypatch.setattr(service, "write", lambda *_: pytest.fail("something was written"))
    (cart.parent / "cart.spool").unlink()  # else what waits in it is told first
    output = toolcart("install-service", "--config", cart, code=1).output
    assert "nothing was written" in output
    way = next(line for line in re.findall(r"`([^`]*)`", output) if " run " in line)
    words = shlex.split(way)[1:]
    assert words == ["run", "--plain", "--config", str(cart)]
    running.ran(*words, "--seconds", 0.2)


def test_pages_of_the_demo_at_a_port_that_is_used_are_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        output = toolcart("run", "--headless", "--seconds", 1, "--web", where, code=2).output
    assert f"--web {where}: nothing can listen there" in output


def test_configuration_that_is_not_there_is_the_same_mistake_for_every_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in ("run --plain", "doctor", "status", "web", "quarantine list", "install-service"):
        assert "none.json" in toolcart(*line.split(), "--config", "none.json", code=2).output, line


def test_a_reader_that_has_enough_ends_a_table_quietly(tmp_path):
    capture = tmp_path / "line"
    capture.write_text("".join(f"0.{number:06} {'<>'[number % 2]} 10\n" for number in range(20000)))
    source = "from toolcart.tools.cli.main import main; main()"
    words = [sys.executable, "-c", source, "line", "decode", str(capture)]
    with subprocess.Popen(
        words, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as decoding:
        decoding.stdout.readline()
        decoding.stdout.close()
        assert decoding.stderr.read() == ""
