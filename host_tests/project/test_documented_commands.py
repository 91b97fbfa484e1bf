"""Every command that a document shows is one that toolcart takes, every file and page that it names is there; commands
that need no hardware are run.

With --long the pages with consoles are played from their first line to their last.
"""

import os
import re
import shlex
import stat
import sys

import click
import pytest
from click.testing import CliRunner

from toolcart.base.cache import CHECKOUT
from toolcart.sim import profiles
from toolcart.tools.cli.main import main
from host_tests.support import transcript
from host_tests.support.running import free_port

PAGES = sorted([*(CHECKOUT / "docs").rglob("*.md"), *CHECKOUT.glob("*.md")])
NAMES = [str(page.relative_to(CHECKOUT)) for page in PAGES]
PLAYED = ("start",)
# A command line in a block of code: the prompt of a console or of root in front, and what explains it behind.
_COMMAND = re.compile(
    r"^(?: {4})?(?:[a-z]+\$ )?(?:sudo )?(?:\.venv/bin/)?toolcart +(\S.*?)(?: {2,}\S.*| +#.*)?$", re.MULTILINE
)
_PLACE = re.compile(
    r"`((?:toolcart/(?:agent|board|archive|tools|base|client|codec|sim)|lab|tools|host_tests|docs)/[\w./*{},-]*)`"
)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_IN_TEXT = re.compile(r"`(?:\.venv/bin/)?toolcart ([a-z][^`\n]*)`")
VALUES = {"N": "1", "PORT": "/dev/ttyACM0", "NUMBER": "1"}


def shown(text):
    """What a document gives to the shell behind `toolcart`."""
    return [line for line in _COMMAND.findall(text) if not line.startswith(("is ", "stands ", "below", "puts"))]


def words_of(line):
    """The words of a command, without what the shell keeps and what may be left out."""
    line = re.sub(r"\[(--[^\]]*)\]", r"\1", line)
    words = shlex.split(re.split(r"\s(?:[|<>;]|&&)\s?", line + " ")[0])
    return [VALUES.get(word, word) for word in words if word != "..."]


def parsed(words):
    """Let Click read a command line as far as it is carried out; UsageError if it does not take it."""
    command, name = main, "toolcart"
    context = None
    while isinstance(command, click.Group):
        if not words:
            return
        context = click.Context(command, parent=context, info_name=name)
        name, found, words = command.resolve_command(context, list(words))
        command = found
    try:
        command.make_context(name, list(words), parent=context)
    except click.BadParameter as wrong:
        if "does not exist" not in wrong.format_message():  # whether a file is there is not the question
            raise


def _spelled_out(place):
    """`a/{b,c}.py` is `a/b.py` and `a/c.py`."""
    found = re.match(r"(.*)\{([^}]*)\}(.*)", place)
    if not found:
        return [place]
    return [one for part in found[2].split(",") for one in _spelled_out(found[1] + part + found[3])]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_file_that_a_document_names_is_there(page):
    named = {one for place in _PLACE.findall(page.read_text(encoding="utf-8")) for one in _spelled_out(place)}
    gone = sorted(place for place in named if not list(CHECKOUT.glob(place.rstrip("/"))))
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_of_a_document_leads_somewhere(page):
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_line_of_a_document_is_taken(page):
    for line in shown(page.read_text(encoding="utf-8")):
        try:
            parsed(words_of(line))
        except click.exceptions.Exit:
            pass
        except click.UsageError as wrong:
            pytest.fail(f"{page.name}: toolcart {line}: {wrong.format_message()}")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_that_a_sentence_names_is_there(page):
    for line in _IN_TEXT.findall(page.read_text(encoding="utf-8")):
        words = [re.split(r"[|\s]", word)[0] for word in line.split()]
        command = main
        while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]+", words[0]):
            context = click.Context(command)
            assert words[0] in command.list_commands(context), f"{page.name}: toolcart {line}"
            command = command.get_command(context, words.pop(0))


def test_a_command_that_is_not_taken_is_found():
    assert shown("    toolcart flash --prot /dev/x     # first\n") == ["flash --prot /dev/x"]
    for line in ("flash --prot /dev/x", "no such", "run --seconds x"):
        with pytest.raises(click.UsageError):
            parsed(words_of(line))


# -- controllers.md, boards.md -------------------------------------------------------------------------------------


