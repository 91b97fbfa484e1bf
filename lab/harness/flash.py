"""A NOR flash stricter than its user, which can be cut, worn, refuse, fade, fork, and forget like a file.

Rules
1. A unit is programmed once between two erases, and only while an erase that was not cut has erased it: what looks
   blank is no erased unit. Anything else is `object_to`: a Misuse here, noted in the worlds (lab/worlds/flash.py).
2. A cut tears the operation it falls into, and nothing else. A refused operation, and one in a worn block, leaves what
   `refused_look` says.
3. A torn operation has a look. The looks at the first start after the cut stand in FIRST, what may have become of one
   at any later start in LATER: what reads well fades to blank or bad, what looks blank may read bad, never the other
   way round. With `flickers` every look may follow every other one, with `restless` at each read.
4. An image is what lies there without power: a tuple that costs nothing to keep, so that a proof forks at will.
5. With `forgets` it is a file: an erase is on the disk with the next program, and a cut in that brings back the rest.
"""

from collections import namedtuple

from toolcart.base.clock import Dice

PORTABLE = True

# As agent/log/flash.py has them; the worlds import nothing of the agent.
DONE, WORN, REFUSED = 0, -1, -2
NOTHING, BROKEN = 0, 4  # what `refusal` says

ERASED, PROGRAMMED, TORN = 0, 1, 2
PROGRAM, ERASE = 0, 1

# Looks. Of an erase NEW is blank; HALF of it is done in front, REST is done behind. UNITS: some units new, some not.
# UNTOUCHED: a refused operation that did not begin.
OLD, NEW, BAD, HALF, REST, BLANK, UNITS, UNTOUCHED = range(8)
LOOK_NAMES = ("old", "new", "bad", "half", "rest", "blank", "units", "untouched")
FIRST = ((BLANK, BAD, NEW, HALF), (OLD, NEW, BAD, HALF, REST))  # of a program, of an erase
LATER = (
    {BLANK: (BLANK, BAD), BAD: (BAD,), NEW: (NEW, BAD, BLANK), HALF: (HALF, BAD), UNITS: (UNITS, BAD), OLD: (OLD, BAD)},
    {OLD: (OLD, NEW, BAD), NEW: (NEW, BAD), BAD: (BAD,), HALF: (HALF, NEW, BAD), REST: (REST, NEW, BAD)},
)
TEARS = (OLD, HALF, BAD, NEW)  # looks that a program and an erase can have
SEEDS = 1 << 30
PAGE_BYTES = 256  # that a W25Q chip programs at once


class PowerCut(BaseException):
    """The supply is gone: no `except Exception` of a program may keep it running."""


class Misuse(AssertionError):
    """The device was used against its contract."""


Torn = namedtuple("Torn", ("operation", "block", "address", "old", "new", "look", "seed"))


def torn_octets(look, old, new, seed=0):
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


class Piece:
    """Some blocks of a chip as a device: the contract of agent/log/flash.py."""

    wears = True

    def __init__(self, chip, address, first_block, block_count, block_bytes):
        self.chip = chip
        self.address = address
        self.first_block = first_block
        self.unit_bytes = chip.unit_bytes
        self.block_bytes = block_bytes
        self.block_count = block_count

    def read_into(self, address, buf, n):
        """Copy `n` bytes from `address` into buf[0:n]."""
        block = address // self.block_bytes
        if address < 0 or n < 0 or address + n > self._end_of(block):
            return self.chip.object_to("read of %d octets at %d" % (n, address))
        return self.chip.read(self.first_block + block, self.address + address, buf, n)

    def program(self, address, buf, n):
        """Write buf[0:n] to `address`."""
        unit, block = self.chip.unit_bytes, address // self.block_bytes
        if n <= 0 or address % unit or n % unit or address < 0 or address + n > self._end_of(block):
            return self.chip.object_to("program of %d octets at %d, unit %d" % (n, address, unit))
        return self.chip.write(self.first_block + block, self.address + address, bytes(buf[:n]))

    def _end_of(self, block):
        return min(self.block_count, block + 1) * self.block_bytes

    def erase(self, block):
        """Make every byte of the block 0xFF."""
        if not 0 <= block < self.block_count:
            return self.chip.object_to("erase of block %d" % block)
        return self.chip.blank(self.first_block + block, self.address + block * self.block_bytes, self.block_bytes)

    def refusal(self):
        """Return why it refuses now."""
        return self.chip.why()


