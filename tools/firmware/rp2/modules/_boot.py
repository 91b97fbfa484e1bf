"""Mounts the file system in front of the spool's ring; formats it only where the flash is erased.

The stock _boot formats whatever it cannot mount and takes the whole storage: that would eat the ring. Here a file
system that is damaged is left alone, the REPL stays reachable, and the agent reports it.
"""

import rp2
import vfs

from board.rp2_flash import FILES_BYTES

device = rp2.Flash(len=FILES_BYTES)
try:
    vfs.mount(vfs.VfsLfs2(device, progsize=256), "/")
except OSError:
    first = bytearray(256)
    device.readblocks(0, first, 0)
    if first == b"\xff" * 256:
        vfs.VfsLfs2.mkfs(device, progsize=256)
        vfs.mount(vfs.VfsLfs2(device, progsize=256), "/")
    else:
        print("the file system is damaged and was left as it is")

del device
