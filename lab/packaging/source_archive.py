"""Builds the source archive of this commit: `python -m lab.packaging.source_archive [FOLDER]`.

It has the same bytes each time: the builder's archive has the times and owners of the copy that it was made in, and
they are set to the commit's and root.
"""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from lab.cache import CHECKOUT
from lab.packaging import share_files, wheel

BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"


def build(target: Path) -> Path:
    """Build it into the folder `target`; Unavailable without git, or with the builder's message."""
    listed = wheel.output_of(["git", "ls-files", "-z"], "a source archive is made of what git knows")
    with tempfile.TemporaryDirectory(prefix="toolcart-source-") as folder:
        for name in filter(None, listed.split("\0")):
            Path(folder, "tree", name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, Path(folder, "tree", name), follow_symlinks=False)
        command = [sys.executable, "-P", "-c", BUILD, folder]
        output = wheel.output_of(command, "the source archive cannot be built", Path(folder, "tree"))
        archive = Path(folder, output.splitlines()[-1])
        target.mkdir(parents=True, exist_ok=True)
        (target / archive.name).write_bytes(_settled(archive, int(wheel.environment()["SOURCE_DATE_EPOCH"])))
    return target / archive.name


def _settled(archive: Path, moment: int) -> bytes:
    """Return the archive in the order of its names, each file of root and of this time (seconds since 1970)."""
    plain = io.BytesIO()
    with tarfile.open(archive) as before, tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as after:
        for one in sorted(before.getmembers(), key=lambda member: member.name):
            one.mtime, one.uid, one.gid, one.uname, one.gname = moment, 0, 0, "root", "root"
            one.mode = 0o755 if one.isdir() or one.mode & 0o100 else 0o644
            one.pax_headers = {}
            after.addfile(one, before.extractfile(one) if one.isfile() else None)
    return share_files.packed(plain.getvalue(), moment)


if __name__ == "__main__":
    wheel.by_hand(__doc__, build)
