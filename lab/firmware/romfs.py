"""Packs a folder into a ROMFS image, MicroPython's read-only file system whose bytecode runs in place.

    image    = kind 0x14a6b1, length, records; its size is even
    record   = kind, length, payload          kind and length are numbers of 7 bits a byte, the high one first
    kinds      1 padding, 2 contents, 4 folder (name length, name, records), 5 file (name length, name, contents)

The contents of every file start at an even address, since native code is fetched in halfwords.
"""

from pathlib import Path

PADDING = 1
CONTENTS = 2
FOLDER = 4
FILE = 5
IMAGE = 0x14A6B1


def number(value: int, octets: int = 0) -> bytes:
    """Return the value as the format writes numbers; padded with leading 0x80s to `octets` if it is shorter."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(0x80 | (value & 0x7F))
    parts += [0x80] * (octets - len(parts))
    return bytes(reversed(parts))


def record(kind: int, payload: bytes) -> bytes:
    # A fixed width of the length keeps what is even in the payload even in the image.
    return number(kind) + number(len(payload), 3) + payload


def even(octets: bytes) -> bytes:
    # A padding record without content: one byte of kind and one or two of length.
    return octets if len(octets) % 2 == 0 else octets + number(PADDING) + number(0, 2)


def _named(name: str) -> bytes:
    text = name.encode()
    head = number(len(text)) + text
    return head if len(head) % 2 == 0 else number(len(text), 2) + text


def file_record(name: str, contents: bytes) -> bytes:
    return even(record(FILE, _named(name) + even(record(CONTENTS, contents))))


def folder_records(folder: Path) -> bytes:
    """Return the records of everything in the folder, in the order of names."""
    records = b""
    for thing in sorted(folder.iterdir()):
        if thing.is_dir():
            records += even(record(FOLDER, _named(thing.name) + folder_records(thing)))
        else:
            records += file_record(thing.name, thing.read_bytes())
    return records


def image(folder: Path) -> bytes:
    """Return the image of the folder."""
    records = folder_records(folder)
    return number(IMAGE) + number(len(records), 5) + records
