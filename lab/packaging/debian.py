"""Builds the Debian package from the wheel, by dpkg-deb alone: `python -m lab.packaging.debian [FOLDER]`.

Rules
1. The program is where Debian's Python looks (dist-packages) and uses Debian's Click; the same package serves every
   architecture.
2. The service runs as the user toolcart, reads /etc/toolcart/config.json and writes /var/lib/toolcart. Without that
   configuration it does not start, and nothing fails.
3. An upgrade restarts the service. Removing keeps the configuration. Purging removes it and keeps the spools: they may
   hold the only copy of a result.
4. The scripts respect $DPKG_ROOT, so that it can be installed into a folder, an image of a card or a test's.
5. Whoever builds it is its maintainer, as with Debian's own tools: $DEBFULLNAME and $DEBEMAIL.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from email.utils import formatdate
from pathlib import Path

from toolcart.tools.config.commands import EXAMPLE, schema_text
from toolcart.tools.config.schema import FILE_NAME
from toolcart.tools.service.archive import CONFINED, ENVIRONMENT, MEMORY, STATE, ArchiveService
from toolcart.tools.service.archive import NAME as ARCHIVE
from toolcart.tools.service.unit import STATE_FOLDER, Service, quoted
from lab.cache import CHECKOUT, Unavailable
from lab.packaging import share_files, site, wheel
from lab.packaging.wheel import version

PYTHON = "usr/lib/python3/dist-packages"
CONFIG = "/etc/toolcart/config.json"
SERIAL_CLASSES = ("char-ttyUSB", "char-ttyACM", "char-ttyS", "char-ttyAMA")  # the package cannot know which one is used

PROGRAM = """\
#!/usr/bin/python3 -P
from toolcart.__main__ import main

