"""The catalogue's tables are imported by the names of their categories."""

from PyInstaller.utils.hooks import collect_submodules

hiddenimports = collect_submodules("toolcart.catalogue")
