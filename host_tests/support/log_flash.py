"""A flash that forks: at each program and erase it can show every image that a power cut there may leave behind.

Rules
1. An image is a tuple of blocks, of what each unit is (erased, programmed, torn), and of what is torn: immutable, so
   that a fork costs nothing. `Area` is an image in use; its parts are devices (toolcart/agent/log/flash.py's contract).
2. A unit is programmed once, only while erased by an erase that was not cut. What looks blank is no erased unit.
3. A torn operation has a look. The looks at the first start after the cut stand in FIRST, what may have become of one
   at any later start in LATER: what reads well fades to blank or bad, what looks blank may read bad, never the other
   way round. With `flickers` every look may follow every other one, with `restless` at each read.
4. A refused operation may have been torn as well. A worn block answers FLASH_WORN and holds anything then.
"""

from toolcart.agent.base.ticks import TICKS_PERIOD
from toolcart.base.clock import Dice

PORTABLE = True

FLASH_DONE = 0
FLASH_WORN = -1
FLASH_IO = -2

ERASED, PROGRAMMED, TORN = b"\x00", b"\x01", b"\x02"

# Looks. Of an erase NEW is blank; HALF of it is done in front, REST is done behind. UNITS: some units new, some not.
# UNTOUCHED: a refused operation that did not begin.
OLD, NEW, BAD, HALF, REST, BLANK, UNITS, UNTOUCHED = range(8)
LOOK_NAMES = ("old", "new", "bad", "half", "rest", "blank", "units", "untouched")
FIRST_PROGRAM = (BLANK, BAD, NEW, HALF)
FIRST_ERASE = (OLD, NEW, BAD, HALF, REST)
LATER_PROGRAM = {BLANK: (BLANK, BAD), BAD: (BAD,), NEW: (NEW, BAD, BLANK), HALF: (HALF, BAD), UNITS: (UNITS, BAD)}
LATER_ERASE = {OLD: (OLD, NEW, BAD), NEW: (NEW, BAD), BAD: (BAD,), HALF: (HALF, NEW, BAD), REST: (REST, NEW, BAD)}

PROGRAM, ERASE = 0, 1


class PowerCut(Exception):
    """The supply is gone."""


class Misuse(AssertionError):
    """The device was used against its contract."""


