"""How this toolcart was installed, which version, and what brings a part that is missing: the one place for such hints.

Rules
1. A hint is one line that can be pasted as it stands. It names this Python or this checkout by its whole path, so it
   works from any folder.
2. It asks no package index for toolcart itself: outside of a checkout it names what is missing, which every index has.
3. Debian's packages are named where Debian 12 has them new enough; an environment that sees the package's toolcart
   gets the rest.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]  # the checkout, or the one package that an installation has

CHECKOUT = "checkout"
DEBIAN = "debian"
PIPX = "pipx"
ENVIRONMENT = "environment"

# Extras that Debian 12 has whole and new enough.
DEBIAN_PACKAGES = {"serial": "python3-serial", "update": "python3-cryptography"}
_OWN_ENVIRONMENT = "~/.toolcart"


@cache
def program_version() -> str:
    """Toolcart's version; "" where it was copied, not installed."""
    try:
        return version("toolcart")
    except PackageNotFoundError:
        return ""


def kind() -> str:
    """CHECKOUT, DEBIAN (the .deb), PIPX, or ENVIRONMENT: anywhere else that pip has put it."""
    if (ROOT / "pyproject.toml").is_file():
        return CHECKOUT
    if ROOT.parent.name == "dist-packages" and sys.prefix == sys.base_prefix:
        return DEBIAN
    return PIPX if Path(sys.prefix, "pipx_metadata.json").is_file() else ENVIRONMENT


def how_to_get(extra: str) -> str:
    """The command that brings what this extra of pyproject.toml names."""
    how = kind()
    if how == CHECKOUT:
        return _line(sys.executable, "-m", "pip", "install", "-e", f"{ROOT}[{extra}]")
    if how == DEBIAN and extra in DEBIAN_PACKAGES:
        return f"sudo apt install {DEBIAN_PACKAGES[extra]}"
    return how_to_get_packages(*requirements(extra))


def how_to_get_packages(*packages: str) -> str:
    """The command that brings these packages of an index."""
    how = kind()
    if how == PIPX:
        return _line("pipx", "inject", Path(sys.prefix).name, *packages)
    if how == DEBIAN:
        # A venv's Python finds dist-packages, and with it the toolcart that is installed.
        make = f"python3 -m venv --system-site-packages {_OWN_ENVIRONMENT}"
        bring = f"{_OWN_ENVIRONMENT}/bin/pip install {shlex.join(packages)}"
        return f"{make} && {bring}, then {_OWN_ENVIRONMENT}/bin/python -m toolcart in place of toolcart"
    if find_spec("pip") is None:
        return _line("pip", "--python", sys.executable, "install", *packages)
    return _line(sys.executable, "-m", "pip", "install", *packages)


def how_to_install_for_all() -> str:
    """The command that puts the same toolcart where a service can see it, with serial lines."""
    return f"sudo PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin {_line('pipx', 'install', origin() + '[serial]')}"


def origin() -> str:
    """Where this toolcart came from, as pip takes it: the checkout, the wheel's file, or its name on an index."""
    if kind() == CHECKOUT:
        return str(ROOT)
    try:
        told = distribution("toolcart").read_text("direct_url.json")  # PEP 610: not there if it came from an index
    except PackageNotFoundError:
        told = None
    address = json.loads(told)["url"] if told else ""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address or "toolcart"


def requirements(extra: str) -> list[str]:
    """What the extra names, as pip wants it, such as `pyserial>=3.5`."""
    try:
        named = requires("toolcart") or []
    except PackageNotFoundError:  # copied, not installed: only the extra's name is known
        named = []
    mark = re.compile(rf";\s*extra\s*==\s*['\"]{re.escape(extra)}['\"]\s*$")
    return [mark.sub("", line).strip() for line in named if mark.search(line)] or [f"toolcart[{extra}]"]


def _line(*words: str) -> str:
    return shlex.join(words)
