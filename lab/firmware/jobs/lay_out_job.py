"""Runs on the RP2040 image: copies what is in /rom/files to the file system, as `toolcart flash` leaves it there."""

import os
import sys

IS_FOLDER = 0x4000
PIECE = bytearray(512)


def copy(source, target):
    """Copy everything below `source` to `target`."""
    for name, kind, *_ in os.ilistdir(source):
        if kind == IS_FOLDER:
            try:
                os.mkdir(target + "/" + name)
            except OSError:
                pass  # it exists
            copy(source + "/" + name, target + "/" + name)
            continue
        with open(source + "/" + name, "rb") as old, open(target + "/" + name, "wb") as new:
            while n := old.readinto(PIECE):
                new.write(PIECE, n)


copy("/rom/files", "")
print("laid out", len(os.listdir("/")))
sys.exit(0)
