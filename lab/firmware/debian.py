"""Fetches the unix port of MicroPython and its C library from Debian; the system stays as it is.

Rules:
1. apt gets its own configuration, lists and status file; the system's mirror and keyring are only read.
2. The packages are unpacked, never installed. The program is started through the loader that came with it, so
   a 32-bit one needs no 32-bit libraries on the machine.
3. trixie is stable: its MicroPython does not change. Another version on the mirror is refused.
"""

import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Unavailable, output_of

UPDATE_TRIES, UPDATE_PAUSE_S = 2, 5.0  # a mirror may fail for a moment
RELEASE = "trixie"
PACKAGES = ("micropython", "libc6", "libffi8", "libgcc-s1", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
APT_TIMEOUT_S = 180

# Debian's name of an architecture: where its packages have the libraries, and the loader there.
LOADERS = {
    "i386": ("usr/lib/i386-linux-gnu", "ld-linux.so.2"),
    "amd64": ("usr/lib/x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "armhf": ("usr/lib/arm-linux-gnueabihf", "ld-linux-armhf.so.3"),
    "arm64": ("usr/lib/aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


@dataclass(frozen=True)
class Mirror:
    """Where the system gets Debian from, and what vouches for it ("" for the system's own keyring)."""

    uri: str
    signed_by: str


def system_mirrors() -> list[Mirror]:
    """Return every mirror of Debian's main part in the system's own apt set-up, Debian's first, each once."""
    columns = "--format=$(COMPONENT)|$(RELEASE)|$(SITE)|$(SOURCESENTRY)"
    rows = output_of(["apt-get", "indextargets", "--no-release-info", columns, "Created-By: Packages"], APT_TIMEOUT_S)
    mirrors = []
    for component, release, uri, entry in [row.split("|") for row in rows.splitlines()]:
        if component == "main" and not release.endswith(("-security", "/updates")):
            text = Path(entry.rpartition(":")[0]).read_text(errors="replace")
            signed_by = re.search(r"^[^#]*\bsigned-by\s*[:=]\s*(/[^\s,\]]+)", text, re.IGNORECASE | re.MULTILINE)
            mirrors.append(Mirror(uri, signed_by[1] if signed_by else ""))
    # A vendor's archive (of a board, of node) may come first; those that call themselves debian are tried first.
    mirrors.sort(key=lambda mirror: not mirror.uri.rstrip("/").endswith("/debian"))
    return list(dict.fromkeys(mirrors))


def private_apt(
    folder: Path, mirror: Mirror, architecture: str, with_sources: bool = False, release: str = RELEASE
) -> dict[str, str]:
    """Write an apt set-up that lives in `folder` alone; return the environment that makes apt use it."""
    for place in ("lists/partial", "cache/archives/partial", "parts"):
        (folder / place).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    options = f"arch={architecture}" + (f" signed-by={mirror.signed_by}" if mirror.signed_by else "")
    kinds = ("deb", "deb-src") if with_sources else ("deb",)
    (folder / "sources.list").write_text("".join(f"{kind} [{options}] {mirror.uri} {release} main\n" for kind in kinds))
    (folder / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{folder}/sources.list";\n'
        f'Dir::Etc::sourceparts "{folder}/parts";\n'
        f'Dir::Etc::preferences "{folder}/preferences";\n'
        f'Dir::Etc::preferencesparts "{folder}/parts";\n'
        f'Dir::State::lists "{folder}/lists";\n'
        f'Dir::State::status "{folder}/status";\n'
        f'Dir::Cache "{folder}/cache";\n'
        f'APT::Architectures {{ "{architecture}"; }};\n'
        'Acquire::Languages "none";\n'
        'Acquire::Retries "2";\n'
        # Otherwise a mirror that does not answer is only a warning.
        'APT::Update::Error-Mode "any";\n'
        # To unpack as another user would need a folder that user may write to.
        'APT::Sandbox::User "root";\n'
    )
    return {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C"}


def _fetch_from(mirror: Mirror, architecture: str, version: str, folder: Path) -> None:
    own = folder / "apt"
    env = private_apt(own, mirror, architecture)
    update(APT_TIMEOUT_S, env)
    offered = output_of(["apt-cache", "madison", f"micropython:{architecture}"], APT_TIMEOUT_S, env)
    if f"| {version}" not in offered:
        raise Unavailable(f"the mirror has no micropython {version} for {architecture} in {RELEASE}")
    output_of(["apt-get", "download", "-qq", *(f"{p}:{architecture}" for p in PACKAGES)], APT_TIMEOUT_S, env, own)
    for deb in sorted(own.glob("*.deb")):
        output_of(["dpkg-deb", "-x", str(deb), str(folder)], APT_TIMEOUT_S)
    shutil.rmtree(own)


def fetch(architecture: str, version: str, folder: Path) -> None:
    """Fill `folder` with MicroPython `version` for `architecture`; Unavailable says why it cannot."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise Unavailable(f"{program} is not installed (the MicroPython comes from Debian's packages)")
    from_mirrors(folder, lambda mirror, attempt: _fetch_from(mirror, architecture, version, attempt))


def from_mirrors(folder: Path, fetch_from: Callable[[Mirror, Path], None]) -> None:
    """Fill `folder` from the first of the system's mirrors that has it; Unavailable with the first one's error."""
    reasons = []
    for mirror in system_mirrors():
        attempt = folder / "attempt"
        attempt.mkdir()
        try:
            fetch_from(mirror, attempt)
        except Unavailable as reason:
            reasons.append(str(reason))
            shutil.rmtree(attempt)
            continue
        for thing in attempt.iterdir():
            thing.rename(folder / thing.name)
        attempt.rmdir()
        return
    raise Unavailable(reasons[0] if reasons else "apt has no mirror of Debian here")


def program(folder: Path, architecture: str) -> list[str]:
    """Return the start of a command line: the loader, its libraries, MicroPython."""
    libraries, loader = LOADERS[architecture]
    libraries_path = str(folder / libraries)
    return [f"{libraries_path}/{loader}", "--library-path", libraries_path, str(folder / "usr/bin/micropython")]


def update(timeout_s: int, env: dict[str, str]) -> None:
    """Fetch the package lists that `env` names. Unavailable if both tries failed, with apt's message."""
    for left in reversed(range(UPDATE_TRIES)):
        try:
            output_of(["apt-get", "update", "-qq"], timeout_s, env)
            return
        except Unavailable:
            if not left:
                raise
        time.sleep(UPDATE_PAUSE_S)
