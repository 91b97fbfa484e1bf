"""The first page of a spool's file: whose spool it is and how it is divided; the blocks follow it.

    octet 0         8        10     12           16           20      22      24       26      28        44
    | "toolcart"   | version | unit | block      | block      | system| system| station| zeros | identity| CRC-30
    | 8            | u16     | u16  | bytes u32  | count u32  | type  | u16   | u16    | u16   | 16      | u32

Rules
1. The page has 4096 bytes, so that every block behind it is a page of the cache and a sector of the disk. It holds the
   header twice, at byte 0 and at COPY_AT: two sectors of an old disk. One sound copy is enough.
2. It is written before the file gets its name, and never again. `block count` is the one at that time: the file may
   have grown since.
3. The identity is random, drawn when the file is made. Numbers of system and station that were not given are 0.
4. Little endian; the CRC covers the bytes in front of it. A later version keeps magic, version and CRC in place.
"""

from struct import pack_into, unpack_from

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30

PAGE_BYTES = const(4096)
BLOCK_BYTES = const(4096)  # a page of the cache and a sector of the disk: the least block; others are a multiple of it
COPY_AT = const(2048)
IDENTITY_BYTES = const(16)
VERSION = const(2)
MAGIC = b"toolcart"
UNITS = (16, 64, 256, 512)  # the program units that can be chosen; each divides a block
NO_OWNER = (0, 0, 0)

_FORM = "<8sHHIIHHHH16sI"
_CRC_AT = const(44)


class Header:
    """The contents of a page; 1 or 2 `copies` of it are sound."""

    __slots__ = ("block_bytes", "block_count", "copies", "identity", "owner", "unit_bytes", "version")

    def __init__(self, unit_bytes, block_bytes, block_count, owner, identity):
        self.version = VERSION
        self.unit_bytes = unit_bytes
        self.block_bytes = block_bytes
        self.block_count = block_count
        self.owner = owner  # type of the system, number of the system, number of the station
        self.identity = identity
        self.copies = 2

    def page(self):
        """Return the bytes of the page."""
        page = bytearray(PAGE_BYTES)
        kind, system, station = self.owner
        for at in (0, COPY_AT):
            sizes = (self.unit_bytes, self.block_bytes, self.block_count)
            pack_into(_FORM, page, at, MAGIC, VERSION, *sizes, kind, system, station, 0, self.identity, 0)
            pack_into("<I", page, at + _CRC_AT, crc30(page, at, at + _CRC_AT))
        return page


def read(page):
    """Return the Header of a page; None if neither copy is sound."""
    sound = [at for at in (0, COPY_AT) if _is_sound(page, at)]
    if not sound:
        return None
    _, version, unit, block_bytes, count, kind, system, station, _, identity, _ = unpack_from(_FORM, page, sound[0])
    header = Header(unit, block_bytes, count, (kind, system, station), identity)
    header.version = version
    header.copies = len(sound)
    return header


def named(owner):
    """Return whose a spool is, for people."""
    return "station %d of system %d (type %d)" % (owner[2], owner[1], owner[0])


def refusal(page, status, owner, rescue):
    """Say why no agent takes a file with this os.stat that begins with this page as the owner's spool, and what to do.

    "" if it takes it. `rescue` is the command that reads what is left in it.
    """
    header = read(page)
    if header is None:
        if status.st_size == 0:
            return "is an empty file", "delete it, or name another path"
        if is_ours(page) and status.st_size <= PAGE_BYTES:
            return "was cut short within its header", "none of its results is left in it: move it away"
        if is_ours(page):
            return "has a damaged header", "`%s` reads its results, then move it away" % rescue
        # The first block of a spool may have been lost, and its results are still there.
        return "does not begin as a spool", "`%s` reads its results if it was one; else name another path" % rescue
    if why := unknown(header):
        return why, "use that version"
    if owner != NO_OWNER and header.owner not in (NO_OWNER, owner):
        why = "belongs to %s, not to %s" % (named(header.owner), named(owner))
        return why, "set the numbers back, or name another path in spool.path"
    if why := cut_short(header, status.st_size):
        left = "`%s` reads what is left" % rescue
        return why, left if status.st_size > PAGE_BYTES else "none of its results is left in it: move it away"
    if status.st_nlink != 1:
        return "has %d names (hard links)" % status.st_nlink, "remove the others, or name another path"
    return "", ""


def unknown(header):
    """Say why this version of toolcart cannot use a file with this header; "" if it can."""
    if header.version != VERSION:
        versions = (header.version, VERSION)
        return "was made by another version of toolcart (header %d, this one knows %d)" % versions
    if header.block_bytes % BLOCK_BYTES or not header.block_bytes or header.unit_bytes not in UNITS:
        sizes = (header.block_bytes, header.unit_bytes)
        return "was made by another version of toolcart (blocks of %d bytes in units of %d)" % sizes
    return ""


def cut_short(header, size):
    """Say that a file of this size lacks some of the blocks that it was made with; "" if it has all."""
    made = PAGE_BYTES + header.block_count * header.block_bytes
    return "was cut short: it has %d bytes, and was made with %d" % (size, made) if size < made else ""


def is_ours(page):
    """True if the page is meant to be a header, sound or not: one of its copies begins like one."""
    return bytes(page[: len(MAGIC)]) == MAGIC or bytes(page[COPY_AT : COPY_AT + len(MAGIC)]) == MAGIC


def blocks_of(octets):
    """Return the blocks of an image: what is behind the header, or all of it if it has none (a chip's flash)."""
    return octets[PAGE_BYTES:] if is_ours(octets) else octets


def _is_sound(page, at):
    if len(page) < at + _CRC_AT + 4 or bytes(page[at : at + len(MAGIC)]) != MAGIC:
        return False
    return unpack_from("<I", page, at + _CRC_AT)[0] == crc30(page, at, at + _CRC_AT)
