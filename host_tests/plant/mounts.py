"""A mount namespace of its own for the installed command: file systems that a test makes full, read-only or broken.

    with PrivateMounts(site) as mounts:          # Skip where that is not allowed
        mounts.run("mount", "-t", "tmpfs", "none", site.home / "card")
        agent = site.start("run", ...)           # and site.run: they see these mounts, as their user

1. Nothing is mounted outside: a process that only sleeps holds the namespace, and all of it goes when that ends.
2. An image is attached to a loop device by `mount -o loop`, which lets go of it with the last mount.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess

import pytest

from host_tests.plant.as_installed import USER

TOOLS = ("unshare", "nsenter", "setpriv", "mount")
WAIT_S = 60
LIVES_S = "900"


class PrivateMounts:
    """The namespace; a context manager."""

    def __init__(self, site):
        missing = [name for name in TOOLS if shutil.which(name) is None]
        if os.geteuid() or missing:
            pytest.skip(f"only root mounts, with {', '.join(TOOLS)}")
        self._site = site

    def __enter__(self):
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"echo held; exec sleep {LIVES_S}"]
        self._holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self._holder.stdout.readline() != "held\n":
            self.__exit__()
            pytest.skip("no mount namespace can be made here")
        user = pwd.getpwnam(USER)
        become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self._site.inside = [*self._enter(), *become, "sh", "-c", 'cd "$HOME" && exec "$@"', "sh"]
        return self

    def __exit__(self, *_):
        self._site.end_all()
        self._site.inside = []
        self._holder.kill()
        self._holder.wait(WAIT_S)
        self._holder.stdout.close()

    def _enter(self):
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]

    def run(self, *words, check=True):
        """Run these words inside as root; their output."""
        done = subprocess.run(
            [*self._enter(), *map(str, words)], capture_output=True, text=True, timeout=WAIT_S, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def can(self, *words):
        """Run them; Skip if that is not possible here."""
        done = self.run(*words, check=False)
        if done.returncode:
            pytest.skip(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
