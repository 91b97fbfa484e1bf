"""A NOR flash stricter than its user: it objects to every program that a real chip may not survive.

Rules
1. A unit is programmed once between two erases, and only in a block whose last erase was not cut short. Anything else
   is an AssertionError, even if the cells happen to read as erased: a torn unit may read like that today.
2. A cut tears the operation it hits, in one of SHAPES, and no other byte. FADES reads as done until the next
   start and as never begun afterwards, EMERGES the other way round, FLICKERS changes with every read, UNSTABLE with
   every read and byte.
3. A block in `bad_program` or `bad_erase` answers FLASH_WORN and then holds anything; while `refuses` is set the whole
   device answers FLASH_IO, and while `unreadable` is set reads do so too.
4. `before_operation`, if set, is called with (flash, block, address, bytes or None) before each program and
   erase: a test forks the world there instead of running up to the same moment again.
"""

from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN, REFUSED_BROKEN, REFUSED_NOTHING
from toolcart.base.clock import Dice

PORTABLE = True

NOTHING = 0
ALL = 1
PREFIX = 2
SUFFIX = 3
BITS = 4
GARBAGE = 5
UNSTABLE = 6
FLICKERS = 7
FADES = 8
EMERGES = 9
SHAPES = (NOTHING, ALL, PREFIX, SUFFIX, BITS, GARBAGE, UNSTABLE, FLICKERS, FADES, EMERGES)

# A W25Q16 as on a Pico: typical page program and sector erase.
PAGE_BYTES = 256
PAGE_PROGRAM_US = 700
BLOCK_ERASE_US = 45000


_NOISE_BYTES = 16384
_noise_dice = Dice(77)
_NOISE = bytes([_noise_dice.randrange(256) for _ in range(_NOISE_BYTES)])


class PowerCut(Exception):
    """The power is gone; nothing of the running program may be used any more."""


class Region:
    """Bytes whose content a torn operation left uncertain."""

    def __init__(self, address, old, new, shape):
        self.address = address
        self.old = old
        self.new = new
        self.shape = shape
        self.starts = 0
        self.reads = 0


