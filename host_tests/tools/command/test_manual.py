"""The manual page has every command and option of the help, and nothing that roff would take for an order."""

import re
import shutil
import subprocess

import click
import pytest

from toolcart.tools.cli import manual
from toolcart.tools.cli.main import main

PAGE = manual.page(main, "1.2.3")
COMMANDS = list(manual.commands(main, click.Context(main, info_name="toolcart")))


def test_every_command_has_words_and_is_a_section_with_all_its_options():
    assert len(COMMANDS) > 30
    for path, context in COMMANDS:
        assert context.command.help, path
        [section] = re.findall(rf'^\.SS "{re.escape(manual.escaped(path))} [^\n]*\n(.*?)(?=^\.S)', PAGE, re.M | re.S)
        for option in context.command.params:
            if isinstance(option, click.Option) and not option.hidden and option.name != "help":
                assert manual.escaped(option.opts[0]) in section, (path, option.opts)


def test_shells_complete_every_name_of_a_file():
    names = re.compile(r"FILE|PATH|DEVICE|SOCKET|FOLDER")
    plain = []
    for name, context in COMMANDS:
        for one in context.command.params:
            if names.search(one.metavar or "") and not isinstance(one.type, (click.Path, click.File)):
                plain.append(f"{name} {one.name}")
    assert plain == []


def test_text_is_no_order_of_roff():
    assert manual.escaped(".config") == "\\&.config"
    assert manual.escaped("'a' \\ --b") == "\\&'a' \\e \\-\\-b"
    requests_of_roff = (".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".I", ".nf", ".fi")
    assert {line.split()[0] for line in PAGE.splitlines() if line[:1] in (".", "'")} <= set(requests_of_roff)


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_formats_the_page_without_a_warning():
    command = ["groff", "-man", "-Tascii", "-P-cbou", "-ww", "-Wbreak"]  # a long word cannot be adjusted
    done = subprocess.run(command, input=PAGE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "" and "toolcart run [OPTIONS]" in done.stdout
