"""What PyInstaller asks of a package (its entry point `hook-dirs`): the folder with what it cannot see by itself."""

import os


def get_hook_dirs() -> list[str]:
    """Return the folders with hooks."""
    return [os.path.dirname(__file__)]
