"""`toolcart config`: checks a configuration, explains the settings, prints an example or the schema, writes new ones.

Exit codes: 0 good, 1 not all of it can run on this machine, no such setting, or not written, 2 the configuration or the
command line is wrong.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import NoReturn

import click

from toolcart.base import private_files
from toolcart.base.command_group import say_done
from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_FINE, EXIT_OTHER
from toolcart.base.serial_settings import WITH_DEVICE
from toolcart.base.sources import ROOT
from toolcart.base.terminal_safe import visible_lines
from toolcart.board.linux.plurals import counted
from toolcart.tools.config import file as config_file
from toolcart.tools.config import files, service_check
from toolcart.tools.config import path_checks as config_places
from toolcart.tools.config.schema import FILE_NAME, schema

NOT_TRIED = "the files that it names are tried once this is right"
EXAMPLE = ROOT / "toolcart" / "board" / "config.example.json"


@click.group()
def config() -> None:
    """Check, explain and write configurations."""


@config.command()
@click.argument("file", type=click.Path(readable=False))  # why it cannot be read is what is reported
@click.option(
    "--as",
    "path",
    metavar="PATH",
    type=click.Path(readable=False),
    help="Where FILE will be: names in it are relative to that, and that one's agent is meant.",
)
@click.option("--reload", "to_reload", is_flag=True, help="Fail only for what the running agent would not reload.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(file: str, path: str | None, to_reload: bool, as_json: bool) -> None:
    """Report the mistakes in a configuration.

    Each with its place, what was found and what is expected. Without a mistake, the files that it names are tried.

    As root, it does so as the user that will run the agent, confined as the unit of its service says.

    Exit code 2: it is wrong on every machine. 1: it is good in itself, but not all of it can run on this machine.
    Settings without effect, and what will fail only later, are warnings.
    """
    if to_reload and path:
        raise click.UsageError("--reload asks the running agent, which has FILE itself: --as does not go with it.")
    place = path or file
    try:
        text = config_file.text_to_check(file) if path else None  # read by the caller: a copy may be private to it
    except config_file.ConfigurationError as error:
        _end_with(error, as_json, {})
    checked, who, who_words = service_check.check(place, text, to_reload)
    warnings = (
        config_places.volatile_spools(checked.configuration, config_file.folder_of(place))
        if checked.configuration
        else []
    )
    warnings += [f"{place}: {words}; {cure}" for place, words, cure in checked.later]
    if checked.mistakes:
        error = config_file.ConfigurationError(file, checked.mistakes)
        _end_with(error, as_json, {"checked_as": who}, f"\nchecked as {who_words}; {NOT_TRIED}")
    if as_json:
        lacks = [config_file.mistake_as_object(mistake) for mistake in checked.lacks]
        report = {"good": True, "file": file, "mistakes": [], "cannot_run_yet": lacks, "checked_as": who}
        report["warnings"] = warnings
        click.echo(json.dumps(report))
        sys.exit(EXIT_OTHER if checked.lacks else EXIT_FINE)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    stations = counted(len(checked.configuration["stations"]) if checked.configuration else 0, "station")
    if not checked.lacks:
        click.echo(f"{file}: good, {stations}; checked as {who_words}")
        return
    click.echo(f"{file}: good in itself, {stations}, but it cannot run as it is on this machine as {who_words}:")
    for mistake in checked.lacks:
        click.echo(f"  {config_file.placed_sentence(mistake)}", err=True)
    sys.exit(EXIT_OTHER)


def _end_with(error: config_file.ConfigurationError, as_json: bool, more: dict[str, str], words: str = "") -> NoReturn:
    if as_json:
        click.echo(json.dumps({"good": False, **config_file.as_object(error), **more}))
    else:
        click.echo(f"{error}{words}", err=True)
    sys.exit(EXIT_CONFIGURATION)


@config.command()
@click.argument("word", default="")
def explain(word: str) -> None:
    """Explain the settings.

    Meaning, default and what is allowed of every setting, or of those whose name contains WORD.
    """
    from toolcart.tools.config import setting_texts
    from toolcart.tools.config.setting_texts import audience

    count = 0
    wanted = re.sub(r"\[\d+\]", "[]", word).lower()  # a place may come from what `check` says
    for place, kind, unit, default, allowed, meaning in setting_texts.rows():
        if wanted not in place.lower():
            continue
        count += 1
        click.secho(place, bold=True, nl=False)
        click.echo(f"  ({kind}{', ' + unit if unit else ''}; for: {audience(place)})")
        click.echo(f"    {meaning}")
        click.echo(f"    default {default}; allowed {allowed}")
    if not count:
        click.echo(f"toolcart: no setting has {word!r} in its name; `toolcart config explain` lists all.", err=True)
        sys.exit(EXIT_OTHER)


@config.command()
def example() -> None:
    """Print a small configuration to start from."""
    click.echo(EXAMPLE.read_text(encoding="utf-8"), nl=False)


@config.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of configurations.

    Saved as toolcart.schema.json beside a configuration that names it, as the example does, it lets editors complete
    and check what is typed.
    """
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """Return the schema as it is printed and written."""
    return json.dumps(schema(), indent=2) + "\n"


