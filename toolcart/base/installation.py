"""How this toolcart was installed, its version, and how to get a part that is missing: all such hints are here.

Rules
1. A hint is one line that can be pasted as it is. It names this Python or this checkout by its full path, so it works
   from any folder.
2. It asks no package index for toolcart itself: outside a checkout it names what is missing, which every index has.
3. Debian packages are named if those of Debian 12 are new enough; the rest goes into an environment that sees the
   package's toolcart.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from toolcart.base.privileges import as_root

ROOT = Path(__file__).resolve().parents[2]  # the checkout, or the site-packages of an installation

CHECKOUT = "checkout"
DEBIAN = "debian"
PIPX = "pipx"
ENVIRONMENT = "environment"

# Extras of which Debian 12 has every package, and new enough.
DEBIAN_PACKAGES = {"serial": "python3-serial", "webhook": "python3-h11"}
_OWN_ENVIRONMENT = "~/.toolcart"


@cache
def program_version() -> str:
    """Return toolcart's version; "" if it was copied, not installed."""
    from importlib.metadata import PackageNotFoundError, version  # here and below: a third of a command's start

    try:
        return version("toolcart")
    except PackageNotFoundError:
        return ""


def kind() -> str:
    """Return CHECKOUT, DEBIAN (the .deb), PIPX, or ENVIRONMENT: anywhere else pip has put it."""
    if (ROOT / "pyproject.toml").is_file():
        return CHECKOUT
    if ROOT.name == "dist-packages" and sys.prefix == sys.base_prefix:
        return DEBIAN
    return PIPX if Path(sys.prefix, "pipx_metadata.json").is_file() else ENVIRONMENT


def how_to_get(extra: str) -> str:
    """Return the command that installs what this extra of pyproject.toml names."""
    how = kind()
    if how == CHECKOUT:
        return _line(sys.executable, "-m", "pip", "install", "-e", f"{ROOT}[{extra}]")
    if how == DEBIAN and extra in DEBIAN_PACKAGES:
        return as_root(f"apt install {DEBIAN_PACKAGES[extra]}")
    return how_to_get_packages(*requirements(extra))


def how_to_get_packages(*packages: str) -> str:
    """Return the command that installs these packages from an index."""
    how = kind()
    if how == PIPX:
        return _line("pipx", "inject", Path(sys.prefix).name, *packages)
    if how == DEBIAN:
        # Such a venv's Python finds dist-packages, and in it the installed toolcart.
        make = f"python3 -m venv --system-site-packages {_OWN_ENVIRONMENT}"
        bring = f"{_OWN_ENVIRONMENT}/bin/pip install {shlex.join(packages)}"
        return f"{make} && {bring}, then {_OWN_ENVIRONMENT}/bin/python -m toolcart in place of toolcart"
    if find_spec("pip") is None:
        return _line("pip", "--python", sys.executable, "install", *packages)
    return _line(sys.executable, "-m", "pip", "install", *packages)


def how_to_install_for_all() -> str:
    """Return the command that installs this toolcart, with serial lines and webhooks, where a service can see it."""
    line = _line("pipx", "install", origin() + "[serial,webhook]")
    return as_root(f"PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin {line}")


def origin() -> str:
    """Return where this toolcart came from, in pip's form: the checkout, the wheel's file, or its name on an index."""
    if kind() == CHECKOUT:
        return str(ROOT)
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        direct_url = distribution("toolcart").read_text("direct_url.json")  # PEP 610; None if from an index
    except PackageNotFoundError:
        direct_url = None
    address = json.loads(direct_url)["url"] if direct_url else ""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address or "toolcart"


def requirements(extra: str) -> list[str]:
    """Return what the extra names, in pip's form, such as `pyserial>=3.5`."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        named = requires("toolcart") or []
    except PackageNotFoundError:  # copied, not installed: only the name of the extra is known
        named = []
    mark = re.compile(rf";\s*extra\s*==\s*['\"]{re.escape(extra)}['\"]\s*$")
    return [mark.sub("", line).strip() for line in named if mark.search(line)] or [f"toolcart[{extra}]"]


def _line(*words: str) -> str:
    return shlex.join(words)
