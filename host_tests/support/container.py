"""Builds the container with buildah and runs commands in it, on a machine that reaches no registry of images.

Rules
1. No engine and no daemon: `--isolation chroot` needs root and a kernel, neither control groups nor a network of its
   own. What that isolation does not do (limits, devices, the health check's clock) is not tried.
2. The base is Debian with its own Python, made by debootstrap from Debian's packages and kept in .cache; the recipe is
   built from it as from any other BASE.
3. Wheels come from outside, so that building needs no network.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from toolcart.base.cache import CACHE, CHECKOUT
from toolcart.tools.config.file import SERVICE_STATE

SUITE = "trixie"
BASE = "localhost/toolcart-base"
IMAGE = "localhost/toolcart"
NEEDED = ("buildah", "debootstrap", "tar")
WHEELS = ("setuptools", "click")  # what the recipe needs, whatever its extras
PYTHON = "3.13"  # the base's
DEADLINE_S = 600


def missing():
    """What this machine lacks to build and run a container, in words; "" if nothing."""
    lacks = [name for name in NEEDED if shutil.which(name) is None] + (["root"] if os.geteuid() else [])
    return f"to build a container there is no {', '.join(lacks)}" if lacks else ""


def run(*words, **options):
    """Run it; what it says on both its outputs, if it ends well."""
    options = {"timeout": DEADLINE_S, "stdin": subprocess.DEVNULL, **options}
    done = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}"
    return done.stdout


class Buildah:
    """A storage of its own in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self._words = ["buildah", "--root", folder / "root", "--runroot", folder / "run", "--storage-driver", "vfs"]

    def __call__(self, *words):
        return run(*self._words, *words)

    def command(self, container, words, *options):
        """The words that run these in the container, as its user and with the machine's network."""
        told = [*self._words, "run", "--isolation", "chroot", "--network", "host", *options, container, "--", *words]
        return [str(word) for word in told]

    def build(self, extras="serial"):
        """Make the base and the image with these extras; return a container of it."""
        made = self("from", "scratch").split()[-1]
        self("add", made, base_archive(), "/")
        self("commit", "--rm", made, BASE)
        wheels = self.folder / "wheels"
        packages = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        wanted = [*WHEELS, *[one for extra in extras.split(",") for one in packages[extra]]]
        how = ("-q", "--only-binary=:all:", "--python-version", PYTHON, "--dest", wheels)
        run(sys.executable, "-m", "pip", "download", *how, *wanted)
        settings = self.folder / "pip.conf"
        settings.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        self(
            "build", "--isolation", "chroot", "--network", "host", "--format", "docker",
            "--build-arg", f"BASE={BASE}", "--build-arg", f"EXTRAS={extras}",
            "--volume", f"{wheels}:/wheels:ro", "--volume", f"{settings}:/etc/pip.conf:ro",
            "--ignorefile", CHECKOUT / ".containerignore", "--file", CHECKOUT / "Containerfile",
            "--tag", IMAGE, CHECKOUT,
        )  # fmt: skip
        container = self("from", IMAGE).split()[-1]
        # Else buildah mounts a folder of its own there as well, above ours or below it as it happens.
        self("config", "--volume", f"{SERVICE_STATE}-", container)
        return container


def base_archive():
    """Debian's files as an archive, made once."""
    kept = CACHE / "container" / f"{SUITE}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        tree, part = kept.with_suffix(".tree"), kept.with_suffix(".part")
        shutil.rmtree(tree, ignore_errors=True)
        # In a namespace of its own: a debootstrap that is cut off leaves no /proc mounted.
        run("unshare", "-m", "debootstrap", "--variant=minbase", "--include=python3-venv,ca-certificates", SUITE, tree)
        left_out = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")
        run("tar", *[f"--exclude=./{name}" for name in left_out], "-C", tree, "-cf", part, ".")
        shutil.rmtree(tree)
        part.rename(kept)
    return kept


def octets_of(folder):
    """How much the files of a folder take, links once."""
    found = {(info.st_dev, info.st_ino): info.st_size for info in (path.lstat() for path in Path(folder).rglob("*"))}
    return sum(found.values())
