"""Prints a MicroPython's version and the width of its pointers: what a fetched one must say of itself."""

import sys

print(".".join([str(part) for part in sys.implementation.version[:3]]), 32 if sys.maxsize < 2**31 else 64)
