"""The systemd service that this process is of: its unit and its state folders (systemd.exec(5))."""

import os

CPYTHON_ONLY = True

GROUP = "/proc/self/cgroup"


def group():
    """Return the control group of this process, "" if that cannot be told."""
    try:
        with open(GROUP, encoding="ascii", errors="replace") as groups:
            return groups.read().strip()
    except OSError:
        return ""


def unit():
    """Return the unit that this process is of, without `.service`; "" if it is none. A shell of one may be, too."""
    name = group().rpartition("/")[2]
    return name.removesuffix(".service") if name.endswith(".service") else ""


def state_folders():
    """Return the folders that the unit lets this process write by StateDirectory=; none where it is of no service."""
    return [folder for folder in os.environ.get("STATE_DIRECTORY", "").split(":") if folder]


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
