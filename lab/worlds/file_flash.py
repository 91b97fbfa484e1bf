"""A preallocated file as a flash device: what was not synced may be lost, in any order of its sectors.

Rules
1. `program` writes and syncs: then everything written before is on the disk. `erase` only writes.
2. A cut leaves in each unsynced sector either what the disk had or what was written. A sector is written as a whole.
3. A sync that fails marks the pages clean: reads show them, the disk keeps its old content, and no later sync writes
   them.
4. It has no blocks that wear out.
"""

from __future__ import annotations

from lab.harness.flash import TORN
from lab.worlds.flash import NorFlash

UNIT_BYTES = 16
SECTOR_BYTES = 512


class FileFlash(NorFlash):
    """One file: `cells` is what reads return, `disk` what a cut leaves."""

    wears = False

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.disk = bytearray(self.cells)
        self.uncertain: set[int] = set()  # sectors
        self.unwritten: set[int] = set()  # sectors that a failed sync has marked clean

    def write(self, block: int, address: int, octets: bytes) -> int:
        """Write and sync."""
        answer = super().write(block, address, octets)
        if answer == 0:
            self._touch(address, len(octets))
            for sector in self.uncertain:
                at = sector * SECTOR_BYTES
                self.disk[at : at + SECTOR_BYTES] = self.cells[at : at + SECTOR_BYTES]
            self.uncertain.clear()
        return answer

    def blank(self, block: int, address: int, n: int) -> int:
        """Write only."""
        answer = super().blank(block, address, n)
        if answer == 0:
            self._touch(address, n)
        return answer

    def power_on(self) -> None:
        """Lose what only the cache had; a disk does not fade."""
        for sector in sorted(self.uncertain | self.unwritten):
            at = sector * SECTOR_BYTES
            if sector in self.uncertain and self.chance.random() < 0.5:
                self.disk[at : at + SECTOR_BYTES] = self.cells[at : at + SECTOR_BYTES]
            elif self.cells[at : at + SECTOR_BYTES] != self.disk[at : at + SECTOR_BYTES]:
                self.cells[at : at + SECTOR_BYTES] = self.disk[at : at + SECTOR_BYTES]
                first = at // self.unit_bytes
                for unit in range(first, first + SECTOR_BYTES // self.unit_bytes):
                    self.units[unit] = TORN
        self.uncertain.clear()
        self.unwritten.clear()

    def fill(self, cells: bytes) -> None:
        """Take this content, which is on the disk."""
        super().fill(cells)
        self.disk[:] = cells

    def _touch(self, address: int, n: int) -> None:
        sectors = range(address // SECTOR_BYTES, (address + n - 1) // SECTOR_BYTES + 1)
        self.uncertain.update(sectors)
        self.unwritten.difference_update(sectors)

    def _tear(self, first: int, content: bytes) -> None:
        """The cache has all of it; a cut decides what becomes of it, a refusal has marked it clean."""
        at = first * self.unit_bytes
        self.cells[at : at + len(content)] = content
        self.units[first : first + len(content) // self.unit_bytes] = bytes([TORN]) * (len(content) // self.unit_bytes)
        self._touch(at, len(content))
        self._fail()

    def _tear_block(self, block: int) -> None:
        at = block * self.block_bytes
        self.cells[at : at + self.block_bytes] = b"\xff" * self.block_bytes
        self.units[at // self.unit_bytes : (at + self.block_bytes) // self.unit_bytes] = bytes(
            self.block_bytes // self.unit_bytes
        )
        self._touch(at, self.block_bytes)

    def _fail(self) -> None:
        """Fail a sync: some of what was not synced now counts as written; each sector of it is on the disk or not."""
        for sector in sorted(self.uncertain):
            at = sector * SECTOR_BYTES
            if self.chance.random() < 0.4:
                self.disk[at : at + SECTOR_BYTES] = self.cells[at : at + SECTOR_BYTES]
        if self.chance.random() < 0.5:
            self.unwritten |= self.uncertain
            self.uncertain.clear()
