"""A preallocated file as a flash device: any address, sectors that are written whole and in order, no weak units."""

from __future__ import annotations

from tools.worlds.flash import BLOCK_BYTES, NorFlash

UNIT_BYTES = 16
SECTOR_BYTES = 512


class FileFlash(NorFlash):
    """A cut leaves a prefix of whole sectors written, and it stays as it is."""

    def power_on(self) -> None:
        """A disk does not fade."""

    def _tear(self, first: int, content: bytes) -> None:
        start = first * self.unit_bytes
        end = start + len(content)
        edges = [start, *range(start - start % SECTOR_BYTES + SECTOR_BYTES, end, SECTOR_BYTES), end]
        upto = self.dice.choice(edges) - start
        self.cells[start : start + upto] = content[:upto]
        self.units[first : first + upto // self.unit_bytes] = b"\x01" * (upto // self.unit_bytes)

    def _tear_block(self, block: int) -> None:
        sectors = self.dice.randrange(BLOCK_BYTES // SECTOR_BYTES + 1)
        at = block * BLOCK_BYTES
        size = sectors * SECTOR_BYTES
        self.cells[at : at + size] = b"\xff" * size
        self.units[at // self.unit_bytes : (at + size) // self.unit_bytes] = bytes(size // self.unit_bytes)
