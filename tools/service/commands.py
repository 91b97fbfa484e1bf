"""`toolcart install-service`: check, write the unit and the service's copy of the configuration, enable, start.

Exit codes: 0 done, 2 the configuration is wrong, 1 it could not be installed; what was written is told.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click

from tools.base import installation
from tools.config import file as config_file
from tools.config import secrets as config_secrets
from tools.service import place
from tools.service.unit import NAME, STATE_FOLDER, UNIT_FOLDER, Service, clock_of, serial_devices

SYSTEMCTL_S = 60
CONFIG = "config.json"
CERTIFICATES = ("tls_ca", "tls_certificate", "tls_key")  # read by board.linux_tls, relative to the configuration

# Where a program may lie that the service cannot start.
UNSEEN = (
    (("/home/", "/root/", "/run/user/"), "a home folder, which the service cannot see (ProtectHome)"),
    (
        ("/tmp/", "/var/tmp/"),
        "a folder for temporary files, which the service has a new one of (PrivateTmp), and which is cleared",
    ),
)


@click.command("install-service")
@click.option(
    "--config", "config_path", required=True, type=click.Path(), metavar="FILE", help="The cart's configuration."
)
@click.option("--print", "only_print", is_flag=True, help="Print the unit and change nothing.")
@click.option("--no-start", is_flag=True, help="Write the files; do not enable or start anything.")
@click.option(
    "--root",
    default="/",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write below this folder (an image of a card).",
)
def install_service(config_path: str, only_print: bool, no_start: bool, root: str) -> None:
    """Install the agent as a systemd service: sandboxed, watched, started at boot."""
    try:
        configuration, content = config_file.read_to_install(config_path)
    except config_file.Wrong as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(2)
    program = program_path()
    for problem in problems(configuration, program):
        click.echo(f"note: {problem}", err=True)
    named = json.loads(content)
    credentials = tuple(config_secrets.named(named, "credential"))
    text = Service(program, serial_devices(configuration), credentials, clock=clock_of(configuration)).text()
    if only_print:
        click.echo(text, nl=False)
        return
    starts = root == "/" and not no_start
    if starts and shutil.which("systemctl") is None:
        raise click.ClickException(
            "systemctl is not here, so nothing was written. --no-start only writes the files; elsewhere "
            f"`{shlex.join([program, 'run', '--plain', '--config', config_path])}` is what a service has to start."
        )
    if root == "/" and os.geteuid() != 0:
        raise click.ClickException("this writes to /etc and /var/lib: run it with sudo.")
    try:
        secrets = _files_of(named, Path(config_path).resolve().parent)
        for line in write(Path(root), text, content, secrets):
            click.echo(line)
    except place.Refused as reason:
        raise click.ClickException(str(reason)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    if not starts:
        return
    for arguments in (["daemon-reload"], ["enable", NAME], ["restart", NAME]):
        _systemctl(arguments)
    click.echo(f"started; `systemctl status {NAME}` and `journalctl -u {NAME}` show it")


def _files_of(tree: dict, folder: Path) -> dict[str, str]:
    """The files that the configuration names, secrets and certificates, by name."""
    named = [tree["toolsnet"].get(key) for key in CERTIFICATES]
    names = [*config_secrets.named(tree, "file"), *[name for name in named if name]]
    beyond = [name for name in names if "/" in name]
    if beyond:
        raise place.Refused(
            f"{', '.join(beyond)}: the service cannot read that. Lay the file beside the configuration, or name a "
            "credential in place of a secret's file."
        )
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def program_path() -> str:
    """Where `toolcart` is: beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("toolcart")
    found = str(beside) if beside.is_file() else shutil.which("toolcart")
    if not found:
        advice = installation.how_to_install_for_all()
        raise click.ClickException(f"the toolcart command is not on the path; this puts it there: {advice}")
    return os.path.abspath(found)


def problems(configuration: dict, program: str) -> list[str]:
    """What a person should know before the service runs."""
    told = []
    for folders, what in UNSEEN:
        if program.startswith(folders):
            told.append(f"{program} lies in {what}. Install it for all: {installation.how_to_install_for_all()}")
    for station in configuration["stations"]:
        path = station["spool"]["path"]
        if os.path.isabs(path) and not path.startswith(STATE_FOLDER + "/"):
            told.append(f"the spool {path} is outside of {STATE_FOLDER}: the service may not write there.")
        for outlet in station["outlets"][1:]:
            path = outlet["path"]
            if os.path.isabs(path) and not path.startswith(STATE_FOLDER + "/"):
                told.append(f"the file {path} is outside of {STATE_FOLDER}: the service may not write there.")
    return told


def write(root: Path, text: str, content: str, secrets: dict[str, str]) -> list[str]:
    """Write the unit, the configuration's content and secrets below `root`, each in one step; says what was done."""
    state = root / STATE_FOLDER.lstrip("/")
    units = root / UNIT_FOLDER.lstrip("/")
    with place.state_folder(state, 0o700) as inside:
        for name, secret in secrets.items():
            place.replace(inside, name, secret, 0o600)
        place.replace(inside, CONFIG, content, 0o600)
    units.mkdir(parents=True, exist_ok=True)
    with place.folder(units) as inside:
        place.replace(inside, f"{NAME}.service", text, 0o644)
    return [
        f"wrote {units / NAME}.service",
        *[f"wrote {state / name}, which only the service can read" for name in secrets],
        f"wrote {state / CONFIG}; change that one and restart the service",
    ]


def _systemctl(arguments: list[str]) -> None:
    try:
        done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=SYSTEMCTL_S)
    except FileNotFoundError:
        raise click.ClickException("systemctl is not here; --no-start only writes the files.") from None
    except subprocess.TimeoutExpired:
        raise click.ClickException(f"systemctl {arguments[0]} was not done in {SYSTEMCTL_S} s") from None
    if done.returncode != 0:
        raise click.ClickException(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}")
