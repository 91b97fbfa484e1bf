"""A spool file whose quarantine has something in it."""

from toolcart.board.linux.flash import FileFlash
from host_tests.support.quarantine import QuarantineBench


def spool_with(folder, frame):
    """Make one in the folder: five results that were refused with code 17, and an unreadable frame."""
    path = folder / "cart.spool"
    flash = FileFlash(str(path), 16 * 4096)
    bench = QuarantineBench(flash=flash, results=5)
    bench.keep(1, 2, 3, 4, 5)
    bench.keep(bench.store_frame(frame))
    flash.close()
    return path
