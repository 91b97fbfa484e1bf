"""What a build makes beside what is in git: functions and types of every message (`lab.packaging.message_types`).

setuptools calls it (pyproject.toml) for a wheel, a source archive and for an editable installation.

Rules
1. `toolcart/agent`, `board`, `archive` and `tools` are links to the rooms at the top. Where git has made files of them,
   as on Windows by default, a build says what to do; it makes no wheel that lacks them.
2. setuptools follows links and lists a folder once, under one of its names. So a source archive gets its rooms here,
   each as the folder at the top with its link.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).parents[2]
sys.path.insert(0, str(HERE))  # setuptools loads only this file

ROOMS = ("agent", "board", "archive", "tools")


class Build(build_py):
    """`build_py`, with what is made first."""

    def run(self) -> None:
        """Make `toolcart/messages.py` and the like, then build as usual."""
        for room in ROOMS:
            if not (HERE / "toolcart" / room).is_dir():
                sys.exit(f"toolcart/{room} is no link to {room}/: git config core.symlinks true, then check out again.")
        from lab.packaging import message_types  # it needs the rooms

        message_types.write(message_types.FOLDER)
        super().run()


class SourceArchive(sdist):
    """`sdist`, with the links between the rooms (rule 2)."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Lay out what is packed: each room as a folder, and a link to it in toolcart/."""
        links = [room for room in ROOMS if (HERE / "toolcart" / room).is_symlink()]
        inside = tuple(f"toolcart/{room}/" for room in links)
        super().make_release_tree(base_dir, [file for file in files if not os.path.normpath(file).startswith(inside)])
        for room in links:
            ignored = shutil.ignore_patterns("__pycache__", "*.py[co]", "*.mpy", "*.spool", "*.sqlite")
            shutil.copytree(HERE / room, Path(base_dir, room), ignore=ignored, dirs_exist_ok=True)
            os.symlink(f"../{room}", Path(base_dir, "toolcart", room))
