"""What every installation has below share/: the manual page, and the completions of bash, zsh and fish."""

from __future__ import annotations

import gzip
import io

from click.shell_completion import BashComplete, FishComplete, ZshComplete

from toolcart.tools.cli import manual
from toolcart.tools.cli.main import main as command_line

COMPLETIONS = (
    ("share/bash-completion/completions/toolcart", BashComplete),
    ("share/zsh/{zsh}/_toolcart", ZshComplete),
    ("share/fish/vendor_completions.d/toolcart.fish", FishComplete),
)


def share_files(version: str, zsh: str) -> dict[str, bytes]:
    """Return the bytes of each by its path; `zsh` is the folder that this installation's zsh looks into."""
    completions = {
        place.format(zsh=zsh): completion(command_line, {}, "toolcart", "_TOOLCART_COMPLETE").source().encode()
        for place, completion in COMPLETIONS
    }
    return completions | {"share/man/man1/toolcart.1.gz": packed(manual.page(command_line, version).encode())}


def packed(octets: bytes, moment: int = 0) -> bytes:
    """Compress as gzip does, to the same bytes with every Python: zlib's own header names the system from 3.13 on."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, mtime=moment) as file:
        file.write(octets)
    return buffer.getvalue()
