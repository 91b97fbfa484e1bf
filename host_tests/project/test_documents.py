"""The documents: every command shown is one that toolcart takes, every link leads to a page, on the built site too.

With --long the pages with consoles are played from their first line to their last, in the terminals that they name:

    cart$ toolcart run --config cart.json      a command in the terminal `cart`; it may go on running
    1. Name of the cart [Cart 1]: My cart      an answer, where the command asks
    cart$ ^C                                   Ctrl-C there
    cart:                                      what follows comes in that terminal by itself
    ...                                        any lines

Lines are compared without their numbers and in their order; lines between them may be more than the document shows.
"""

import contextlib
import html
import os
import pty
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time
import tomllib

import click
import pytest

from toolcart.base.sources import files_below
from toolcart.sim import profiles
from toolcart.tools.cli.main import main
from toolcart.tools.config.new import QUESTIONS
from host_tests.support.running import free_port, toolcart
from lab.cache import CHECKOUT

PAGES = sorted([*(CHECKOUT / "docs").rglob("*.md"), *CHECKOUT.glob("*.md")])
NAMES = [str(page.relative_to(CHECKOUT)) for page in PAGES]
PLAYED = ("start",)
# A command line in a block of code: the prompt of a console or of root in front, and what explains it behind.
_COMMAND = re.compile(
    r"^(?: {4})?(?:[a-z]+\$ )?(?:sudo )?(?:\.venv/bin/)?toolcart +(\S.*?)(?: {2,}\S.*| +#.*)?$", re.MULTILINE
)
_PLACE = re.compile(r"`((?:agent|archive|board|toolcart(?!/\{?system)|tools|lab|host_tests|docs)/[\w./*{},-]*)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_IN_TEXT = re.compile(r"`(?:\.venv/bin/)?toolcart ([a-z][^`\n]*)`")
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^([a-z]+)\$ (.*)$")
_TERMINAL = re.compile(r"^([a-z]+):$")
_QUESTION = re.compile(r"^(\d\. .*): (.*)$")
DEADLINE_S = 60
VALUES = {"N": "1", "PORT": "/dev/ttyACM0", "NUMBER": "1"}


class Terminal:
    """One terminal: what runs in it, and what it has said."""

    def __init__(self, name, folder, environment):
        self.name = name
        self.folder = folder
        self.environment = environment
        self.process = None
        self.lines = []
        self.read = 0  # lines that the document has shown

    def start(self, command, answers):
        assert self.process is None or self.process.poll() is not None, f"{self.name} is busy: {command}"
        reader, terminal = pty.openpty()  # what a person reads is said in another form than what a pipe takes
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {command}" if command.startswith("toolcart") else command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=terminal,
            stderr=terminal,
            text=True,
        )
        os.close(terminal)
        self.process.stdin.write("".join(answer + "\n" for answer in answers))
        self.process.stdin.close()
        self.lines = []
        self.read = 0
        self.reader = threading.Thread(target=self._listen, args=(reader, self.lines), daemon=True)
        self.reader.start()

    @staticmethod
    def _listen(reader, lines):
        with open(reader, encoding="utf-8", errors="replace", newline="\n") as terminal:
            with contextlib.suppress(OSError):  # EIO: the last one has closed the terminal
                for line in terminal:
                    lines.append(line.rstrip("\r\n"))

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def wait(self):
        self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)

    def expect(self, wanted):
        """Wait until the line comes, behind the one before."""
        form = plain(wanted)
        end = time.monotonic() + DEADLINE_S
        while True:
            ended = self.process.poll() is not None and not self.reader.is_alive()
            for number in range(self.read, len(self.lines)):
                if form in plain(self.lines[number]):
                    self.read = number + 1
                    return
            assert not ended and time.monotonic() < end, f"{self.name} did not say {wanted!r}:\n" + "\n".join(
                self.lines
            )
            time.sleep(0.02)


def plain(text):
    """Words without numbers and folders: times, counts, ports and places are another run's."""
    text = re.sub(r"(?<![\w.])(/[\w.-]+)+/", "", text)
    return re.sub(r"\s+", " ", re.sub(r"\b[0-9a-f]{32}\b|\d+(\.\d+)?", "#", text)).strip()


def consoles(text):
    """The lines of every console of a document."""
    return [block.splitlines() for block in _BLOCK.findall(text)]


def commands(text):
    """Every command of a document's consoles."""
    matches = [_PROMPT.match(line) for block in consoles(text) for line in block]
    return [match[2] for match in matches if match and match[2] != "^C"]


def play(text, folder, environment, replaced):
    """Run a document; `replaced` are texts of its commands and answers that are others here, such as ports."""

    def here(line):
        for old, new in replaced.items():
            line = line.replace(old, new)
        return line

    terminals = {}
    try:
        for block in consoles(text):
            _play_block([here(line) for line in block], terminals, folder, environment)
        return {name: terminal.lines for name, terminal in terminals.items()}
    finally:
        for terminal in terminals.values():
            if terminal.process is not None:
                terminal.process.kill()
                terminal.process.wait()


def _play_block(lines, terminals, folder, environment):
    current = None
    for number, line in enumerate(lines):
        prompt, named, question = _PROMPT.match(line), _TERMINAL.match(line), _QUESTION.match(line)
        if prompt:
            current = terminals.setdefault(prompt[1], Terminal(prompt[1], folder, environment))
            if prompt[2] == "^C":
                current.interrupt()
                continue
            if current.process is not None:
                current.wait()  # a person types when the prompt is there
            rest = lines[number + 1 :]
            end = next((at for at, one in enumerate(rest) if _PROMPT.match(one)), len(rest))
            answers = [match[2] for match in map(_QUESTION.match, rest[:end]) if match]
            current.start(prompt[2], answers)
        elif named:
            current = terminals[named[1]]
        elif line != "..." and not question:
            current.expect(line)


def command_lines(text):
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
        name, subcommand, words = command.resolve_command(context, list(words))
        command = subcommand
    try:
        command.make_context(name, list(words), parent=context)
    except click.BadParameter as wrong:
        if "does not exist" not in wrong.format_message():  # whether a file is there is not the question
            raise


def _spelled_out(place):
    """`a/{b,c}.py` is `a/b.py` and `a/c.py`."""
    match = re.match(r"(.*)\{([^}]*)\}(.*)", place)
    if not match:
        return [place]
    return [one for part in match[2].split(",") for one in _spelled_out(match[1] + part + match[3])]


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
    for line in command_lines(page.read_text(encoding="utf-8")):
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
    assert command_lines("    toolcart flash --prot /dev/x     # first\n") == ["flash --prot /dev/x"]
    for line in ("flash --prot /dev/x", "no such", "run --seconds x"):
        with pytest.raises(click.UsageError):
            parsed(words_of(line))


def test_the_readme_s_picture_shows_what_its_caption_says():
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    [(caption, picture)] = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", text)
    frames = (CHECKOUT / picture).read_text(encoding="utf-8").split('<g class="turn')[1:]
    first, *others = [html.unescape(re.sub(r"<[^>]*>", "", frame)).replace("\u00a0", " ") for frame in frames]
    assert caption == "A cart loses its network: the live view"
    assert "network cut" in first and re.search(r"waiting for ToolsNet: [1-9]", first)
    assert others and all("waiting for ToolsNet: 0" in frame for frame in others)


# -- controllers.md, boards.md -------------------------------------------------------------------------------------


def test_the_commands_of_the_page_about_controllers_run():
    """Those that a computer without a controller can run; each simulated controller is heard of."""
    text = (CHECKOUT / "docs/controllers.md").read_text(encoding="utf-8")
    lines = [line for line in command_lines(text) if line.startswith("simulate controller")]
    assert lines
    for line in lines:
        words = [str(free_port()) if word == "4545" else word for word in words_of(line)]
        assert "controller on 127.0.0.1" in toolcart(*words, "--seconds", 0.05).output, line


def test_every_controller_of_the_table_is_one_that_can_be_simulated():
    text = (CHECKOUT / "docs/controllers.md").read_text(encoding="utf-8")
    named = re.findall(r"^\|[^|]*\| `([a-z0-9.-]+)` \|", text, re.MULTILINE)
    assert len(named) == 12
    assert set(named) == set(profiles.names())


def test_commands_of_the_page_about_boards_run_as_far_as_without_board(tmp_path, monkeypatch):
    """Each says in one sentence that there is no board, or does its work; none ends in a traceback."""
    monkeypatch.chdir(tmp_path)
    cart = "config new cart.json --name A --controller h --pim h:1 --system 1 --station 1 --on ethernet"
    toolcart(*cart.split())
    text = (CHECKOUT / "docs/boards.md").read_text(encoding="utf-8")
    in_tables = re.findall(r"`toolcart ((?:flash|board) [^`]*--port [^`]*)`", text)
    lines = [line for line in command_lines(text) + in_tables if line.startswith(("flash", "board", "install-service"))]
    assert len(lines) >= 3
    for line in lines:
        words = [re.sub(r"^/dev/tty.*", str(tmp_path / "no-such-port"), word) for word in words_of(line)]
        if words[0] == "install-service":
            words += ["--root", str(tmp_path / "card")]
        done = toolcart(*words, code=0 if words[0] == "install-service" else 3)
        assert done.exception is None or isinstance(done.exception, SystemExit), (line, done.output)
        assert words[0] == "install-service" or "no-such-port" in done.output, (line, done.output)


def test_the_questions_of_start_md_are_those_that_are_asked():
    text = (CHECKOUT / "docs/start.md").read_text(encoding="utf-8")
    shown = [match[1] for block in consoles(text) for line in block if (match := _QUESTION.match(line))]
    asked = [one.text + (f" [{one.default}]" if one.default else "") for one in QUESTIONS]
    assert shown == asked


def test_the_page_about_watching_installs_what_the_pages_need():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (CHECKOUT / "docs/watching.md").read_text(encoding="utf-8")
    [line] = re.findall(r"^sudo \S*/pip install (.*)$", text, re.MULTILINE)
    assert shlex.split(line) == project["optional-dependencies"]["web"]


# -- pages that are played -----------------------------------------------------------------------------------------


def test_a_transcript_is_read_and_its_numbers_do_not_count():
    text = "```console\ncart$ toolcart run\n     0.00    agent started, process 7\n```\n"
    assert commands(text) == ["toolcart run"]
    assert plain("     0.00    agent started, process 18926") == "# agent started, process #"


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
        assert play(text, tmp_path, environment, ports), page


# -- troubleshooting -----------------------------------------------------------------------------------------------

# Words of systemd, and those that are put together.
_NOT_OURS = {"inactive", "start condition failed", "start condition unmet", "lies in a home folder", "File too large"}
_CHANGES = re.compile(r"\.\.\.|\b(?:N|FILE|USER)\b|\d+(?:/\d+)?|\*\*\*|[(){}]|: | {2,}")


def test_what_troubleshooting_lets_one_look_for_is_what_the_program_says():
    """The quoted words of its first columns are in the program, as far as they do not change from case to case."""
    files = files_below(CHECKOUT / "toolcart")
    program = "\n".join(path.read_text(encoding="utf-8") for path in files).replace("{toolsnet}", "ToolsNet")
    text = (CHECKOUT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    quoted = [one for line in re.findall(r"^\| (.*?) \|", text, re.MULTILINE) for one in re.findall(r"`([^`]+)`", line)]
    pieces = {piece.strip(" ;,:") for one in quoted for piece in _CHANGES.split(one)} - _NOT_OURS
    looked_for = {piece for piece in pieces if len(piece) >= 5}
    assert len(looked_for) >= 15
    assert not [piece for piece in looked_for if piece not in program]
