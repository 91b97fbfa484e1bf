"""The agent as firmware carries it: which files a chip of a platform may import, and their digest.

    FOLDER/frozen          agent/ and board/, and `toolcart_frozen`, which names their digest
    FOLDER/start           safe_mode, and _boot where the port has one of ours

Rules
1. Plain sources are frozen, with their lines: code is in flash, where bytes are cheap, and a traceback has file and
   line of the source. Only their constants are written out (toolcart.base.constants), here as in a copied version.
2. `toolcart flash` compares the digest in the firmware with its own: where both are one, it sends the configuration
   alone.
3. Nothing but Python's own library is imported: `manifest.py` at the root runs this in the build of a firmware.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from toolcart.base.constants import chip_sources
from toolcart.base.sources import ROOT, Source

SAFE_MODE_SOURCE = ROOT / "toolcart/board/safe_mode.py"
BOOT = ROOT / "toolcart/board/rp2/boot.py"

# These read a configuration as a person wrote it; a chip gets a completed one.
FOR_PERSONS = (
    "toolcart/agent/base/host_names.py",
    "toolcart/agent/cart/config.py",
    "toolcart/agent/cart/settings.py",
)

# Boards by their folders; another board's files are not installed.
OTHERS = ("rp2", "esp32", "unix", "linux", "boot")


def sha256(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal, as the board gives it."""
    return hashlib.sha256(content).hexdigest()


def sources_for(platform: str) -> list[Source]:
    """Return the files of agent/ and board/ that a chip of this platform may import."""
    return [
        source
        for source in chip_sources()
        if source.name not in FOR_PERSONS and not _is_for_another(source.name, platform)
    ]


def core_digest(platform: str) -> str:
    """Return the digest of this checkout's core, to compare with the one frozen into a firmware."""
    lines = [f"{source.name} {sha256(source.text.encode())}" for source in sources_for(platform)]
    return sha256("\n".join(sorted(lines)).encode())[:16]


def _is_for_another(name: str, platform: str) -> bool:
    if not name.startswith("toolcart/board/"):
        return False
    port, name_end = re.split(r"[_./]", name.removeprefix("toolcart/board/"))[:2]
    return (port in OTHERS and port != platform) or name_end == "boot"  # an image alone has that


def files_of(platform: str) -> dict[str, bytes]:
    """Return what a firmware for this platform carries, by its name below a folder."""
    wanted = {f"frozen/{source.name}": source.text.encode() for source in sources_for(platform)}
    wanted["frozen/toolcart_frozen.py"] = f'CORE_HASH = "{core_digest(platform)}"\n'.encode()
    wanted["start/safe_mode.py"] = SAFE_MODE_SOURCE.read_bytes()
    if platform == "rp2":
        wanted["start/_boot.py"] = BOOT.read_bytes()
    return wanted


def written(platform: str, folder: str | Path = "") -> Path:
    """Write that into a folder, which is one of the user's cache if none is named; return it."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "toolcart"
    target = Path(folder) if folder else base / f"frozen-{platform}-{core_digest(platform)}"
    write_changed(target, files_of(platform))
    return target


def write_changed(folder: Path, wanted: dict[str, bytes]) -> None:
    """Leave these files alone in their folders below `folder`; unchanged ones keep their date: make builds little."""
    for top in {name.partition("/")[0] for name in wanted if "/" in name}:
        for file in list((folder / top).rglob("*")):
            if file.is_file() and file.relative_to(folder).as_posix() not in wanted:
                file.unlink()
    for name, octets in wanted.items():
        file = folder / name
        if not file.is_file() or file.read_bytes() != octets:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(octets)
