"""The contract of a flash device, and one that is a part of another.

A device has
- `unit_bytes`   program unit: a power of two, 512 at most; `block_bytes` erase block; `block_count`
- `read_into(address, buf, n)`  copy n bytes from `address` into buf[0:n]; the core asks for none beyond the block
- `program(address, buf, n)`    write buf[0:n]; address and n are multiples of the unit; never leaves a block
- `erase(block)`                make all bytes of the block 0xFF
each of which returns FLASH_DONE or a negative code and never raises, and
- `refusal()`    a REFUSED_: why the device as a whole refuses now, REFUSED_NOTHING once a program has succeeded again
- `probe_ms()`   if it has that, as toolcart.board.supplied_flash: after how many ms a refused program may be tried
                 again without wear, 0 if not
- `wears`        if it has that: False where no answer is ever FLASH_WORN
- `found`        if it has that: True where what it found shows that a state was written, whatever is left of that

Rules
1. A unit is programmed at most once between two erases of its block, and only while it is erased.
2. When `program` has returned FLASH_DONE, the bytes survive a power cut at any later time.
3. A cut during `program` or `erase` leaves arbitrary bytes in the units concerned, and in no others.
4. FLASH_WORN means that this block can no longer be used, FLASH_IO that the whole device refused (read-only, broken,
   a supply too low): on the first the log goes elsewhere, on the second it withholds the acknowledgement.
5. What FLASH_IO has left of a program or an erase is not known, and not to be relied on however it reads.
6. Nothing allocates. Each board translates its own errors into a REFUSED_; the core knows no other.
"""

from toolcart.agent.base.compat import const

FLASH_DONE = const(0)
FLASH_WORN = const(-1)
FLASH_IO = const(-2)

REFUSED_NOTHING = const(0)
REFUSED_NO_ROOM = const(1)  # the file system is full
REFUSED_QUOTA = const(2)
REFUSED_READ_ONLY = const(3)
REFUSED_BROKEN = const(4)  # an error of the device
REFUSED_NOT_ALLOWED = const(5)
REFUSED_GONE = const(6)  # the file was deleted, replaced or cut
REFUSED_SUPPLY = const(7)  # the chip's supply is below its limit
REFUSED_OTHER = const(8)


class Partition:
    """Some whole blocks of another device, as a device of their own."""

    __slots__ = ("block_bytes", "block_count", "device", "first_block", "unit_bytes", "wears")

    def __init__(self, device, first_block, block_count):
        if first_block < 0 or block_count < 1 or first_block + block_count > device.block_count:
            raise ValueError("part of %d blocks at %d does not fit the device" % (block_count, first_block))
        self.device = device
        self.first_block = first_block
        self.unit_bytes = device.unit_bytes
        self.block_bytes = device.block_bytes
        self.block_count = block_count
        self.wears = getattr(device, "wears", True)

    def read_into(self, address, buf, n):
        """Copy `n` bytes from `address` into buf[0:n]."""
        return self.device.read_into(self.first_block * self.block_bytes + address, buf, n)

    def program(self, address, buf, n):
        """Write buf[0:n] to `address`."""
        return self.device.program(self.first_block * self.block_bytes + address, buf, n)

    def erase(self, block):
        """Make every byte of the block 0xFF."""
        return self.device.erase(self.first_block + block)

    def refusal(self):
        """Return why the whole device refuses now."""
        return self.device.refusal()
