"""Freezes agent/ and board/ into a firmware: `FROZEN_MANIFEST=.../toolcart/board/manifest.py` of MicroPython's build.

Including the port's manifest first keeps the chip's own modules; `platform` says which board files go in. A test checks
that this freezes exactly what `toolcart flash` would copy.
"""

# ruff: noqa: F821 - the manifest's own words
# pyright: reportUndefinedVariable=false

CPYTHON_ONLY = True

options.defaults(platform="rp2")

OTHERS = {"rp2": ("esp32", "unix", "linux", "qemu", "boot"), "esp32": ("rp2", "unix", "linux", "qemu", "boot")}
NOT_FROZEN = ("manifest.py", "config.py", "settings.py")  # a chip's configuration is completed where it is flashed


def is_wanted(name):
    """True if a file of toolcart/board/ is for this platform."""
    first = name.replace(".", "_").split("_")[0]
    return name.endswith(".py") and name not in NOT_FROZEN and first not in OTHERS[options.platform]


def board_files():
    """Return the files of toolcart/board/ for this platform; a manifest is run in its own folder."""
    import os

    return tuple(sorted(name for name in os.listdir(".") if is_wanted(name)))


def agent_files():
    """Return the files of toolcart/agent/ that a board may have."""
    import os

    found = []
    for folder, _, names in os.walk("../agent"):
        for name in names:
            path = os.path.join(folder, name)
            if "catalogue" in folder:  # a library beside the agent
                continue
            if name in NOT_FROZEN:
                continue
            if name.endswith(".py") and "\nCPYTHON_ONLY = True" not in open(path, encoding="utf-8").read():
                found.append(os.path.relpath(path, "../agent"))
    return tuple(sorted(found))


include("$(PORT_DIR)/boards/manifest.py")
package("toolcart/agent", files=agent_files(), base_path="../..")
package("toolcart/board", files=board_files(), base_path="../..")
