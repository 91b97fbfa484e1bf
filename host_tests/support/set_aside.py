"""A spool file whose quarantine has something in it."""

from board.linux_flash import FileFlash
from host_tests.support.kept import Shelf


def spool_with(folder, frame):
    """Make one in the folder: five results that were refused with code 17, and a frame that nobody could read."""
    path = folder / "cart.spool"
    flash = FileFlash(str(path), 16 * 4096)
    shelf = Shelf(flash=flash, results=5)
    shelf.keep(1, 2, 3, 4, 5)
    shelf.keep(shelf.store_frame(frame))
    flash.close()
    return path