class Nor(Piece):
    """A chip, and the device that all of it is. `cells` is its content; after a cut it goes on, as after a start.

    `before`, if set, is called with (operation, block, address, new) in front of each program and erase.
    """

    def __init__(self, block_count=16, block_bytes=4096, unit_bytes=256, dice=None):
        self.unit_bytes = unit_bytes
        Piece.__init__(self, self, 0, 0, block_count, block_bytes)
        self.cells = bytearray(b"\xff" * (block_count * block_bytes))
        self.units = bytearray(len(self.cells) // unit_bytes)
        self.torn = []
        self.parts = ()
        self.dice = dice or Dice(1)
        self.before = None
        self.journal = None  # a list that gets ("program", octets) of each that was done
        self.operations = self.refused = self.reads = self.programs = self.octets_programmed = 0
        self.wear = [0] * block_count  # erases of each block
        self.restless = self.forgets = self.was_refused = False
        self.unsynced = None  # what the last erase would leave on the disk of a file: address, octets
        self.cut_after = None  # so many operations are begun, and the power fails within the next one
        self.look = OLD  # what a cut leaves; None: drawn
        self.code = DONE  # what programs and erases answer once `left` of them were done
        self.left = 0
        self.refuse_at = {}  # operation, counted from 1: its look
        self.refused_look = UNTOUCHED  # what refusals and worn blocks leave; None: drawn
        self.worn = set()  # blocks that can be read and nothing else
        self.refusing = ()  # blocks that take no program while all others work, as a disk that errs when it syncs
        self.unreadable = ()  # blocks
        self.read_fails_in = 0  # reads until one is refused; 0: none; below 0: all are

    def divide(self, parts):
        """Make `parts` of it, rows of (blocks, octets of a block): a station's areas need not have blocks of one size.

        Whatever is torn or refused then has a drawn look.
        """
        self.look = self.refused_look = None
        self.parts, self.worn, block, address = [], set(), 0, 0
        for count, block_bytes in parts:
            self.parts.append(Piece(self, address, block, count, block_bytes))
            block += count
            address += count * block_bytes
        self.wear = [0] * block
        return self

    # -- operations --------------------------------------------------------------------------------------------------

    def read(self, block, address, buf, n) -> int:
        """Read from a place of the chip."""
        self.reads += 1
        if self.read_fails_in or block in self.unreadable:
            if self.read_fails_in > 0:
                self.read_fails_in -= 1
            if self.read_fails_in <= 0:
                self.refused += 1
                return REFUSED
        if self.restless and self.torn:
            self._flicker(address, n)
        buf[:n] = self.cells[address : address + n]
        return DONE

    def write(self, block, address, octets) -> int:
        """Program units of one block."""
        n = len(octets)
        first, last = address // self.unit_bytes, (address + n) // self.unit_bytes
        for unit in range(first, last) if any(self.units[first:last]) else ():
            if self.units[unit]:
                how = "a second time" if self.units[unit] == PROGRAMMED else "though it is torn"
                self.object_to("unit %d programmed %s" % (unit, how))
                break
        code = self.begin(PROGRAM, block, address, octets)
        if code:
            return code
        self.cells[address : address + n] = octets
        self.units[first:last] = bytes([PROGRAMMED]) * (last - first)
        self.unsynced = None
        self.programs += 1
        self.octets_programmed += n
        if self.journal is not None:
            self.journal.append(("program", octets))
        return DONE

    def blank(self, block, address, n) -> int:
        """Erase a block."""
        new = b"\xff" * n
        code = self.begin(ERASE, block, address, new)
        if code:
            return code
        self.wear[block] += 1
        if self.forgets:
            self.unsynced = address, bytes(self.cells[address : address + n])
        self.cells[address : address + n] = new
        first, last = address // self.unit_bytes, (address + n) // self.unit_bytes
        self.units[first:last] = bytes(last - first)
        self.torn = [torn for torn in self.torn if torn.block != block]
        return DONE

    def begin(self, operation, block, address, new) -> int:
        """Begin a program or an erase; return DONE if it may go on."""
        if self.before is not None:
            self.before(operation, block, address, new)
        self.operations += 1
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                self._cut(operation, block, address, new)
        code, look = self._refuses(operation, block)
        self.was_refused = code == REFUSED
        if code:
            self.refused += 1
            if look != UNTOUCHED:
                self.tear(operation, block, address, new, look)
        return code

    def object_to(self, what) -> int:
        """Someone uses it against the contract."""
        raise Misuse(what)

    def why(self) -> int:
        """Return why it refuses now."""
        return BROKEN if self.was_refused else NOTHING

    def _cut(self, operation, block, address, new):
        if self.look is not None or self.dice.randrange(5):
            self.tear(operation, block, address, new, self.look)
        if self.unsynced is not None:
            at, octets = self.unsynced
            kept = bytes(self.cells[address : address + len(new)])
            self.cells[at : at + len(octets)] = octets
            self.cells[address : address + len(new)] = kept
        self.cut_after = self.unsynced = None
        raise PowerCut

    def cut_in(self, work, after, look=None):
        """Return what the work returns, None if the power failed in it: within its operation number `after`."""
        self.cut_after = after
        self.look = self.look if look is None else look
        try:
            done = work()
        except PowerCut:
            return None
        self.cut_after = None
        return done

    def _refuses(self, operation, block):
        """Return what it answers instead of doing it, and the look of what it leaves."""
        look = self.refused_look
        if self.operations in self.refuse_at or (self.code and not self.left):
            look = self.refuse_at.get(self.operations, look)
            if look is None and self.dice.randrange(2):
                look = UNTOUCHED
            return self.code or REFUSED, look
        self.left -= self.code != DONE
        if operation == PROGRAM and block in self.refusing:
            return REFUSED, look
        if block in self.worn:
            return WORN, look if operation == PROGRAM or look is not None or self.dice.randrange(2) else UNTOUCHED
        return DONE, UNTOUCHED

    # -- what is torn ------------------------------------------------------------------------------------------------

    def tear(self, operation, block, address, new, look=None):
        """Leave an operation half done, with a drawn look if none is given."""
        seed = 0
        if look is None:
            looks = FIRST[operation] if operation else FIRST[PROGRAM] + (UNITS,)
            look = looks[self.dice.randrange(len(looks))]
            seed = self.dice.randrange(SEEDS)
        n = len(new)
        old = bytes(self.cells[address : address + n])
        first, last = address // self.unit_bytes, (address + n) // self.unit_bytes
        self.units[first:last] = bytes([TORN]) * (last - first)
        self.torn = [t for t in self.torn if t.block != block or (operation == PROGRAM and t.address != address)]
        self.torn.append(Torn(operation, block, address, old, new, look, seed))
        self.cells[address : address + n] = torn_octets(look, old, new, seed)

    def becomes(self, index, look):
        """Have a torn operation look otherwise from now on."""
        operation, block, address, old, new, _, seed = self.torn[index]
        self.torn[index] = Torn(operation, block, address, old, new, look, seed)
        self.cells[address : address + len(new)] = torn_octets(look, old, new, seed)

    def restart(self, flickers=False):
        """A start: each torn operation may look otherwise now."""
        self.cut_after = None
        for index, torn in enumerate(self.torn):
            looks = FIRST[torn.operation] if flickers else LATER[torn.operation][torn.look]
            self.becomes(index, looks[self.dice.randrange(len(looks))])

    def fade(self):
        """What a cut has left of a program, however well it read, is blank."""
        for index, torn in enumerate(self.torn):
            if torn.operation == PROGRAM:
                self.becomes(index, BLANK)

    def wipe(self, part):
        """Make everything in a part unreadable: what was there is lost."""
        n = part.block_count * part.block_bytes
        first, last = part.address // self.unit_bytes, (part.address + n) // self.unit_bytes
        self.cells[part.address : part.address + n] = b"\x5a" * n
        self.units[first:last] = bytes([PROGRAMMED]) * (last - first)
        blocks = range(part.first_block, part.first_block + part.block_count)
        self.torn = [torn for torn in self.torn if torn.block not in blocks]

    def _flicker(self, address, n):
        for torn in self.torn:
            if torn.address < address + n and address < torn.address + len(torn.new) and self.dice.randrange(2):
                looks = FIRST[torn.operation]
                look = looks[self.dice.randrange(len(looks))]
                self.cells[torn.address : torn.address + len(torn.new)] = torn_octets(
                    look, torn.old, torn.new, torn.seed
                )

    # -- images ------------------------------------------------------------------------------------------------------

    def image(self):
        """Return what lies on it."""
        return bytes(self.cells), bytes(self.units), tuple(self.torn)

    def load(self, image):
        """Begin on this image."""
        cells, units, torn = image
        self.cells[:] = cells
        self.units[:] = units
        self.torn = list(torn)
        return self

    def later(self, flickers=False):
        """Return what it may be at the next start: images, the present one first."""
        here = self.image()
        images = [here]
        for index, torn in enumerate(here[2]):
            looks = FIRST[torn.operation] if flickers else LATER[torn.operation][torn.look]
            for image in images[:]:
                for look in looks:
                    if look != torn.look:
                        self.load(image).becomes(index, look)
                        images.append(self.image())
        self.load(here)
        return images

    def clone(self):
        """Return what lies on it once more, in a chip that is well."""
        twin = self.__class__(self.block_count, self.block_bytes, self.unit_bytes)
        return twin.load(self.image())
