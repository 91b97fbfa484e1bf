"""The sources the images are built from, out of Debian: MicroPython, the Pico SDK, TinyUSB.

They are downloaded as packages of the stable release that the test runtimes come from too, unpacked into the ignored
cache and never installed. The versions are checked: another one is refused.
"""

import shutil
from pathlib import Path

from lab.cache import CACHE, Unavailable, output_of, whole_folder
from lab.firmware import debian

MICROPYTHON = "1.25.0+ds"
PICO_SDK = "2.1.1-1"
TINYUSB = "0.18.0+dfsg-1"
TIMEOUT_S = 180

Edits = dict[str, tuple[tuple[str, str], ...]]  # file -> old and new text

FOLDER = CACHE / "firmware-sources" / f"micropython-{MICROPYTHON}-pico-{PICO_SDK}-tinyusb-{TINYUSB}"


def folder() -> Path:
    """Return the folder with `micropython`, `pico-sdk` and `tinyusb`; fetched if it is not there."""
    return whole_folder(FOLDER, lambda target: debian.from_mirrors(target, _fetch))


def edit(tree: Path, edits: Edits) -> None:
    """Change files below `tree`; Unavailable if one does not read as expected."""
    for name, changes in edits.items():
        text = (tree / name).read_text()
        for old, new in changes:
            if old not in text:
                raise Unavailable(f"{tree.name}/{name} has no line `{old}`: it is another MicroPython")
            text = text.replace(old, new)
        (tree / name).write_text(text)


def _fetch(mirror: debian.Mirror, target: Path) -> None:
    own, packages = target / "apt", target / "packages"
    packages.mkdir()
    env = debian.private_apt(own, mirror, "amd64", with_sources=True)
    debian.update(TIMEOUT_S, env)
    output_of(["apt-get", "source", "-qq", "--download-only", "micropython"], TIMEOUT_S, env, packages)
    wanted = [f"pico-sdk-source={PICO_SDK}", f"tinyusb-source={TINYUSB}"]
    output_of(["apt-get", "download", "-qq", *wanted], TIMEOUT_S, env, packages)
    tarball = packages / f"micropython_{MICROPYTHON}.orig.tar.xz"
    if not tarball.is_file():
        raise Unavailable(f"the mirror's micropython is not {MICROPYTHON}")
    _unpack(tarball, target / "micropython")
    for deb in packages.glob("*.deb"):
        output_of(["dpkg-deb", "-x", str(deb), str(packages / "root")], TIMEOUT_S)
    for name in ("pico-sdk", "tinyusb"):
        shutil.copytree(packages / "root/usr/src" / name, target / name, symlinks=True)
        shutil.rmtree(packages / "root/usr/src" / name)
    shutil.rmtree(own)
    shutil.rmtree(packages)


def _unpack(tarball: Path, target: Path) -> None:
    target.mkdir()
    output_of(["tar", "xJf", str(tarball), "-C", str(target), "--strip-components=1"], TIMEOUT_S)
    # The build looks for these marks of submodules, whose contents Debian leaves out and nothing here needs.
    (target / "lib/micropython-lib").mkdir(exist_ok=True)
    (target / "lib/micropython-lib/README.md").touch()
