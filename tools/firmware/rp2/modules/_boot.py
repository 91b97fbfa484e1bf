"""Mounts the file system in front of the spool's ring; formats it only where there was none.

1. The stock _boot formats whatever it cannot mount, and takes the whole storage: that would eat the ring.
2. A power cut in the first formatting leaves blocks 0 and 1 in any state and all others erased: formatted again.
3. A file system that is damaged otherwise is left alone; the REPL stays reachable.
"""

import rp2
import vfs

from board.rp2_flash import FILES_BYTES


def mount(device):
    vfs.mount(vfs.VfsLfs2(device, progsize=256), "/")


def holds_nothing(device):
    page = bytearray(256)
    blank = b"\xff" * 256
    for at in range(8192, FILES_BYTES, 256):
        device.readblocks(at // 4096, page, at % 4096)
        if page != blank:
            return False
    return True


def start(device):
    try:
        mount(device)
    except OSError:
        if holds_nothing(device):
            vfs.VfsLfs2.mkfs(device, progsize=256)
            mount(device)
        else:
            print("the file system is damaged and was left as it is")


start(rp2.Flash(len=FILES_BYTES))