class SimFlash:
    """The device. `cells` is its content; `restart()` gives the power back after a cut."""

    def __init__(self, block_count=8, block_bytes=4096, unit_bytes=16, seed=1):
        self.unit_bytes = unit_bytes
        self.block_bytes = block_bytes
        self.block_count = block_count
        self.cells = bytearray(b"\xff" * (block_count * block_bytes))
        self.used = bytearray(block_count * block_bytes // unit_bytes)  # 1 for every unit that has been programmed
        self.dice = Dice(seed)
        self.regions = []
        self.before_operation = None
        self.cut_at = 0  # the operation that is cut, counted from 1; 0: none
        self.cut_shape = NOTHING
        self.is_off = False
        self.bad_program = set()
        self.bad_erase = set()
        self.worn_shape = None  # what a failed program leaves behind; None: drawn
        self.refuses = False
        self.refused_shape = NOTHING  # what a refused operation leaves behind
        self.unreadable = False
        self.operations = 0
        self.programs = 0
        self.reads = 0
        self.octets_read = 0
        self.octets_programmed = 0
        self.wear = [0] * block_count
        self.busy_us = 0
        self.longest_us = 0

    # -- the device --------------------------------------------------------------------------------------------

    def read_into(self, address, buf, n):
        """Copy `n` bytes from `address` into buf[0:n]."""
        self._need_power()
        if self.unreadable:
            return FLASH_IO
        assert n >= 0 and 0 <= address and address + n <= len(self.cells)
        self.reads += 1
        self.octets_read += n
        buf[:n] = self.cells[address : address + n]
        for region in self.regions:
            self._show(region, address, buf, n)
        return FLASH_DONE

    def program(self, address, buf, n):
        """Write buf[0:n] to `address`."""
        self._need_power()
        block = address // self.block_bytes
        assert n > 0 and address % self.unit_bytes == 0 and n % self.unit_bytes == 0, (address, n)
        assert (address + n - 1) // self.block_bytes == block, "a program over the end of a block"
        first, last = address // self.unit_bytes, (address + n) // self.unit_bytes
        assert not any(self.used[first:last]), "block %d: a unit at %d is programmed twice" % (block, address)
        self._begin(block, address, bytes(buf[:n]))
        self._spend(PAGE_PROGRAM_US * ((n + PAGE_BYTES - 1) // PAGE_BYTES))
        self.programs += 1
        if self.refuses:
            self.tear(address, bytes(buf[:n]), self.refused_shape)
            return FLASH_IO
        if block in self.bad_program:
            drawn = GARBAGE if self.dice.randrange(2) else SUFFIX
            self.tear(address, bytes(buf[:n]), drawn if self.worn_shape is None else self.worn_shape)
            return FLASH_WORN
        self._mark(address, n)
        self.cells[address : address + n] = buf[:n]
        self.octets_programmed += n
        return FLASH_DONE

    def erase(self, block):
        """Make every byte of the block 0xFF."""
        self._need_power()
        assert 0 <= block < self.block_count
        self._begin(block, block * self.block_bytes, None)
        self._spend(BLOCK_ERASE_US)
        self.wear[block] += 1
        if self.refuses:
            return FLASH_IO
        if block in self.bad_erase:
            return FLASH_WORN
        start = block * self.block_bytes
        self.cells[start : start + self.block_bytes] = b"\xff" * self.block_bytes
        units = self.block_bytes // self.unit_bytes
        self.used[block * units : (block + 1) * units] = bytes(units)
        self.regions = [r for r in self.regions if r.address // self.block_bytes != block]
        return FLASH_DONE

    def refusal(self):
        """Return REFUSED_BROKEN while it refuses or cannot be read."""
        return REFUSED_BROKEN if self.refuses or self.unreadable else REFUSED_NOTHING

    # -- faults ------------------------------------------------------------------------------------------------

    def tear(self, address, octets, shape):
        """Leave half done a program of `octets`, or with None an erase of the block at `address`."""
        n = self.block_bytes if octets is None else len(octets)
        new = b"\xff" * n if octets is None else octets
        old = bytes(self.cells[address : address + n])
        self._mark(address, n)
        if shape == NOTHING:
            left = old
        elif shape == ALL:
            left = new
        elif shape == PREFIX or shape == SUFFIX:
            at = self.dice.randrange(n + 1)
            left = new[:at] + old[at:] if shape == PREFIX else old[:at] + new[at:]
        elif shape == BITS:
            left = self._mix(old, new)
        elif shape == GARBAGE:
            left = bytes([self.dice.randrange(256) for _ in range(n)])
        else:
            left = old
            self.regions.append(Region(address, old, new, shape))
        self.cells[address : address + n] = left

    def restart(self):
        """Give the power back after a cut; what fades or emerges has done so."""
        self.is_off = False
        self.cut_at = 0
        for region in self.regions:
            region.starts += 1

    def clone(self):
        """Return a second device with the same content and faults, its own counters at zero and no hook."""
        twin = SimFlash(self.block_count, self.block_bytes, self.unit_bytes, self.dice.randrange(1 << 20) + 1)
        twin.cells[:] = self.cells
        twin.used[:] = self.used
        for region in self.regions:
            copy = Region(region.address, region.old, region.new, region.shape)
            copy.starts, copy.reads = region.starts, region.reads
            twin.regions.append(copy)
        twin.bad_program = set(self.bad_program)
        twin.bad_erase = set(self.bad_erase)
        return twin

    def grown(self, block_count):
        """Return the same content on a device of another size, with erased blocks added or cut off at the end."""
        twin = SimFlash(block_count, self.block_bytes, self.unit_bytes)
        n = min(len(twin.cells), len(self.cells))
        twin.cells[:n] = self.cells[:n]
        n = min(len(twin.used), len(self.used))
        twin.used[:n] = self.used[:n]
        return twin

    # -- parts -------------------------------------------------------------------------------------------------

    def _need_power(self):
        if self.is_off:
            raise PowerCut("the device is used after the cut")

    def _begin(self, block, address, octets):
        self.operations += 1
        if self.before_operation is not None:
            self.before_operation(self, block, address, octets)
        if self.operations == self.cut_at:
            self.tear(address, octets, self.cut_shape)
            self.is_off = True
            raise PowerCut("cut at operation %d" % self.operations)

    def _spend(self, us):
        self.busy_us += us
        self.longest_us = max(self.longest_us, us)

    def _mark(self, address, n):
        first, last = address // self.unit_bytes, (address + n) // self.unit_bytes
        self.used[first:last] = b"\x01" * (last - first)

    def _mix(self, old, new):
        """Take each bit from one of the two; as long numbers, because this is the inner loop of every proof."""
        n = len(old)
        at = self.dice.randrange(_NOISE_BYTES - n) if n < _NOISE_BYTES else 0
        mask = int.from_bytes(_NOISE[at : at + n], "big")
        mixed = int.from_bytes(old, "big") & mask | int.from_bytes(new, "big") & ~mask
        return mixed.to_bytes(n, "big")

    def _show(self, region, address, buf, n):
        """Overlay what a region shows this time on what was read."""
        first = max(address, region.address)
        last = min(address + n, region.address + len(region.old))
        if first >= last:
            return
        region.reads += 1
        if region.shape == FADES:
            shown = region.new if region.starts <= 1 else region.old
        elif region.shape == EMERGES:
            shown = region.old if region.starts <= 1 else region.new
        elif region.shape == FLICKERS:
            shown = region.new if region.reads & 1 else region.old
        else:
            at = region.address
            mixed = self._mix(region.old[first - at : last - at], region.new[first - at : last - at])
            buf[first - address : last - address] = mixed
            return
        buf[first - address : last - address] = shown[first - region.address : last - region.address]