def test_the_commands_of_the_page_about_controllers_run():
    """Those that a computer without a controller can run; each simulated controller is heard of."""
    text = (CHECKOUT / "docs/controllers.md").read_text(encoding="utf-8")
    lines = [line for line in shown(text) if line.startswith("simulate controller")]
    assert lines
    for line in lines:
        words = [str(free_port()) if word == "4545" else word for word in words_of(line)]
        done = CliRunner().invoke(main, [*words, "--seconds", "0.05"])
        assert done.exit_code == 0 and "controller on 127.0.0.1" in done.output, (line, done.output)


def test_every_controller_of_the_table_is_one_that_can_be_simulated():
    text = (CHECKOUT / "docs/controllers.md").read_text(encoding="utf-8")
    named = re.findall(r"^\|[^|]*\| `([a-z0-9.-]+)` \|", text, re.MULTILINE)
    assert len(named) == 12
    assert set(named) == set(profiles.names())


def test_commands_of_the_page_about_boards_run_as_far_as_without_board(tmp_path, monkeypatch):
    """Each says in one sentence that there is no board, or does its work; none ends in a traceback."""
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(
        main, shlex.split("config new cart.json --name A --controller h --pim h:1 --system 1 --station 1 --on ethernet")
    )
    assert made.exit_code == 0, made.output
    text = (CHECKOUT / "docs/boards.md").read_text(encoding="utf-8")
    in_tables = re.findall(r"`toolcart ((?:flash|board) [^`]*--port [^`]*)`", text)
    lines = [line for line in shown(text) + in_tables if line.startswith(("flash", "board", "install-service"))]
    assert len(lines) >= 3
    for line in lines:
        words = [re.sub(r"^/dev/tty.*", str(tmp_path / "no-such-port"), word) for word in words_of(line)]
        if words[0] == "install-service":
            words += ["--root", str(tmp_path / "card")]
        done = CliRunner().invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), (line, done.output)
        assert done.exit_code == (0 if words[0] == "install-service" else 3), (line, done.output)
        assert words[0] == "install-service" or "no-such-port" in done.output, (line, done.output)


# -- pages that are played -----------------------------------------------------------------------------------------


def test_a_transcript_is_read_and_its_numbers_do_not_count():
    text = "```console\ncart$ toolcart run\n     0.00    agent started, process 7\n```\n"
    assert transcript.commands(text) == ["toolcart run"]
    assert transcript.plain("     0.00    agent started, process 18926") == "# agent started, process #"


@pytest.mark.long("it takes as long as it tells")
def test_pages_with_consoles_are_as_they_say(tmp_path):
    program = tmp_path / "bin/toolcart"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={CHECKOUT} exec {sys.executable} -m toolcart.tools.cli.main "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "TERM": "dumb"}
    for page in PLAYED:
        text = (CHECKOUT / f"docs/{page}.md").read_text(encoding="utf-8").replace("./tools/run", "toolcart run")
        ports = {port: str(free_port()) for port in ("4545", "6575", "10111")}
        text = text.replace("simulate toolsnet", "simulate toolsnet --pim-port 6575 --server-port 10111")
        text = text.replace("archive serve", "archive serve --pim-port 6575 --server-port 10111")
        text = re.sub(r"(\$ toolcart simulate controller)(?! --port)", r"\1 --port 4545", text)
        assert transcript.play(text, tmp_path, environment, ports), page


# -- troubleshooting -----------------------------------------------------------------------------------------------

# Words of systemd, and those that are put together.
_NOT_OURS = {"inactive", "start condition failed", "lies in a home folder"}
_CHANGES = re.compile(r"\.\.\.|\b(?:N|FILE|USER)\b|\d+(?:/\d+)?|\*\*\*|[(){}]|: | {2,}")


def test_what_troubleshooting_lets_one_look_for_is_what_the_program_says():
    """The quoted words of its first columns are in the program, as far as they do not change from case to case."""
    files = (CHECKOUT / "toolcart").rglob("*.py")
    program = "\n".join(path.read_text(encoding="utf-8") for path in files)
    text = (CHECKOUT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    quoted = [one for line in re.findall(r"^\| (.*?) \|", text, re.MULTILINE) for one in re.findall(r"`([^`]+)`", line)]
    pieces = {piece.strip(" ;,:") for one in quoted for piece in _CHANGES.split(one)} - _NOT_OURS
    looked_for = {piece for piece in pieces if len(piece) >= 5}
    assert len(looked_for) >= 15
    assert not [piece for piece in looked_for if piece not in program]
