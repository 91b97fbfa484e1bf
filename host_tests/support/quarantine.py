"""A quarantine over a station's area on a simulated flash, and a main log whose results can be refused."""

from toolcart.agent.log.snapshot_fields import DROPPED
from toolcart.agent.quarantine.quarantine import ADMITTED, ADMITTED_BEFORE, FAILED, NO_ROOM, Quarantine
from toolcart.agent.record import KIND_RAW
from host_tests.support.log import STATE_BLOCKS, Area, append, put

PORTABLE = True


def room_of(quarantine, length):
    """How many more records with payloads of so many octets fit."""
    count = 0
    fits = quarantine.measure(length)
    while fits:
        count += 1
        fits = quarantine.fits(length)
    return count


def numbers_of(quarantine):
    """Return the main log's numbers of all entries, oldest entry first; None if they cannot be read now."""
    numbers = []
    kind = quarantine.next_entry(0)
    while kind > 0:
        numbers.append(quarantine.number)
        kind = quarantine.next_entry(quarantine.entry)
    return numbers if kind == 0 else None


class QuarantineBench:
    """One station's area with a quarantine that is up; `flash` is what survives."""

    def __init__(self, kept_blocks=4, blocks=None, unit_bytes=256, flash=None, results=0, **options):
        options["kept_blocks"] = kept_blocks
        self.area = Area(blocks or 12 + kept_blocks, unit_bytes=unit_bytes, flash=flash, **options)
        self.flash = self.area.flash
        self.start()
        for _ in range(results):
            self.store()

    def start(self):
        """Make everything new over the flash, as after a start; nothing is written."""
        self.state, self.log = self.area.mount()
        self.quarantine = Quarantine(self.area.kept, self.state, self.log)
        self.quarantine.start()

    def again(self):
        """Start, and settle what was kept last."""
        self.start()
        assert self.quarantine.settle()

    def numbers(self):
        return numbers_of(self.quarantine)

    def store(self):
        """Store one result; its number."""
        assert append(self.log, self.log.next) == 0
        return self.log.number

    def store_frame(self, octets=b"0061 that no one can read", flags=0):
        """Store a frame that could not be read; its number."""
        assert put(self.log, octets, KIND_RAW, flags) == 0
        return self.log.number

    def keep(self, *numbers, reason=17):
        """Keep these records of the main log; the last answer."""
        code = ADMITTED
        self.log.settle()  # whoever names one has found it
        for number in numbers:
            code = self.quarantine.admit(number, reason)
            assert code in (ADMITTED, ADMITTED_BEFORE, NO_ROOM, FAILED)
        return code

    def keep_frame(self, octets, flags=0):
        """Store and keep a frame that could not be read; its number."""
        number = self.store_frame(octets, flags)
        assert self.keep(number) == ADMITTED
        return number

    def spoil(self, number):
        """Damage the newest copy of the entry of this result on the flash."""
        begin, block = STATE_BLOCKS * self.flash.block_bytes, self.area.kept_blocks * self.flash.block_bytes
        at = bytes(self.flash.cells[begin : begin + block]).rfind(b"%010d" % number + b"0" * 14)
        assert at > 0
        self.flash.cells[begin + at] ^= 0x10

    def fill(self, first=1):
        """Keep results from number `first` on until there is no room; the numbers."""
        kept = []
        while True:
            number = first + len(kept)
            while self.log.number < number:
                self.store()
                self.log.cursors[0].number = self.log.number
            code = self.keep(number)
            if code == NO_ROOM:
                return kept
            assert code == ADMITTED
            kept.append(number)

    def drop(self, *numbers):
        """Take these out as an order does; True if all are gone."""
        left = list(numbers)
        for _ in range(1000):
            if not left:
                return True
            done = self.quarantine.remove(left, DROPPED)
            if done < 0 or (done == 0 and not self.quarantine.tidy()):
                return False
            left = left[done:]
        raise AssertionError("it never gets empty")


def spool_with(folder, frame):
    """Make a spool file in the folder: five results that were refused with code 17, and an unreadable frame."""
    from toolcart.board.linux.flash import FileFlash  # not on MicroPython

    path = folder / "cart.spool"
    flash = FileFlash(str(path), 16 * 4096)
    bench = QuarantineBench(flash=flash, results=5)
    bench.keep(1, 2, 3, 4, 5)
    bench.keep_frame(frame)
    flash.close()
    return path