@config.command()
@click.argument("inventory_path", metavar="INVENTORY", type=click.Path(readable=False))
@click.option(
    "--template",
    required=True,
    type=click.Path(readable=False),
    metavar="FILE",
    help="A configuration with {column} where a cart's value goes.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for NAME.json of each cart.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def make(inventory_path: str, template: str, out: Path, as_json: bool) -> None:
    """Write the configurations of many carts.

    They are made from one INVENTORY, and written only if all are right, each alone and all together.

    INVENTORY is a CSV file with a header line, or a TOML file with [[cart]]; every cart has a name and a host.
    """
    from toolcart.tools.config import carts, inventory

    try:
        texts = carts.configurations(template, inventory.read(inventory_path))
    except inventory.InventoryError as error:
        if as_json:
            files = [{"file": file, "mistakes": wrong} for file, wrong in error.by_file]
            click.echo(json.dumps({"good": False, "mistakes": error.mistakes, "files": files}))
        else:
            click.echo(visible_lines(str(error)), err=True)
        sys.exit(EXIT_CONFIGURATION)
    sources = (os.path.realpath(template), os.path.realpath(inventory_path))
    for name in texts:
        if os.path.realpath(out / f"{name}.json") in sources:
            raise click.UsageError(f"--out {out}: {name}.json is what this is made from; name another folder.")
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        new = out / f".{name}.json.new"
        new.write_text(text, encoding="utf-8")
        os.replace(new, out / f"{name}.json")
    if as_json:
        say_done(json.dumps({"good": True, "folder": str(out), "carts": list(texts)}))
    else:
        say_done(f"{out}: {counted(len(texts), 'configuration')}; no station and no controller appears twice")


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the cart.")
@click.option("--controller", help=f"HOST, HOST:PORT, {' or '.join(WITH_DEVICE)}.")
@click.option("--pim", help="HOST:PORT of ToolsNet's PIM, or no: then --also says where results go.")
@click.option("--system", help="Number of the system in ToolsNet.")
@click.option("--station", help="Number of the station in ToolsNet.")
@click.option("--on", "machine", help="linux, ethernet (a chip), or wifi:NAME (a chip).")
@click.option("--also", metavar="no|URL", help="mqtt://BROKER[:PORT] or a webhook's URL, beside ToolsNet or alone.")
def new(file: Path, **answers: str | None) -> None:
    """Ask seven questions and write a configuration.

    It is for one station. Questions answered by options are skipped.

    It also writes toolcart.schema.json beside it, for editors, and for a chip on Wi-Fi wifi.password, readable only by
    its owner. No existing file is overwritten.
    """
    from toolcart.tools.config import new as config_new

    if file.exists():
        raise click.ClickException(f"{file} already exists; name another file, or change it in an editor.")
    if not file.parent.is_dir():
        raise click.UsageError(f"there is no folder {file.parent}; make it first, or name another file.")
    tree, password = config_new.ask(answers, file.parent)
    if password is not None:
        private_files.make(file.parent / config_new.PASSWORD_FILE, f"{password}\n".encode())
    if not (file.parent / FILE_NAME).exists():
        private_files.make(file.parent / FILE_NAME, schema_text().encode(), 0o644)
    private_files.make(file, f"{json.dumps(tree, indent=2)}\n".encode(), 0o644)
    config_file.read(file)
    lacks = service_check.check(str(file))[0].lacks
    found = f"good in itself, 1 station, but it cannot run as it is on this machine: {files.first_of(lacks)}"
    say_done(f"{file}: {found if lacks else 'good, 1 station'}\n{config_new.next_step(tree, file)}")
