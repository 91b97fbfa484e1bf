"""What a build of the package makes beside what is in git: the types of every message (`lab.packaging.message_types`).

setuptools calls it (pyproject.toml) for a wheel and for an editable installation.
"""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parents[2]))  # setuptools loads only this file

from lab.packaging import message_types


class Build(build_py):
    """`build_py`, with the types made first."""

    def run(self) -> None:
        """Make the types beside the other stubs, then build as usual."""
        message_types.write(message_types.FOLDER)
        super().run()
