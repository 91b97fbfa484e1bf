"""The programs the images are built and run with: Debian's packages, installed if missing and allowed.

Rules
1. Only missing packages are installed, by apt-get with the system's own set-up, and only as root.
2. Otherwise Unavailable names the packages: whoever wants these tests can install them.
"""

import os
import shutil
import subprocess
from pathlib import Path

from lab.cache import CACHE, Unavailable, locked, output_of
from lab.firmware import debian

INSTALL_TIMEOUT_S = 240  # 100 MB of compiler and QEMU; 17 s on the machine where it was measured

# A program (or a file of the ARM library), and Debian's package for it.
QEMU_SYSTEM = ("qemu-system-arm", "qemu-system-arm")
ARM_COMPILER = ("arm-none-eabi-gcc", "gcc-arm-none-eabi")
ARM_LIBRARY = ("nosys.specs", "libnewlib-arm-none-eabi")
HOST_COMPILER = ("gcc", "gcc")
MAKE = ("make", "make")
CMAKE = ("cmake", "cmake")


def _is_there(program: str) -> bool:
    if not program.endswith(".specs"):
        return shutil.which(program) is not None
    if shutil.which("arm-none-eabi-gcc") is None:
        return False
    command = ["arm-none-eabi-gcc", f"-print-file-name={program}"]
    path = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    return Path(path).is_absolute()


def missing(*wanted: tuple[str, str]) -> list[str]:
    """Return the packages of those programs that are missing."""
    return [package for program, package in wanted if not _is_there(program)]


def have(*wanted: tuple[str, str], install: bool = True) -> None:
    """Make sure that these programs are there; Unavailable says what is missing and why it could not be fetched."""
    packages = missing(*wanted)
    if not packages:
        return
    problem = f"missing: {' '.join(packages)} (sudo apt-get install {' '.join(packages)})"
    if not install or os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unavailable(problem)
    with locked("apt", CACHE):
        packages = missing(*wanted)
        if not packages:
            return
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        try:
            debian.update(INSTALL_TIMEOUT_S, env)
            options = ["-o", "DPkg::Lock::Timeout=120", "-y", "-qq", "--no-install-recommends"]
            output_of(["apt-get", "install", *options, *packages], INSTALL_TIMEOUT_S, env)
        except Unavailable as reason:
            raise Unavailable(f"{problem}: {reason}") from None
    still = missing(*wanted)
    if still:
        raise Unavailable(f"installed, but still missing: {' '.join(still)}")
