"""`toolcart fleet`: `make` configurations from an inventory, `deploy` them over SSH, show the `status` of all carts.

Exit codes: 0 good, 1 a cart needs attention, or a deployment stopped at one, 2 inventory, template or command line is
wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import click

from tools.base.printable import visible, visible_lines
from tools.base.progress import progress_bar
from tools.fleet import inventory, make
from tools.fleet.deploy import Deployment, Outcome, Plan
from tools.fleet.ssh import SSH, Reach
from tools.fleet.status import GOOD, WARN, Look, lines, looks

EXIT_CART = 1
EXIT_WRONG = 2
WIDTH = 120

_INVENTORY = click.argument("inventory_path", metavar="INVENTORY", type=click.Path())
_TEMPLATE = click.option(
    "--template",
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="A configuration with {column} where a cart's value goes.",
)
_ONLY = click.option("--only", multiple=True, metavar="NAME", help="Only this cart; repeatable.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def _reach(command):
    """Add the options that say how carts are reached."""
    for option in (
        click.option("--toolcart", default="toolcart", show_default=True, help="The toolcart command on the cart."),
        click.option(
            "--become",
            default="sudo -n",
            show_default=True,
            help="Put before commands that need root; '' if we are root there.",
        ),
        click.option("--ssh", default=SSH, show_default=True, help="Command that reaches a host."),
    ):
        command = option(command)
    return command


@click.group()
def fleet() -> None:
    """Manage many carts from one inventory: make their configurations, deploy them, see how all are doing.

    INVENTORY is a CSV file with a header line, or a TOML file with [[cart]]; every cart has a name and a host.
    """


@fleet.command("make")
@_INVENTORY
@_TEMPLATE
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for NAME.json of each cart.",
)
@_JSON
def make_all(inventory_path: str, template: str, out: Path, as_json: bool) -> None:
    """Write a configuration for each cart, if all are right, each alone and all together."""
    carts, texts = _made(inventory_path, template, (), as_json)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            new = out / f".{name}.json.new"
            new.write_text(text, encoding="utf-8")
            os.replace(new, out / f"{name}.json")
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    if as_json:
        click.echo(json.dumps({"good": True, "folder": str(out), "carts": [cart.name for cart in carts]}))
    else:
        click.echo(f"{out}: {len(carts)} configurations; no station and no controller is there twice")


@fleet.command()
@_INVENTORY
@_ONLY
@_reach
@_JSON
def status(inventory_path: str, only: tuple[str, ...], ssh: str, become: str, toolcart: str, as_json: bool) -> None:
    """Ask all carts side by side, and list them with the worst first."""
    carts = _chosen(_read(inventory_path, as_json), only)
    found: list[Look] = []
    with progress_bar("asking") as progress:
        for one in looks(carts, Reach(ssh, become, toolcart)):
            found.append(one)
            progress(len(found) / len(carts))
    if as_json:
        click.echo(json.dumps({"carts": [one.as_object() for one in found]}))
    else:
        width = shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else 10000
        for line in lines(found, width):
            click.echo(visible(line))
    sys.exit(0 if all(one.level in (WARN, GOOD) for one in found) else EXIT_CART)


@fleet.command()
@_INVENTORY
@_TEMPLATE
@_ONLY
@click.option(
    "--package",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Package to install first.",
)
@click.option(
    "--previous",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Package that a rollback installs.",
)
@click.option(
    "--config-path",
    type=click.Path(),
    default=Plan.config_path,
    show_default=True,
    metavar="PATH",
    help="Path of the configuration on the cart.",
)
@click.option(
    "--restart",
    default=Plan.restart,
    show_default=True,
    metavar="COMMAND",
    help="Command that restarts the agent on the cart.",
)
@click.option(
    "--install",
    default=Plan.install,
    show_default=True,
    metavar="COMMAND",
    help="Command that installs the package {file} on the cart.",
)
@click.option(
    "--healthy-s",
    default=Plan.healthy_s,
    show_default=True,
    type=click.FloatRange(1, 3600),
    help="How long a cart may take to become healthy.",
)
@_reach
@_JSON
def deploy(
    inventory_path: str,
    template: str,
    only: tuple[str, ...],
    package: Path | None,
    previous: Path | None,
    ssh: str,
    become: str,
    toolcart: str,
    as_json: bool,
    **plan,
) -> None:
    """Bring each cart its configuration, one after the other; if one does not become healthy, undo that and stop.

    To go on after a stop, run the same command again: a healthy cart that has its configuration already is left alone,
    unless there is a package to install.
    """
    if (package is None) != (previous is None):
        raise click.UsageError("--package and --previous go together: a rollback needs the version from before.")
    carts, texts = _made(inventory_path, template, only, as_json)
    deployment = Deployment(Reach(ssh, become, toolcart), Plan(package=package, previous=previous, **plan), texts)
    with progress_bar("deploying") as progress:

        def tell(outcome: Outcome) -> None:
            progress(len(deployment.outcomes) / len(carts))
            if not as_json:
                why = f": {outcome.why}" if outcome.why else ""
                click.echo(visible(f"{outcome.cart.name}  {outcome.what} in {outcome.seconds:.0f} s{why}"))

        good = deployment.run(carts, tell)
    rest = len(carts) - len(deployment.outcomes)
    if as_json:
        told = [outcome.as_object() for outcome in deployment.outcomes]
        click.echo(json.dumps({"good": good, "carts": told, "not_touched": [cart.name for cart in carts[len(told) :]]}))
    elif not good:
        click.echo(f"stopped; not touched behind it: {rest}. Mend it, then start the same command again.", err=True)
    sys.exit(0 if good else EXIT_CART)


def _read(path: str, as_json: bool) -> list[inventory.Cart]:
    try:
        return inventory.read(path)
    except inventory.Wrong as wrong:
        _wrong(wrong, as_json)


def _made(
    path: str, template: str, only: tuple[str, ...], as_json: bool
) -> tuple[list[inventory.Cart], dict[str, str]]:
    """Return the chosen carts and the configurations of all carts: all are checked together, whichever are chosen."""
    carts = _read(path, as_json)
    try:
        return _chosen(carts, only), make.configurations(template, carts)
    except inventory.Wrong as wrong:
        _wrong(wrong, as_json)


def _wrong(wrong: inventory.Wrong, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"good": False, "mistakes": wrong.mistakes}))
    else:
        click.echo(visible_lines(str(wrong)), err=True)
    sys.exit(EXIT_WRONG)


def _chosen(carts: list[inventory.Cart], only: tuple[str, ...]) -> list[inventory.Cart]:
    unknown = sorted(set(only) - {cart.name for cart in carts})
    if unknown:
        raise click.UsageError(f"--only {unknown[0]}: no cart of the inventory has this name")
    return [cart for cart in carts if not only or cart.name in only]
