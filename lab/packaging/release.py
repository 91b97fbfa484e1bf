"""Builds all that a release has: `python -m lab.packaging.release [FOLDER] [--source MICROPYTHON] [--tag vVERSION]`.

    toolcart-VERSION-py3-none-any.whl     and toolcart-VERSION-py3-none-any.cdx.json, the list of what is in it
    toolcart-VERSION.tar.gz               the source archive
    toolcart_VERSION_all.deb              the Debian package, for every architecture
    toolcart-BOARD.uf2                    of each board of an RP2, where MicroPython's sources are named
    NOTES.txt                              what CHANGELOG.md says of this version
    SHA256SUMS                            of all these; `sha256sum --check SHA256SUMS` compares

Rules
1. The folder is new or empty, and written to only: nothing is sent anywhere.
2. What cannot be built ends it before anything is in the folder: a release is whole, or is not there.
3. Of one commit wheel, list, source archive and package are the same byte for byte.
4. With `--tag` the tag has to be that of the version, the version's part of CHANGELOG.md may not say that it is not
   released yet, and no file of git may be changed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from toolcart.base.command_line import CommandLine, start
from toolcart.tools.flash import image
from toolcart.tools.flash.boards import BOARDS
from lab.cache import CHECKOUT, Unavailable
from lab.packaging import debian, sbom, source_archive, wheel

NOTES = "NOTES.txt"
SUMS = "SHA256SUMS"
UNRELEASED = "not released yet"
IMAGES = tuple(name for name, board in BOARDS.items() if board.port == "rp2")  # an ESP32's needs ESP-IDF


def notes(changes: str, version: str) -> str:
    """Return the part of a list of changes that is about this version, without its heading; Unavailable if none is.

    >>> notes("# Changes\\n\\n## 0.2.0, May\\n\\n- One.\\n\\n## 0.1.0\\n\\n- Two.\\n", "0.2.0")
    '- One.\\n'
    """
    return _part(changes, version)[1].strip() + "\n"


def _part(changes: str, version: str) -> tuple[str, str]:
    """Return heading and text of a version's part."""
    found = re.search(rf"^## ({re.escape(version)}\b.*)\n((?:(?!## ).*\n?)*)", changes, re.MULTILINE)
    if found is None or not found[2].strip():
        raise Unavailable(f"CHANGELOG.md says nothing of {version}")
    return found[1], found[2]


def check_tag(tag: str, version: str, changes: str) -> None:
    """Raise Unavailable unless this tag may name a release of the version with these changes."""
    if tag != f"v{version}":
        raise Unavailable(f"the tag {tag} is not v{version}, the version that pyproject.toml names")
    heading, _ = _part(changes, version)
    if UNRELEASED in heading:
        raise Unavailable(f"CHANGELOG.md says {UNRELEASED!r} of {version}")
    changed = wheel.output_of(["git", "status", "--porcelain", "--untracked-files=no"], "git says nothing of changes")
    if changed:
        raise Unavailable(f"files are changed that the tag does not have:\n{changed.rstrip()}")


def sums(files: Sequence[Path]) -> str:
    """Return a line for each of these files, by name, as sha256sum prints and checks it."""
    rows = [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(rows))


def check_images(boards: Sequence[str], source: Path) -> None:
    """Raise Unavailable, with all that is missing, unless the image of each of these boards can be built."""
    missing = {problem: None for name in boards for problem in image.problems(BOARDS[name], source)}
    if missing:
        raise Unavailable("\n".join(["the images cannot be built:", *missing]))


def build(
    target: Path,
    source: Path | None = None,
    boards: Sequence[str] = IMAGES,
    tag: str = "",
    report: Callable[[str], None] = lambda step: None,
) -> list[Path]:
    """Build a release into the folder `target`, with images where MicroPython's sources are named; return its files.

    `tag` is what names it in git, "" for one that is only tried. `report` is called with each step. Unavailable says
    what is missing or wrong; then the folder is as it was.
    """
    if target.exists() and any(target.iterdir()):
        raise Unavailable(f"{target} is not empty; name a new folder")
    changes = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = wheel.version()
    text = notes(changes, version)
    if tag:
        check_tag(tag, version, changes)
    if source is not None:
        source = source.resolve()
        check_images(boards, source)
    with tempfile.TemporaryDirectory(prefix="toolcart-release-") as folder:
        made = []
        for what, builder in (("wheel", wheel), ("source archive", source_archive), ("Debian package", debian)):
            report(what)
            made.append(builder.build(Path(folder)))
        listed = made[0].with_suffix(".cdx.json")
        listed.write_text(sbom.of(made[0]), encoding="utf-8")
        Path(folder, NOTES).write_text(text, encoding="utf-8")
        made += [listed, Path(folder, NOTES)]
        if source is not None:
            for name in boards:
                report(name)
                built = image.build(BOARDS[name], source, image.folder_of(name, source), report)
                made.append(Path(shutil.copy(built, Path(folder, f"toolcart-{name}{built.suffix}"))))
        Path(folder, SUMS).write_text(sums(made), encoding="utf-8")
        target.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copy(file, target)) for file in [*made, Path(folder, SUMS)]]


def main() -> None:
    line = CommandLine(__doc__)
    line.add_argument("folder", nargs="?", default="dist/release", type=Path, help="where it goes: dist/release")
    line.add_argument("--source", type=Path, metavar="DIR", help="MicroPython's sources, for the boards' images")
    line.add_argument("--board", dest="boards", action="append", choices=IMAGES, help="only this image; several times")
    line.add_argument("--tag", default="", help="the tag in git that names this release, such as v0.2.0")
    given = line.parse_args()
    for file in build(
        given.folder, given.source, given.boards or IMAGES, given.tag, lambda step: print(step, file=sys.stderr)
    ):
        print(file)


if __name__ == "__main__":
    start(main)
