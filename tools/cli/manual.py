"""`toolcart man`: the manual page, made from the words of `--help`, so that both say the same.

Rules
1. Every command is a section with its options in the order of its help; hidden ones are left out.
2. Text stays text: a backslash, or a dot or apostrophe at the beginning of a line, means something to roff and is
   escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from toolcart.base.installation import program_version

EXIT_STATUS = """\
0 done; 1 not done, or not all of it; 2 the command line or the configuration is wrong; 3 the spool or the board cannot
be used. Where a command has codes of its own, its section says so."""

FILES = (
    ("/etc/toolcart/config.json", "The configuration of the Debian package's service."),
    ("/var/lib/toolcart", "The service's spools, and its configuration where `toolcart install-service` made it."),
)


@click.command("man")
def man() -> None:
    """Print the manual page of all commands.

    `toolcart man | man -l -` shows it.
    """
    root = click.get_current_context().find_root()
    click.echo(page(root.command, program_version() or "from a checkout"), nl=False)


def page(command: click.Command, version: str) -> str:
    """Return the page in roff's man macros."""
    context = click.Context(command, info_name="toolcart", max_content_width=1000)
    lines = [
        f'.TH TOOLCART 1 "" "toolcart {escaped(version)}" "User Commands"',
        ".SH NAME",
        f"toolcart \\- {escaped((command.help or '').rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B toolcart",
        "COMMAND [OPTIONS] [ARGUMENTS]",
        ".SH COMMANDS",
    ]
    for path, inner in commands(command, context):
        lines += _section(path, inner)
    lines += [".SH EXIT STATUS", *_text(EXIT_STATUS), ".SH FILES"]
    for name, meaning in FILES:
        lines += [".TP", f".I {escaped(name)}", *_text(meaning)]
    lines += [".SH ENVIRONMENT", *_environment(command, context)]
    return "\n".join(lines) + "\n"


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Context]]:
    """Yield every command that can be run, with its context, in the order of the help."""
    if not isinstance(command, click.Group):
        yield context.command_path, context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            yield from commands(inner, click.Context(inner, info_name=name, parent=context))


def _section(path: str, context: click.Context) -> list[str]:
    usage = " ".join(context.command.collect_usage_pieces(context))
    lines = [f'.SS "{escaped(path)} {escaped(usage)}"', *_text(context.command.help or "")]
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option) and parameter.name != "help":
            lines += [".TP", f".B {escaped(record[0])}", *_text(record[1])]
    return lines


def _environment(command: click.Command, context: click.Context) -> list[str]:
    variables: dict[str, set[str]] = {}
    for path, inner in commands(command, context):
        for parameter in inner.command.params:
            if isinstance(parameter.envvar, str):
                variables.setdefault(parameter.envvar, set()).add(f"{parameter.opts[0]} of `{path}`")
    lines = []
    for name, options in sorted(variables.items()):
        lines += [".TP", f".B {escaped(name)}", *_text(f"In place of {', '.join(sorted(options))}.")]
    return lines


def _text(text: str) -> list[str]:
    """Return the text in paragraphs; what is marked for Click to keep its lines keeps them."""
    lines: list[str] = []
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        keeps = paragraph.startswith("\b")
        lines_of_text = [escaped(line) for line in paragraph.replace("\b", "").strip("\n").split("\n")]
        lines += [".PP"] if number else []
        lines += [".nf", *lines_of_text, ".fi"] if keeps else [line.strip() for line in lines_of_text]
    return lines


def escaped(text: str) -> str:
    """Return text that roff shows as it is: a hyphen can be pasted, a list of choices broken."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("|", "|\\:")
    return re.sub(r"^(\s*)([.'])", r"\1\\&\2", text)
