"""CPythons other than the one that runs the tests: Debian's, unpacked into a folder, the system unchanged.

A newer C library, where needed, comes along. The program is started through a script that calls the loader, and takes
this script for itself: a program that starts `sys.executable` again comes through it too.
"""

import platform
import shutil
from pathlib import Path

from lab.cache import CACHE, Unavailable, output_of, whole_folder
from lab.firmware import debian
from lab.runtimes.catalogue import ARCHITECTURES

# Debian's release that has it. forky is testing: its 3.14 gains patches, and a folder here keeps the one it has.
RELEASES = {"3.13": "trixie", "3.14": "forky"}
TIMEOUT_S = 300
_STARTER = """#!/bin/sh
exec '{loader}' --library-path '{libraries}' --argv0 "$0" '{program}' "$@"
"""


def program(version: str) -> Path:
    """Return the CPython of this version ("3.14"), fetched if it is not here; Unavailable says why it cannot be."""
    folder = whole_folder(CACHE / "runtimes" / f"cpython-{version}", lambda target: _fill(target, version))
    started = folder / f"usr/bin/python{version}"
    if not output_of([str(started), "--version"], TIMEOUT_S).startswith(f"Python {version}."):
        raise Unavailable(f"{started} is not Python {version}")
    return started


def _fill(target: Path, version: str) -> None:
    both = ARCHITECTURES.get(platform.machine()) if platform.system() == "Linux" else None
    if not both or not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("another CPython comes out of Debian's packages, which this machine does not have")
    architecture = both[1][0]
    debian.from_mirrors(target, lambda mirror, attempt: _fetch(mirror, attempt, version, architecture))
    _make_starter(target, version, architecture)


def _fetch(mirror: debian.Mirror, folder: Path, version: str, architecture: str) -> None:
    own = folder / "apt"
    env = debian.private_apt(own, mirror, architecture, release=RELEASES[version])
    debian.update(TIMEOUT_S, env)
    wanted = [f"python{version}-minimal", f"libpython{version}-stdlib"]
    output_of(["apt-get", "install", "-qq", "--download-only", "--no-install-recommends", *wanted], TIMEOUT_S, env)
    for deb in sorted((own / "cache/archives").glob("*.deb")):
        output_of(["dpkg-deb", "-x", str(deb), str(folder)], TIMEOUT_S)
    shutil.rmtree(own)


def _make_starter(target: Path, version: str, architecture: str) -> None:
    folder = CACHE / "runtimes" / f"cpython-{version}"  # where the target is moved to
    libraries, loader = debian.LOADERS[architecture]
    started = target / f"usr/bin/python{version}"
    real = started.rename(started.with_name(f"{started.name}.real"))
    text = _STARTER.format(
        loader=folder / libraries / loader, libraries=folder / libraries, program=folder / real.relative_to(target)
    )
    started.write_text(text)
    started.chmod(0o755)
