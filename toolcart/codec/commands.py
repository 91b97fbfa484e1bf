"""`toolcart mid` shows a MID's tables, `toolcart decode` reads whatever contains messages.

Exit codes: 0 fine, 1 nothing found, or something in the input is not a message, 2 the command line or file is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from toolcart.base.terminal_safe import visible
from toolcart.codec.inputs import NAMES

EXIT_NOTHING = 1
EXIT_WRONG = 2
MID_MOST = 9999
AS = click.option(
    "--as",
    "kind",
    type=click.Choice(["auto", "pcap", "hex", "text", "serial", "json", "octets"]),
    default="auto",
    show_default=True,
    help="What the file is, if its bytes do not show it.",
)
HEADER = click.option(
    "--header",
    type=click.Choice(NAMES),
    default="standard",
    show_default=True,
    help="Layout of the header; that of OP-Ford and OP-BMW has the spindle in front of the revision.",
)


@click.command()
@click.argument("what", default="")
@click.option("-r", "--revision", type=click.IntRange(min=0), help="Show the table of this revision.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, or one for each MID of the list.")
def mid(what: str, revision: int | None, as_json: bool) -> None:
    """Show the fields of a MID.

    Parameters, bytes, units, meanings, and misprints of the document.

    WHAT is a number, or a word: then the MIDs are listed that have it in their name, their category or a field's name.
    Without WHAT all are listed.
    """
    from toolcart import catalogue

    if what.isdecimal():
        _show_mid(int(what), revision, as_json)
        return
    numbers = [number for number in catalogue.mids() if _has(number, what.lower())]
    for number in numbers:
        about = catalogue.about(number)
        revisions = ranges(catalogue.revisions(number)) or "named only"
        if as_json:
            row = {"mid": number, "name": about.name, "category": about.category, "revisions": revisions}
            click.echo(json.dumps({**row, "sent_by": about.sender}))
        else:
            click.echo(f"{number:04d}  {about.sender:<2}  {about.category:<14}  {about.name}  ({revisions})")
    if not numbers:
        click.echo(f"toolcart: no MID has {what!r} in its name or in a field's name.", err=True)
        sys.exit(EXIT_NOTHING)


def _has(number: int, word: str) -> bool:
    from toolcart import catalogue

    about = catalogue.about(number)
    if not word or word in about.name.lower() or word in about.category:
        return True
    forms = [catalogue.form(number, revision) for revision in catalogue.revisions(number)]
    return any(word in field.name or word in field.meaning.lower() for form in forms for field in form.fields)


def ranges(numbers: list[int], form: str = "") -> str:
    """Return 1, 2, 3, 999 as "1-3, 999"."""
    rows: list[list[int]] = []
    for number in sorted(numbers):
        if rows and number == rows[-1][-1] + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    return ", ".join("-".join(f"{number:{form}}" for number in (row[0], *row[-1:][: len(row) - 1])) for row in rows)


def _show_mid(number: int, revision: int | None, as_json: bool) -> None:
    from toolcart import catalogue
    from toolcart.codec.rendering import mid_as_data

    if number > MID_MOST or not catalogue.about(number).source:
        click.echo(f"toolcart: the catalogue has no MID {number:04d}; `toolcart mid` lists what it has.", err=True)
        sys.exit(EXIT_WRONG)
    revisions = catalogue.revisions(number)
    if revision is not None and revision not in revisions:
        data = ranges(revisions) or "none"
        click.echo(f"toolcart: MID {number:04d} has no described revision {revision}; it has {data}.", err=True)
        sys.exit(EXIT_WRONG)
    data = mid_as_data(number, revision)
    if as_json:
        click.echo(json.dumps(data))
        return
    click.secho(f"MID {number:04d}  {data['name']}", bold=True)
    click.echo(f"sent by {data['sent_by']}; {data['kind']}; answer {_answer(data['answer'])}; {data['source']}")
    if data["note"]:
        click.echo("  " + data["note"])
    if not data["revisions"]:
        click.echo("named only: nothing describes its data.")
    _show_revisions(data["revisions"])


def _show_revisions(forms: list[dict]) -> None:
    from toolcart.codec.rendering import table_of

    first_with: dict[str, int] = {}
    lists: set[str] = set()  # long lists of values are shown once
    for form in forms:
        length = f", {form['length']} bytes" if form["length"] else ""
        click.echo()
        layout = ", other layout" if form["other"] else ""
        click.secho(f"revision {form['revision']}{layout}{length}", bold=True, nl=False)
        click.echo(f"  (since {form['since']}; {form['source']})")
        same = first_with.setdefault(json.dumps(form["fields"]), form["revision"])
        if not form["fields"]:
            click.echo("no data behind the header")
        elif same != form["revision"]:
            click.echo(f"as revision {same}")
        else:
            click.echo("\n".join(table_of(form, lists)))
        click.echo(f"example, {form['example']['source']}:\n  {visible(form['example']['telegram'])}")


def _answer(answer: str) -> str:
    if answer in ("-", "*"):
        return "none" if answer == "-" else "the same message"
    if answer == "requested":
        return "the MID that it asks for"
    return f"{answer[:4]} in the asked revision" if answer[-1] == "r" else answer


@click.command()
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each message.")
@AS
@HEADER
@click.option("--mid", "only", type=int, multiple=True, help="Only this MID; repeatable.")
def decode(file: str, as_json: bool, kind: str, header: str, only: tuple[int, ...]) -> None:
    """Decode Open Protocol and ToolsNet messages.

    Every message in FILE, or line by line from standard input.

    FILE is a capture (pcap, pcapng, or what `tcpdump -X` prints) with both directions, hexadecimal text or a dump, a
    log or a mail with telegrams in it, a serial capture of `toolcart line monitor --record`, what --json has printed,
    or the bytes themselves. The format is detected automatically.
    """
    from toolcart.codec.inputs import arriving, messages
    from toolcart.codec.rendering import as_data, lines_of

    try:
        stream = sys.stdin.buffer
        items = arriving(stream, kind, header) if file == "-" else messages(Path(file).read_bytes(), kind, header)
    except OSError as error:
        click.echo(f"toolcart: {file}: {error.strerror}", err=True)
        sys.exit(EXIT_WRONG)
    count = problems = 0
    for seen in items:
        data = as_data(seen)
        if only and data.get("mid") not in only:
            continue
        count += 1
        problems += "problem" in data
        if as_json:
            click.echo(json.dumps(data))
            continue
        before = [f"{data['at_s']:.6f}"] if "at_s" in data else []
        before += [visible(data["way"])] if "way" in data else []
        if before:
            click.secho("  ".join(before), dim=True)
        first, *others = lines_of(data)
        click.secho(first, bold=True)
        click.echo("\n".join([*others, ""]))
    if not count:
        click.echo("toolcart: there is no message in it.", err=True)
    sys.exit(EXIT_NOTHING if problems or not count else 0)
