"""Runs the job the PC gave this machine: its command line names the script, the memory behind RAM holds the modules.

1. Command line: `heap=BYTES script=PATH ARGUMENTS...`; without a script the REPL follows.
2. The modules are a ROMFS at 0x21000000, put there by the PC before the start; bytecode runs in place.
3. The job's exit code is this machine's: 0, the argument of sys.exit, or 1 after a traceback.
"""

import sys

import mps2
import uctypes
import vfs

TREE_ADDRESS = 0x21000000
TREE_BYTES = 0x01000000  # the most; a ROMFS contains its own size


def mount_tree():
    """Put the modules on the path, if the PC gave any."""
    first = uctypes.bytearray_at(TREE_ADDRESS, 3)
    if bytes(first) == b"\xd2\xcd1":
        vfs.mount(vfs.VfsRom(uctypes.bytearray_at(TREE_ADDRESS, TREE_BYTES)), "/rom")
        sys.path[:] = ["/rom", ".frozen"]


def run(words):
    """Run the script with the words after it as its arguments; return the exit code."""
    path = words[0][len("script=") :]
    sys.argv[:] = [path] + words[1:]
    try:
        exec(compile(mps2.read_file(path), path, "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        code = end.args[0] if end.args else 0
        return code if isinstance(code, int) else 0 if code is None else 1
    except BaseException as fault:
        sys.print_exception(fault)
        return 1
    return 0


mount_tree()
_words = [word for word in mps2.command_line().split(" ") if word]
while _words and not _words[0].startswith("script="):
    _words.pop(0)
if _words:
    mps2.exit(run(_words))
