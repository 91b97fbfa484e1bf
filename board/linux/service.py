"""The systemd service that this process is of: its unit, its folders, and what it may not use (systemd.exec(5)).

Rules
1. What the unit keeps from its processes is seen in their mounts and tried; its settings are not interpreted.
2. What no trial shows is what is lost: systemd deletes what is in a private /tmp or in a RuntimeDirectory.
3. A check that was started in the confinement of a service (toolcart.tools.config.service_check) speaks of that one.
"""

import os

from toolcart.board.linux import mounts

CPYTHON_ONLY = True

GROUP = "/proc/self/cgroup"
CHECKED = "TOOLCART_CHECKED_SERVICE"  # the name of the service in whose confinement this process checks

# In what mountinfo has of a mount: the empty folder that systemd mounts over what it hides, and a private /tmp.
_HIDING = "/inaccessible/dir"
_PRIVATE = "/systemd-private-"


def group():
    """Return the control group of this process, "" if that cannot be told."""
    try:
        with open(GROUP, encoding="ascii", errors="replace") as groups:
            return groups.read().strip()
    except OSError:
        return ""


def unit():
    """Return the unit that this process is of, without `.service`; "" if it is none. A shell of one may be, too."""
    if os.environ.get(CHECKED):
        return os.environ[CHECKED]
    name = group().rpartition("/")[2]
    return name.removesuffix(".service") if name.endswith(".service") else ""


def state_folders():
    """Return the folders that the unit lets this process write by StateDirectory=; none where it is of no service."""
    return _folders("STATE_DIRECTORY")


def _folders(variable):
    return [folder for folder in os.environ.get(variable, "").split(":") if folder]


def kept_from(path):
    """Say what of its unit keeps this service from using a path, or from keeping what is there; "" if nothing does."""
    name, states = unit(), state_folders()
    if not name or not states:
        return ""
    real = os.path.realpath(path)
    mount = mounts.of(real)
    if mount is not None and mount.root.endswith(_HIDING):
        return "the service %s cannot see %s, by its unit (ProtectHome= or InaccessiblePaths=)" % (name, mount.point)
    if mount is not None and _PRIVATE in mount.root:
        words = "the service %s has a %s of its own, which is deleted whenever it ends (PrivateTmp=)"
        return words % (name, mount.point)
    for folder in _folders("RUNTIME_DIRECTORY"):
        if is_below(real, folder):
            words = "%s is of the service %s alone, and is deleted when it ends or the machine restarts"
            return (words + " (RuntimeDirectory=)") % (folder, name)
    return ""


def instead():
    """Return what does in place of a path that the service is kept from."""
    return "a file below %s" % state_folders()[0]


def folder_of(path):
    """Return the folder in which a file of this path lies, or is made, wherever links lead."""
    return os.path.dirname(os.path.realpath(path)) if path[-1:] != "/" else os.path.realpath(path)


def is_below(path, folder):
    """True if this real path is the folder, which may be a link, or in it."""
    real = os.path.realpath(folder)
    return path == real or path.startswith(real.rstrip("/") + "/")


def allowing(folder, name):
    """Return what in the unit `name` lets its process write in this folder, and the commands that put it there."""
    named = folder.replace("%", "%%")
    setting = 'ReadWritePaths="%s"' % named if " " in named else "ReadWritePaths=%s" % named
    sudo = "sudo " if os.getuid() else ""
    edit = "`%ssystemctl edit %s`, then `%ssystemctl restart %s`" % (sudo, name, sudo, name)
    return "%s under [Service] with %s" % (setting, edit)