main()
"""

# A built site brings the search of the Sphinx that made it; Debian's own may be another version's.
OVERRIDES = """\
toolcart: embedded-javascript-library please use sphinx [usr/share/doc/toolcart/html/_static/*]
toolcart: zero-byte-file-in-doc-directory [usr/share/doc/toolcart/html/_static/scripts/furo-extensions.js]
"""

CONTROL = """\
Package: toolcart
Version: {version}
Architecture: all
Section: misc
Priority: optional
Maintainer: {maintainer}
Installed-Size: {kib}
Depends: python3 (>= 3.11), python3-click (>= 8.1), systemd | systemd-standalone-sysusers
Recommends: python3-serial (>= 3.5), python3-h11 (>= 0.14)
Suggests: python3-sqlalchemy (>= 2), python3-alembic (>= 1.13), python3-psycopg (>= 3.1)
Description: store-and-forward agent between a tightening controller and ToolsNet
 Takes every tightening result of a controller over Open Protocol, keeps it on
 flash, and hands it to ToolsNet when the network is there: in order, and once.
 .
 The service starts when /etc/toolcart/config.json is there, which
 `toolcart config new` writes.
"""

# The report's timer is off until it is enabled: every Monday morning, or as soon as the machine runs again.
REPORT_TIMER = """\
[Unit]
Description=Toolcart: a report of the archive each week

[Timer]
OnCalendar=Mon 05:00
RandomizedDelaySec=300
Persistent=yes

[Install]
WantedBy=timers.target
"""

# It runs as the archive's user, whose SQLite file it reads.
REPORT_UNIT = """\
[Unit]
Description=Toolcart: a report of the archive
After=network-online.target postgresql.service
Wants=network-online.target

[Service]
Type=oneshot
ExecStart={program} archive report $TOOLCART_ARCHIVE_REPORT_OPTIONS
EnvironmentFile=-{environment}
TimeoutStartSec=600
WorkingDirectory={state}
DynamicUser=yes
User={name}
StateDirectory={name}
StateDirectoryMode=0700
{confined}
MemoryMax={memory}
"""

SYSUSERS = f'u toolcart - "Toolcart" {STATE_FOLDER}\n'

LEVEL = 6  # of compression: the usual one of dpkg-deb

POSTINST = """\
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
systemd-sysusers ${DPKG_ROOT:+--root="$DPKG_ROOT"} toolcart.conf
deb-systemd-helper unmask toolcart.service >/dev/null || true
if deb-systemd-helper --quiet was-enabled toolcart.service; then
    deb-systemd-helper enable toolcart.service >/dev/null || true
else
    deb-systemd-helper update-state toolcart.service >/dev/null || true
fi
[ -z "$DPKG_ROOT" ] || exit 0
py3compile -p toolcart || true
if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    deb-systemd-invoke restart toolcart.service >/dev/null || true
fi
[ -e /etc/toolcart/config.json ] ||
    echo "toolcart: sudo toolcart config new /etc/toolcart/config.json, then sudo systemctl start toolcart"
"""

PRERM = """\
#!/bin/sh
set -e
[ -z "$DPKG_ROOT" ] || exit 0
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop toolcart.service >/dev/null || true
fi
py3clean -p toolcart || true
"""

POSTRM = """\
#!/bin/sh
set -e
if [ "$1" = purge ]; then
    rm -rf "$DPKG_ROOT/etc/toolcart"
    deb-systemd-helper purge toolcart.service >/dev/null || true
    if [ -d "$DPKG_ROOT/var/lib/toolcart" ] && ! rmdir "$DPKG_ROOT/var/lib/toolcart" 2>/dev/null; then
        echo "toolcart: the spools stay in /var/lib/toolcart; what ToolsNet does not have is only there"
    fi
fi
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
"""

CHANGELOG = """\
toolcart ({version}) unstable; urgency=medium

  * NEWS.gz says what changes for who uses it.

 -- {maintainer}  {moment}
"""

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: toolcart

Files: *
Copyright: 2026 toolcart contributors
License: Expat
{licence}
"""


def maintainer() -> str:
    """Return who is responsible for a package built here: a name and an address."""
    name = os.environ.get("DEBFULLNAME", "toolcart contributors")
    return f"{name} <{os.environ.get('DEBEMAIL', 'contributors@toolcart.invalid')}>"


def unit() -> str:
    """Return the service of the package."""
    return Service("/usr/bin/toolcart", SERIAL_CLASSES, user="toolcart", config=CONFIG).text()


def archive_unit() -> str:
    """Return the archive's service, which starts if /etc/toolcart/archive.env exists and it has been enabled."""
    return ArchiveService("/usr/bin/toolcart", wants_environment=True).text()


def report_unit(program: str) -> str:
    """Return the service that writes a report of the archive, and ends."""
    confined = "\n".join(CONFINED)
    about = {"environment": ENVIRONMENT, "state": STATE, "name": ARCHIVE, "memory": MEMORY, "confined": confined}
    return REPORT_UNIT.format(program=quoted(program), **about)


def build(target: Path, level: int = LEVEL) -> Path:
    """Build the package into the folder `target`, as small as `level`, 0 to 9, makes it.

    Unavailable if dpkg-deb or the wheel's builder is missing.
    """
    if shutil.which("dpkg-deb") is None:
        raise Unavailable("dpkg-deb is not installed (Debian: dpkg)")
    target.mkdir(parents=True, exist_ok=True)
    file = target / f"toolcart_{version()}_all.deb"
    with tempfile.TemporaryDirectory(prefix="toolcart-deb-") as folder:
        tree = Path(folder, "tree")
        lay_out(tree, wheel.build(Path(folder)))
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", f"-z{level}", "--build", str(tree), str(file)]
        wheel.output_of(command, "the package cannot be built")
    return file


def lay_out(tree: Path, built: Path) -> None:
    """Fill a folder with the package's files and its control files."""
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tree / PYTHON, [name for name in archive.namelist() if ".data/" not in name])
    [metadata] = (tree / PYTHON).glob("toolcart-*.dist-info")
    (metadata / "RECORD").unlink()  # the files are dpkg's: pip must not remove them
    (metadata / "INSTALLER").write_text("dpkg\n")
    document = "usr/share/doc/toolcart"
    _put(tree, "usr/bin/toolcart", PROGRAM, 0o755)
    _put(tree, "usr/lib/systemd/system/toolcart.service", unit())
    _put(tree, f"usr/lib/systemd/system/{ARCHIVE}.service", archive_unit())
    _put(tree, f"usr/lib/systemd/system/{ARCHIVE}-report.service", report_unit("/usr/bin/toolcart"))
    _put(tree, f"usr/lib/systemd/system/{ARCHIVE}-report.timer", REPORT_TIMER)
    _put(tree, "usr/lib/sysusers.d/toolcart.conf", SYSUSERS)
    for place, content in share_files.share_files(version(), zsh="vendor-completions").items():
        _put(tree, f"usr/{place}", content)
    moment = formatdate(int(wheel.environment()["SOURCE_DATE_EPOCH"]))
    changelog = CHANGELOG.format(version=version(), maintainer=maintainer(), moment=moment)
    _put(tree, f"{document}/changelog.gz", share_files.packed(changelog.encode()))
    _put(tree, f"{document}/NEWS.gz", share_files.packed((CHECKOUT / "CHANGELOG.md").read_bytes()))
    licence = (CHECKOUT / "LICENSE").read_text(encoding="utf-8").strip().splitlines()
    _put(tree, f"{document}/copyright", COPYRIGHT.format(licence="\n".join(f" {line or '.'}" for line in licence)))
    _put(tree, f"{document}/examples/config.example.json", EXAMPLE.read_text(encoding="utf-8"))
    _put(tree, f"{document}/examples/{FILE_NAME}", schema_text())
    site.build(tree / document / "html")
    _put(tree, "usr/share/lintian/overrides/toolcart", OVERRIDES)
    (tree / "etc/toolcart").mkdir(parents=True)
    _control(tree)


def _control(tree: Path) -> None:
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    kib = sum(-(-path.stat().st_size // 1024) for path in files)
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files]
    _put(tree, "DEBIAN/control", CONTROL.format(version=version(), kib=kib, maintainer=maintainer()))
    _put(tree, "DEBIAN/md5sums", "".join(sums))
    for name, script in (("postinst", POSTINST), ("prerm", PRERM), ("postrm", POSTRM)):
        _put(tree, f"DEBIAN/{name}", script, 0o755)
    for path in (tree, *tree.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)


def _put(tree: Path, name: str, content: str | bytes, mode: int = 0o644) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


if __name__ == "__main__":
    wheel.by_hand(__doc__, build)
