"""Mounts the file system in front of the spool's ring; formats only a flash that holds nothing.

1. The stock _boot formats whatever it cannot mount, and takes the whole storage: that would destroy the ring.
2. An existing file system is mounted in the size it says it has, whatever size this firmware would make: a board's
   spool begins behind it (toolcart.board.rp2.flash.ring), and a new firmware must not look for it somewhere else.
3. A power cut in the first formatting leaves blocks 0 and 1 in any state and all others erased: formatted again.
4. A file system damaged in another way is left alone; the REPL stays reachable.

    block 0 or 1    revision 4 | tag 4 | "littlefs" 8 | tag 4 | version 4 | block size 4 | block count 4 | ...
"""

import rp2
import vfs

from toolcart.board import FILES_BYTES

BLOCK = 4096  # BLOCK_BYTES of toolcart.board.rp2.flash, which a boot does not import: it needs nothing else of it
SUPERBLOCKS = 2 * BLOCK


def mount(device):
    vfs.mount(vfs.VfsLfs2(device, progsize=256), "/")


def file_system_bytes(whole):
    """Return the size that the file system says it has; 0 if there is no plausible one."""
    page = bytearray(32)
    for block in (0, 1):
        whole.readblocks(block, page, 0)
        count = int.from_bytes(page[28:], "little")
        if page[8:16] == b"littlefs" and int.from_bytes(page[24:28], "little") == BLOCK:
            if 2 <= count <= whole.ioctl(4, 0):
                return count * BLOCK
    return 0


def holds_nothing(device, size):
    page = bytearray(256)
    blank = b"\xff" * 256
    for at in range(SUPERBLOCKS, size, 256):
        device.readblocks(at // BLOCK, page, at % BLOCK)
        if page != blank:
            return False
    return True


def start():
    whole = rp2.Flash()
    size = file_system_bytes(whole) or FILES_BYTES
    try:
        mount(rp2.Flash(len=size))
    except OSError:
        if holds_nothing(whole, max(size, FILES_BYTES)):
            size = FILES_BYTES
            vfs.VfsLfs2.mkfs(rp2.Flash(len=size), progsize=256)
            mount(rp2.Flash(len=size))
        else:
            print("the file system is damaged and was left as it is")
            return
    if size != FILES_BYTES:
        print("the file system has %d KiB as an earlier firmware made it and was left so" % (size // 1024))


start()