def shown(look, old, new, seed=0):
    """Return what octets that were `old` and should have become `new` look like."""
    n = len(new)
    if look == OLD:
        return old
    if look == NEW:
        return new
    if look == BAD:  # bits that should have gone down and have not, and some that have
        return bytes([(a | 0x11) & 0xFE if a != 0xFF else 0x7E for a in (old if new[:1] == b"\xff" else new)])
    if look == HALF:
        return new[: n // 2] + old[n // 2 :]
    if look == REST:
        return old[: n // 2] + new[n // 2 :]
    if look == UNITS:
        dice = Dice(seed)
        cut = dice.randrange(n + 1)
        kept = [new[i] if i < cut else old[i] for i in range(n)]
        for _ in range(dice.randrange(3)):
            kept[dice.randrange(n)] ^= 1 << dice.randrange(8)
        return bytes(kept)
    return b"\xff" * n


class Torn:
    """What a cut operation touched: n octets of a block from `at` on."""

    __slots__ = ("at", "block", "look", "new", "old", "operation", "seed")

    def __init__(self, operation, block, at, old, new, look, seed=0):
        self.operation = operation
        self.block = block
        self.at = at
        self.old = old
        self.new = new
        self.look = look
        self.seed = seed

    def become(self, look):
        return Torn(self.operation, self.block, self.at, self.old, self.new, look, self.seed)

    def key(self):
        return (self.operation, self.block, self.at, self.old, self.new, self.look)


class Image:
    """What lies on the flash while there is no power."""

    __slots__ = ("blocks", "torn", "units")

    def __init__(self, blocks, units, torn=()):
        self.blocks = blocks
        self.units = units
        self.torn = torn

    def key(self):
        return (self.blocks, self.units, tuple([t.key() for t in self.torn]))

    def tear(self, torn, unit_bytes):
        """Return the image with one more torn operation in it."""
        block, n = torn.block, len(torn.new)
        cells = self.blocks[block]
        cells = cells[: torn.at] + shown(torn.look, torn.old, torn.new, torn.seed) + cells[torn.at + n :]
        units = self.units[block]
        first, last = torn.at // unit_bytes, (torn.at + n) // unit_bytes
        units = units[:first] + TORN * (last - first) + units[last:]
        rest = tuple([t for t in self.torn if t.block != block or (torn.operation == PROGRAM and t.at != torn.at)])
        return Image(_with(self.blocks, block, cells), _with(self.units, block, units), rest + (torn,))

    def later(self, flickers=False):
        """Return what this image may be at the next start: a list, this image itself first."""
        images = [self]
        for index, torn in enumerate(self.torn):
            if flickers:
                looks = FIRST_PROGRAM if torn.operation == PROGRAM else FIRST_ERASE
            else:
                looks = (LATER_PROGRAM if torn.operation == PROGRAM else LATER_ERASE)[torn.look]
            images += [image.looking(index, look) for image in images for look in looks if look != torn.look]
        return images

    def looking(self, index, look):
        """Return the image with one torn operation looking otherwise."""
        torn = self.torn[index].become(look)
        cells = self.blocks[torn.block]
        new = shown(look, torn.old, torn.new, torn.seed)
        cells = cells[: torn.at] + new + cells[torn.at + len(new) :]
        return Image(_with(self.blocks, torn.block, cells), self.units, _with(self.torn, index, torn))


def _with(row, index, value):
    return row[:index] + (value,) + row[index + 1 :]


class Area:
    """The whole flash of a station: parts with blocks of their own sizes, in one row of operations.

    `before`, if set, is called with (operation, block, at, old, new) in front of each operation.
    """

    def __init__(self, parts, unit_bytes, dice):
        self.unit_bytes = unit_bytes
        self.parts = []
        sizes = []
        for blocks, block_bytes in parts:
            self.parts.append(Device(self, len(sizes), blocks, block_bytes))
            sizes += [block_bytes] * blocks
        self.sizes = sizes
        self.blocks = [b"\xff" * size for size in sizes]
        self.units = [ERASED * (size // unit_bytes) for size in sizes]
        self.torn = ()
        self.before = None
        self.dice = dice
        self.operations = self.programs = self.erases = 0
        self.cut_at = 0  # the operation that is cut, counted from 1
        self.refuse_at = {}  # operation: the look it is torn with, or UNTOUCHED
        self.refusing = False
        self.refused = 0  # operations that were not done
        self.worn = set()
        self.unreadable = 0  # reads until one is refused, 0 for none; below 0 all are
        self.restless = False
        self.is_off = False

    def image(self):
        return Image(tuple(self.blocks), tuple(self.units), self.torn)

    def load(self, image):
        """Give the power back on this image."""
        self.blocks = list(image.blocks)
        self.units = list(image.units)
        self.torn = image.torn
        self.is_off = False
        return self

    # -- the device ------------------------------------------------------------------------------------------------

    def read(self, block, at, n):
        if self.is_off:
            raise PowerCut
        if self.restless and self.torn:
            for torn in self.torn:
                if torn.block == block and torn.at < at + n and at < torn.at + len(torn.new) and self.dice.randrange(2):
                    looks = FIRST_PROGRAM if torn.operation == PROGRAM else FIRST_ERASE
                    cells = self.blocks[block]
                    new = shown(looks[self.dice.randrange(len(looks))], torn.old, torn.new, torn.seed)
                    self.blocks[block] = cells[: torn.at] + new + cells[torn.at + len(new) :]
        return self.blocks[block][at : at + n]

    def cannot_read(self):
        if not self.unreadable:
            return False
        if self.unreadable > 0:
            self.unreadable -= 1
        if self.unreadable > 0:
            return False
        self.refused += 1
        return True

    def program(self, block, at, octets):
        unit = self.unit_bytes
        n = len(octets)
        if n <= 0 or at % unit or n % unit or at + n > self.sizes[block]:
            raise Misuse("program of %d octets at %d of block %d" % (n, at, block))
        first, last = at // unit, (at + n) // unit
        if self.units[block][first:last] != ERASED * (last - first):
            raise Misuse("block %d: a unit at %d is not erased, and is programmed" % (block, at))
        answer = self._begin(PROGRAM, block, at, self.blocks[block][at : at + n], octets)
        self.programs += 1
        if answer:
            return answer
        cells, units = self.blocks[block], self.units[block]
        self.blocks[block] = cells[:at] + octets + cells[at + n :]
        self.units[block] = units[:first] + PROGRAMMED * (last - first) + units[last:]
        return FLASH_DONE

    def erase(self, block):
        size = self.sizes[block]
        answer = self._begin(ERASE, block, 0, self.blocks[block], b"\xff" * size)
        self.erases += 1
        if answer:
            return answer
        self.blocks[block] = b"\xff" * size
        self.units[block] = ERASED * (size // self.unit_bytes)
        if self.torn:
            self.torn = tuple([t for t in self.torn if t.block != block])
        return FLASH_DONE

    def _begin(self, operation, block, at, old, new):
        if self.is_off:
            raise PowerCut
        if self.before is not None:
            self.before(operation, block, at, old, new)
        self.operations += 1
        if self.operations == self.cut_at:
            if self.dice.randrange(5):
                self.tear(operation, block, at, old, new)
            self.is_off = True
            raise PowerCut
        if self.refusing or self.operations in self.refuse_at:
            look = self.refuse_at.get(self.operations)
            if look is None and self.dice.randrange(2):
                look = UNTOUCHED
            if look != UNTOUCHED:
                self.tear(operation, block, at, old, new, look)
            self.refused += 1
            return FLASH_IO
        if block in self.worn:
            if operation == PROGRAM or self.dice.randrange(2):
                self.tear(operation, block, at, old, new)
            self.refused += 1
            return FLASH_WORN
        return FLASH_DONE

    # -- faults ----------------------------------------------------------------------------------------------------

    def tear(self, operation, block, at, old, new, look=None):
        """Leave an operation half done, with a drawn look if none is given."""
        seed = 0
        if look is None:
            looks = FIRST_PROGRAM + (UNITS,) if operation == PROGRAM else FIRST_ERASE
            look = looks[self.dice.randrange(len(looks))]
            seed = self.dice.randrange(TICKS_PERIOD)
        self.load_kept(self.image().tear(Torn(operation, block, at, old, new, look, seed), self.unit_bytes))

    def load_kept(self, image):
        off = self.is_off
        self.load(image)
        self.is_off = off

    def restart(self, flickers=False):
        """Give the power back; each torn operation may look otherwise now."""
        self.is_off = False
        self.cut_at = 0
        image = self.image()
        for index, torn in enumerate(image.torn):
            if flickers:
                looks = FIRST_PROGRAM if torn.operation == PROGRAM else FIRST_ERASE
            else:
                looks = (LATER_PROGRAM if torn.operation == PROGRAM else LATER_ERASE)[torn.look]
            image = image.looking(index, looks[self.dice.randrange(len(looks))])
        self.load(image)

    def wipe(self, part, octet=0x5A):
        """Make everything in a part unreadable: what was there is lost."""
        for block in range(part.first_block, part.first_block + part.block_count):
            self.blocks[block] = bytes([octet]) * part.block_bytes
            self.units[block] = PROGRAMMED * (part.block_bytes // self.unit_bytes)
        self.torn = tuple([t for t in self.torn if not part.holds(t.block)])


class Device:
    """One part of an area."""

    __slots__ = ("area", "block_bytes", "block_count", "first_block", "unit_bytes")

    def __init__(self, area, first_block, block_count, block_bytes):
        self.area = area
        self.unit_bytes = area.unit_bytes
        self.first_block = first_block
        self.block_count = block_count
        self.block_bytes = block_bytes

    def holds(self, block):
        return self.first_block <= block < self.first_block + self.block_count

    def read_into(self, address, buf, n):
        at = address % self.block_bytes
        block = address // self.block_bytes
        if address < 0 or n < 0 or at + n > self.block_bytes or block >= self.block_count:
            raise Misuse("read of %d octets at %d" % (n, address))
        if self.area.cannot_read():
            return FLASH_IO
        buf[:n] = self.area.read(self.first_block + block, at, n)
        return FLASH_DONE

    def program(self, address, buf, n):
        block = address // self.block_bytes
        if address < 0 or block >= self.block_count:
            raise Misuse("program at %d" % address)
        return self.area.program(self.first_block + block, address % self.block_bytes, bytes(buf[:n]))

    def erase(self, block):
        if not 0 <= block < self.block_count:
            raise Misuse("erase of block %d" % block)
        return self.area.erase(self.first_block + block)
