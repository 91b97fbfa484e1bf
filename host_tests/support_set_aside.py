"""A spool file whose quarantine has something in it."""

from board.linux_flash import FileFlash
from host_tests.test_quarantine_orders import Bench


def spool_with(folder, frame):
    """Make one in the folder: five results that were refused with code 17, and a frame that nobody could read."""
    path = folder / "cart.spool"
    flash = FileFlash(str(path), 16 * 4096)
    flash.left = -1
    station = Bench(flash=flash)
    station.set_aside(5)
    station.set_raw_aside(frame)
    flash.close()
    return path
