"""`toolcart sign`, `verify` and `update`: only the owner of a trusted key can bring these files to a cart.

Exit codes of `verify`: 0 signed by a trusted key, 2 not. Of `update`: 0 installed and healthy, or installed already; 1
it did not become healthy and the old version is installed again; 2 refused, nothing was changed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.base import installation, private
from tools.base.printable import visible
from tools.update import source
from tools.update.machine import Machine, Refused, Unhealthy, is_older, version_of

if TYPE_CHECKING:
    from tools.update.minisign import PublicKey

KEYS = "/etc/toolcart/keys"
EXIT_UNHEALTHY = 1
EXIT_REFUSED = 2


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE...")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="The secret key, NAME.key.")
@click.option("--comment", help="A comment that is signed too.  [default: time and name of the file]")
@click.option("--new-key", metavar="NAME", help="Make NAME.key, which stays secret, and NAME.pub for the carts.")
def sign(files: tuple[Path, ...], key: Path | None, comment: str | None, new_key: str | None) -> None:
    """Sign files in minisign's format: each gets a FILE.minisig beside it."""
    minisign = _minisign()
    if new_key is not None and not files and key is None:
        made = minisign.SecretKey.new()
        _write_new(Path(f"{new_key}.key"), made.text(), 0o600)
        _write_new(Path(f"{new_key}.pub"), made.public().text(), 0o644)
        click.echo(f"{new_key}.key signs: keep it secret. {new_key}.pub belongs into {KEYS} of each cart.")
        return
    if new_key is not None or key is None or not files:
        raise click.UsageError("FILE... with --key, or --new-key NAME alone")
    if comment is not None and not comment.isprintable():
        raise click.UsageError("--comment is one line")
    try:
        secret = minisign.SecretKey.read(minisign.text_of(key), str(key))
        for file in files:
            said = comment or f"timestamp:{int(time.time())}\tfile:{file.name}\thashed"
            Path(f"{file}{source.SUFFIX}").write_text(secret.sign(source.read(str(file)), said), encoding="utf-8")
            click.echo(f"wrote {file}{source.SUFFIX}")
    except (minisign.Wrong, source.Missing) as reason:
        raise click.ClickException(str(reason)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None


_KEYS = click.option(
    "--keys",
    type=click.Path(file_okay=False),
    default=KEYS,
    show_default=True,
    help="Folder of the trusted keys, *.pub.",
    metavar="DIR",
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE|URL...")
@_KEYS
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(files: tuple[str, ...], keys: str, as_json: bool) -> None:
    """Say who signed these files: a board's image before flashing, a wheel, a package. Nothing is changed."""
    told = []
    for file in files:
        try:
            _, name, comment = _signed(file, _trusted(Path(keys)))
        except (Refused, source.Missing, _minisign().Wrong) as reason:
            told.append({"file": file, "good": False, "why": str(reason)})
        else:
            told.append({"file": file, "good": True, "key": name, "comment": comment})
    if as_json:
        click.echo(json.dumps({"good": all(one["good"] for one in told), "files": told}))
    else:
        for one in told:
            good = f"good, signed by {one['key']} ({one['comment']})" if one["good"] else f"NOT GOOD: {one['why']}"
            click.echo(visible(f"{one['file']}: {good}"))
    sys.exit(0 if all(one["good"] for one in told) else EXIT_REFUSED)


@click.command()
@click.argument("package", type=click.Path(), metavar="FILE|URL")
@_KEYS
@click.option(
    "--previous", type=click.Path(), metavar="FILE|URL", help="Signed package of the installed version, for a rollback."
)
@click.option(
    "--within",
    default=120.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    help="Seconds the agent has to become healthy.",
)
@click.option("--check", is_flag=True, help="Only verify the signature.")
def update(package: str, keys: str, previous: str | None, within: float, check: bool) -> None:
    """Install a signed Debian package, wait until the agent is healthy, and go back if it does not become so.

    The signature is FILE.minisig beside the package. Older versions and what no trusted key has signed are refused.
    """
    try:
        code = bring(Machine(healthy_s=within), package, Path(keys), previous, check)
    except (Refused, source.Missing, _minisign().Wrong) as reason:
        click.echo(visible(f"toolcart: not installed, nothing was changed: {reason}"), err=True)
        code = EXIT_REFUSED
    except Unhealthy as reason:
        click.echo(visible(f"toolcart: {reason}"), err=True)
        code = EXIT_UNHEALTHY
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    sys.exit(code)


def bring(machine: Machine, package: str, folder: Path, previous: str | None, check: bool = False) -> int:
    """Verify a package and install it; return the exit code."""
    keys = _trusted(folder)
    octets, version = _verified(package, keys)
    if check:
        return 0
    installed = machine.installed()
    if not installed:
        raise Refused("toolcart is not installed as a Debian package here; docs/second-day.md has the other ways")
    if version == installed:
        kept = machine.way_back(version)
        if not kept.exists() and os.geteuid() == 0:
            machine.keep(version, octets)
            click.echo(f"{version} is installed already; its package is kept as the way back of the next update")
        else:
            click.echo(f"{version} is installed already")
        return 0
    if is_older(version, installed):
        raise Refused(f"{version} is older than {installed}, which is installed; docs/second-day.md has the way back")
    if os.geteuid() != 0:
        raise Refused("this installs a package: run it with sudo")
    old = machine.way_back(installed)
    if previous is not None:
        old_octets, old_version = _verified(previous, keys)
        if old_version != installed:
            raise Refused(f"--previous has {old_version}, but {installed} is installed")
        old = machine.keep(old_version, old_octets)
    if not old.exists():
        raise Refused(f"there would be no way back: give the signed package of {installed} with --previous")
    machine.install(machine.keep(version, octets), old, click.echo)
    click.echo(f"{version} is installed in place of {installed}")
    return 0


def _verified(package: str, keys: dict[str, PublicKey]) -> tuple[bytes, str]:
    """Return a package's content and version, after checking a trusted key's signature."""
    octets, name, comment = _signed(package, keys)
    with tempfile.TemporaryDirectory(prefix="toolcart-update-") as folder:
        file = Path(folder, Path(package).name)
        file.write_bytes(octets)
        version = version_of(file)
    click.echo(visible(f"{package}: {version}, signed by {name} ({comment})"))
    return octets, version


def _trusted(folder: Path) -> dict[str, PublicKey]:
    keys = _minisign().trusted(folder)
    if not keys:
        raise Refused(f"no key is trusted: lay the public key of who signs your packages into {folder}, as NAME.pub")
    return keys


def _signed(package: str, keys: dict[str, PublicKey]) -> tuple[bytes, str, str]:
    """Return a file's content, the key that signed it, and the signed comment in one line."""
    minisign = _minisign()
    octets, beside = source.read(package), package + source.SUFFIX
    try:
        signature = source.read(beside, minisign.SIGNATURE_BYTES_MAX)
    except source.Missing as reason:
        raise Refused(f"it is not signed: {reason}") from None
    name, comment = minisign.verify(octets, signature.decode(errors="replace"), beside, keys)
    return octets, name, " ".join(comment.split())


def _minisign():
    try:
        from tools.update import minisign
    except ImportError as missing:
        advice = installation.how_to_get("update")
        raise click.ClickException(f"{missing.name} is not installed: {advice}") from None
    return minisign


def _write_new(path: Path, text: str, mode: int) -> None:
    try:
        private.make(path, text.encode(), mode)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None
