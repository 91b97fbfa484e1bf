"""`toolcart mip`: a folder from which `mpremote mip` installs, or a board itself if it has a network.

Rules
1. It holds what `toolcart flash` would install, byte for byte: the compiled version with its configuration in `a`, and
   in the root the files that choose and start it. So its target is the root of the board's file system.
2. Every address in package.json is relative to package.json itself. So the folder works wherever it is put: on a disk,
   on any web server.
3. version.json comes last: before that, an installed version is not chosen (toolcart.board.safe_mode).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.base.installation import program_version
from toolcart.base.sources import Unavailable
from toolcart.tools.config import file as config_file
from toolcart.tools.flash import package
from toolcart.tools.flash.plan import COPIED_HEAP_BYTES

FOLDER = "a"
INDEX = "package.json"

# What mpy-cross makes native code for; an RP2350 runs an RP2040's.
ARCHITECTURES = {"rp2": "armv6m", "esp32": "xtensawin"}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@package.BOARD_OPTION
@package.CONFIG_OPTION
def mip(folder: Path, platform: str, config_path: str) -> None:
    """Write a folder that mip installs on a board.

    `mpremote mip install --target=/ FOLDER/package.json` installs the agent.

    From a web server a board installs it over the network: `mip.install("http://HOST/package.json", target="/")`. It
    contains the configuration with its secrets. `toolcart flash` does more: it sends only what has changed, verifies
    it, and goes back to the old version if the new one does not become healthy.
    """
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty; name a new folder.")
    try:
        built = package.build(platform, ARCHITECTURES[platform], config_path)
        count = write(folder, built)
    except config_file.ConfigurationError as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(wrong.exit_code)
    except (Unavailable, ValueError, OSError) as reason:
        click.echo(f"toolcart: {reason}", err=True)
        sys.exit(EXIT_OTHER)
    click.echo(f"{folder}: version {built.digest} in {count} files")
    needed = -(-COPIED_HEAP_BYTES // 1024)
    click.echo(f"Needs {needed} KiB of heap, as a Pico 2 or an ESP32 with PSRAM has; for others: toolcart image")
    click.echo(f"Next: mpremote mip install --target=/ {folder / INDEX}")


def write(folder: Path, built: package.Version) -> int:
    """Fill the folder; return how many files a board gets."""
    files = {f"{FOLDER}/{name}": content for name, content in built.files.items()}
    files |= {path.lstrip("/"): content for path, content in built.root.items()}
    files[f"{FOLDER}/{package.VERSION_FILE}"] = built.manifest()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    index = {
        "urls": [[name, name] for name in files],
        "deps": [[name, "latest"] for name in package.DEPENDENCIES],
        "version": program_version() or "0",
    }
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return len(files)
