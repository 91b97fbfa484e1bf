"""Prints an implementation's name, its version and the width of its pointers: what one must say of itself."""

import sys

version = ".".join([str(part) for part in sys.implementation.version[:3]])
print(sys.implementation.name, version, 32 if sys.maxsize < 2**31 else 64)
