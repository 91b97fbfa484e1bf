"""Help texts in a terminal of 80 columns: every list of commands is whole."""

import click
import pytest
from click.testing import CliRunner

from toolcart.tools.cli.main import main


def groups(command=main, words=()):
    """Every group with the words that lead to it."""
    if isinstance(command, click.Group):
        yield list(words)
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from groups(command.get_command(context, name), [*words, name])


@pytest.mark.parametrize("words", list(groups()), ids=lambda words: "-".join(words) or "toolcart")
def test_no_line_of_a_command_list_is_cut(words):
    help_text = CliRunner().invoke(main, [*words, "--help"], env={"COLUMNS": "80"}, terminal_width=80).output
    commands = help_text.partition("\nCommands:\n")[2].splitlines()
    assert commands and not [line for line in commands if line.endswith("...") or len(line) > 80]
