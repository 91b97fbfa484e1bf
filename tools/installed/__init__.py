"""Toolcart as it is installed: the one name in site-packages, with `agent`, `board` and `tools` below it.

Start it with the command `toolcart` or with `python -m toolcart`; there is nothing else to import here.
"""
