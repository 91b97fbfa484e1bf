"""`toolcart install-service`: checks, writes the unit and the service's copy of the configuration, enables, starts.

Exit codes: 0 done, 2 the configuration is wrong, 1 it could not be installed, or cannot run on this machine. It says
what it has written.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from toolcart.base import installation
from toolcart.board.linux import regular_file
from toolcart.tools.config import file as config_file
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.config.files import certificates
from toolcart.tools.service import safe_install
from toolcart.tools.service.archive import ENVIRONMENT, STATE, ArchiveService
from toolcart.tools.service.archive import NAME as ARCHIVE
from toolcart.tools.service.undelivered_spools import left_behind, refusal, take
from toolcart.tools.service.unit import NAME, STATE_FOLDER, UNIT_FOLDER, Service, serial_devices, sets_clock

SYSTEMCTL_S = 60
CONFIG = "config.json"

# Where a program may be that the service cannot start.
UNSEEN = (
    (("/home/", "/root/", "/run/user/"), "a home folder, which the service cannot see (ProtectHome)"),
    (
        ("/tmp/", "/var/tmp/"),
        "a folder for temporary files, which the service has a new one of (PrivateTmp), and which is cleared",
    ),
)


@click.command("install-service")
@click.option(
    "--config", "config_path", type=click.Path(readable=False), metavar="FILE", help="The cart's configuration."
)
@click.option("--archive", is_flag=True, help="Install `toolcart archive serve`; its options follow after --.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTIONS]")
@click.option("--print", "only_print", is_flag=True, help="Print the unit and change nothing.")
@click.option("--take-spools", is_flag=True, help="Move spools in which results wait to where the service finds them.")
@click.option("--no-start", is_flag=True, help="Write the files; do not enable or start anything.")
@click.option(
    "--root",
    default="/",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write below this folder (the image of a card).",
)
def install_service(
    config_path: str | None,
    archive: bool,
    arguments: tuple[str, ...],
    only_print: bool,
    take_spools: bool,
    no_start: bool,
    root: str,
) -> None:
    """Install the agent or an archive as a systemd service.

    Sandboxed, started at boot and again after a failure.
    """
    if (config_path is not None) == archive or (arguments and config_path is not None):
        raise click.UsageError(
            "--config FILE for the agent, or --archive with the options of `archive serve` behind --"
        )
    if config_path is None:
        _install_archive(arguments, only_print, no_start, root)
    else:
        _install_agent(config_path, only_print, take_spools, no_start, root)


def _install_archive(arguments: tuple[str, ...], only_print: bool, no_start: bool, root: str) -> None:
    from toolcart.archive.serve_commands import serve

    serve.make_context("serve", list(arguments))  # wrong options end it here
    program = program_path()
    _note(_unseen(program))
    text = ArchiveService(program, arguments).text()
    if only_print:
        click.echo(text, nl=False)
        return

    def written() -> Iterator[str]:
        with safe_install.state_folder(Path(root) / STATE.lstrip("/")):
            yield f"database and files that options name lie in {STATE}; {ENVIRONMENT} may have secrets"
        yield _write_unit(Path(root), ARCHIVE, text)

    _install(ARCHIVE, written, root, no_start, [program, "archive", "serve", *arguments])


def _install_agent(config_path: str, only_print: bool, take_spools: bool, no_start: bool, root: str) -> None:
    try:
        configuration, content = config_file.read_to_install(config_path)
    except config_file.ConfigurationError as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(wrong.exit_code)
    program = program_path()
    _note(problems(configuration, program))
    named = config_file.parse_text(config_path, content)
    assert isinstance(named, dict)
    credentials = tuple(config_secrets.named(named, "credential"))
    text = Service(program, serial_devices(configuration), credentials, sets_clock=sets_clock(configuration)).text()
    if only_print:
        click.echo(text, nl=False)
        return
    left = left_behind(configuration, config_path)
    if left and not take_spools:
        raise click.ClickException(refusal(left))

    def written() -> Iterator[str]:
        if left:
            with safe_install.state_folder(Path(root) / STATE_FOLDER.lstrip("/")) as inside:
                yield from take(inside, left)
        yield from write(Path(root), text, content, _files_of(named, Path(os.path.realpath(config_path)).parent))

    _install(NAME, written, root, no_start, [program, "run", "--plain", "--config", config_path])


def _note(problems: list[str]) -> None:
    for problem in problems:
        click.echo(f"note: {problem}", err=True)


def _install(name: str, work: Callable[[], Iterator[str]], root: str, no_start: bool, command: list[str]) -> None:
    """Do the work, telling each step, and start the service, whose command this is; an error if that cannot be here."""
    starts = root == "/" and not no_start
    if starts and shutil.which("systemctl") is None:
        raise click.ClickException(
            "systemctl is not here, so nothing was written. --no-start only writes the files; elsewhere "
            f"`{shlex.join(command)}` is what a service has to start."
        )
    if root == "/" and os.geteuid() != 0:
        raise click.ClickException("this writes to /etc and /var/lib: run it with sudo.")
    try:
        for line in work():
            click.echo(line)
    except safe_install.UnsafePlace as reason:
        raise click.ClickException(str(reason)) from None
    if starts:
        for arguments in (["daemon-reload"], ["enable", name], ["restart", name]):
            _systemctl(arguments)
        click.echo(f"started; `systemctl status {name}` and `journalctl -u {name}` show it")


def _files_of(tree: dict, folder: Path) -> dict[str, str]:
    """Return the files that the configuration names, secrets and certificates, by name."""
    names = list(dict.fromkeys([*config_secrets.named(tree, "file"), *certificates(tree)]))
    beyond = [name for name in names if "/" in name]
    if beyond:
        raise safe_install.UnsafePlace(
            f"{', '.join(beyond)}: the service cannot read that. Lay the file beside the configuration, or name a "
            "credential in place of a secret's file."
        )
    return {name: regular_file.content_of(folder / name).decode() for name in names}


def program_path() -> str:
    """Return where `toolcart` is: beside this Python, or on the path."""
    ours = Path(sys.executable).with_name("toolcart")
    program = str(ours) if ours.is_file() else shutil.which("toolcart")
    if not program:
        advice = installation.how_to_install_for_all()
        raise click.ClickException(f"the toolcart command is not on the path; this puts it there: {advice}")
    return os.path.abspath(program)


def _unseen(program: str) -> list[str]:
    hint = f"Install it for all: {installation.how_to_install_for_all()}"
    return [f"{program} lies in {what}. {hint}" for folders, what in UNSEEN if program.startswith(folders)]


def problems(configuration: dict, program: str) -> list[str]:
    """Return what a person should know before the service runs."""
    warnings = _unseen(program)
    for station in configuration["stations"]:
        files = [("spool", station["spool"]["path"]), *[("file", one.get("path", "")) for one in station["outlets"]]]
        for what, path in files:
            if os.path.isabs(path) and not path.startswith(STATE_FOLDER + "/"):
                warnings.append(f"the {what} {path} is outside of {STATE_FOLDER}: the service may not write there.")
    return warnings


def write(root: Path, text: str, content: str, secrets: dict[str, str]) -> list[str]:
    """Write the unit, the configuration's content and secrets below `root`, each in one step; return what was done."""
    state = root / STATE_FOLDER.lstrip("/")
    with safe_install.state_folder(state) as inside:
        for name, secret in secrets.items():
            safe_install.replace(inside, name, secret, 0o600)
        safe_install.replace(inside, CONFIG, content, 0o600)
    return [
        _write_unit(root, NAME, text),
        *[f"wrote {state / name}, which only the service can read" for name in secrets],
        f"wrote {state / CONFIG}; change that one and restart the service",
    ]


def _write_unit(root: Path, name: str, text: str) -> str:
    units = root / UNIT_FOLDER.lstrip("/")
    units.mkdir(parents=True, exist_ok=True)
    with safe_install.folder(units) as inside:
        safe_install.replace(inside, f"{name}.service", text, 0o644)
    return f"wrote {units / name}.service"


def _systemctl(arguments: list[str]) -> None:
    try:
        done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=SYSTEMCTL_S)
    except FileNotFoundError:
        raise click.ClickException("systemctl is not here; --no-start only writes the files.") from None
    except subprocess.TimeoutExpired:
        raise click.ClickException(f"systemctl {arguments[0]} was not done in {SYSTEMCTL_S} s") from None
    if done.returncode != 0:
        raise click.ClickException(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}")
