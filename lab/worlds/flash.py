"""The flash of lab/harness/flash.py with a chip's own will.

Rules
1. A cut or a refusal during program or erase leaves anything in the touched units and no others. Such a unit is weak:
   it may read differently at each read, or change at a later start, until it is erased.
2. All units of one torn operation may change together: a head reads well with its record for some reads or starts,
   then reads as erased; an erased block has its old content again.
3. A completed program or erase is durable and never rots, but for a `stale` block. Breaches of the contract are noted
   in `misuse`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from lab.harness.flash import BROKEN, DONE, ERASE, ERASED, PROGRAM, PROGRAMMED, REFUSED, TORN, WORN, Nor
from lab.worlds import power
from lab.worlds.power import Fuse, PowerCut

BLOCK_BYTES = 4096

KINDS = {PROGRAM: power.PROGRAM, ERASE: power.ERASE}
LEFT_HALF_DONE = {PROGRAM: 0.5, ERASE: 0.3}  # of those that are refused
MISUSES_KEPT = 20
FLICKERING_MOST = 24  # units: enough for a record, few enough for speed


@dataclass(eq=False)
class Ghost:
    """The weak units of one torn operation that change together: after some reads, or at a start."""

    units: range
    is_whole: bool  # it reads as a finished program would, or as before an erase; else as erased
    reads: int  # until it changes; 0: only at a start


class NorFlash(Nor):
    """One device. `refusing` is "", "writes", "all" or "absent"; `worn` holds the blocks that are worn out."""

    def __init__(
        self, unit_bytes: int, block_count: int, dice: random.Random, fuse: Fuse | None, block_bytes: int = BLOCK_BYTES
    ) -> None:
        super().__init__(block_count, block_bytes, unit_bytes)
        self.chance = dice
        self.fuse = fuse
        self.weak: dict[int, bytes] = {}  # unit: what was to be written there
        self.unsound: set[tuple[int, int]] = set()  # where a program was cut or refused, until the block is erased
        self.flickering: set[int] = set()
        self.ghosts: list[Ghost] = []
        self.worn = set()
        self.unerased: set[int] = set()  # worn blocks that were to be erased: nothing relies on their content
        self.refused_erases: set[int] = set()  # blocks; until one is erased, or a start finds them as they are
        self.refusing = ""  # type: ignore
        self.refusals_left = 0  # operations still to be refused, whatever `refusing` says
        self.unreadable_left = 0  # reads still to be refused
        self.readable_left = 0  # reads that come before those
        self.faults = 0  # operations and reads that were refused, or met a worn block
        self.misuse: list[str] = []
        self.sound_since = 0  # when it last began to work; set by whoever makes it fail
        self.spend = _nothing  # called with the operation, so that time can pass
        self.stale = -1  # a block that is going to show what it held before its next erase, once another is newer
        self.stale_from = 0  # the first block of its area
        self.fades = False  # it shows that erase instead, as if nothing had been written since
        self.opened: dict[int, int] = {}  # by block: when it was begun last, in programs
        self.was_stale = False  # one has
        self._older = b""  # its content then
        self.on_erase = _nothing  # called with a block about to lose its content
        self.on_open = _nothing  # called with a block whose front is about to be programmed

    def clone(self) -> NorFlash:
        """Return a device with the same content and the same weak units, whose power never fails."""
        other = type(self)(self.unit_bytes, self.block_count, random.Random(1), None, self.block_bytes)
        other.cells[:] = self.cells
        other.units[:] = self.units
        other.weak = dict(self.weak)
        other.flickering = set(self.flickering)  # ghosts keep their present look
        other.worn = set(self.worn)
        return other

    def certain(self) -> NorFlash:
        """Return a clone that lacks what was to be erased and was not: nothing relies on it, however it reads."""
        other = self.clone()
        other.worn.clear()
        for block in self.unerased | self.refused_erases:
            other.erase(block)
        other.worn.update(self.worn)
        return other

    def fill(self, cells: bytes) -> None:
        """Take this content, as a device that was written elsewhere."""
        unit = self.unit_bytes
        self.cells[:] = cells
        for index in range(len(self.units)):
            blank = not cells[index * unit : (index + 1) * unit].strip(b"\xff")
            self.units[index] = ERASED if blank else PROGRAMMED

    def is_like(self, other: NorFlash) -> bool:
        """True if clones of both devices would be the same."""
        return (
            self.cells == other.cells
            and self.units == other.units
            and self.weak == other.weak
            and self.flickering == other.flickering
            and self.worn == other.worn
        )

    def is_torn(self, address: int) -> bool:
        """True if this byte belongs to a program that was cut or refused, whatever it reads as."""
        return any(begins <= address < ends for begins, ends in self.unsound)

    # -- the contract ----------------------------------------------------------------------------------------------

    def read(self, block: int, address: int, buf, n: int) -> int:
        """Read from a place of the chip."""
        if self.fuse is not None:
            self.fuse.count_read()
            if self.fuse.left and self.fuse.burns(power.READ):
                raise PowerCut
        if self.unreadable_left and self.readable_left:
            self.readable_left -= 1
        elif self.refusing in ("all", "absent") or self.unreadable_left:
            self.unreadable_left = max(self.unreadable_left - 1, 0)
            self.faults += 1
            return REFUSED
        buf[0:n] = self.cells[address : address + n]
        if (self.flickering or self.ghosts) and n:
            first, last = address // self.unit_bytes, (address + n - 1) // self.unit_bytes
            for unit in sorted(self.flickering):
                if first <= unit <= last:
                    self._flicker_unit(unit, address, buf, n)
            self._corrupt_reads(first, last)
        return DONE

    def content(self, block: int) -> bytes:
        """Return the content of the block, without a read by the agent."""
        return bytes(self.cells[block * self.block_bytes : (block + 1) * self.block_bytes])

    def write(self, block: int, address: int, octets: bytes) -> int:
        """Program units of one block."""
        answer = super().write(block, address, octets)
        if answer == DONE:
            self.unsound.remove((address, address + len(octets)))
            self._settle(address // self.unit_bytes, len(octets) // self.unit_bytes)
        return answer

    def blank(self, block: int, address: int, n: int) -> int:
        """Erase a block."""
        if block == self.stale:
            self._older = b"\xff" * self.block_bytes if self.fades else self.content(block)
        answer = super().blank(block, address, n)
        if answer == DONE:
            self.unsound = {one for one in self.unsound if one[0] // self.block_bytes != block}
            self._settle(address // self.unit_bytes, n // self.unit_bytes)
        return answer

    def begin(self, operation: int, block: int, address: int, new: bytes) -> int:
        """Begin a program or an erase; return DONE if it may go on."""
        self.spend(KINDS[operation])
        if operation == ERASE:
            self.on_erase(block)
        else:
            if address % self.block_bytes == 0:
                self.on_open(block)
                self.opened[block] = max(self.opened.values(), default=0) + 1
            self.unsound.add((address, address + len(new)))
        if self.fuse is not None and self.fuse.left and self.fuse.burns(KINDS[operation]):
            self._apply_partly(operation, block, address, new)
            raise PowerCut
        if self._refuses_now():
            if self.chance.random() < LEFT_HALF_DONE[operation]:
                self._apply_partly(operation, block, address, new)
            if operation == ERASE:
                self.refused_erases.add(block)
            return REFUSED
        if operation == ERASE:
            self.refused_erases.discard(block)
        if block in self.worn:
            self.faults += 1
            if operation == ERASE:
                self.unerased.add(block)
            else:
                self._apply_partly(operation, block, address, new)
            return WORN
        return DONE

    def why(self) -> int:
        """Return why it refuses now."""
        return BROKEN if self.refusing or self.refusals_left or self.unreadable_left else DONE

    def object_to(self, what: str) -> int:
        """Note a breach of the contract."""
        if len(self.misuse) < MISUSES_KEPT:
            self.misuse.append(what)
        return REFUSED

    # -- faults ----------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start: weak units may have changed."""
        self.refused_erases.clear()
        newest = max((self.opened.get(block, 0) for block in range(self.stale_from, self.block_count)), default=0)
        is_full = self._older and self.content(self.stale).strip(b"\xff")
        if is_full and self.opened.get(self.stale, 0) < newest:
            self._show_older()
        for ghost in list(self.ghosts):
            if self.chance.random() < 0.5:
                self._change(ghost)
            if self.chance.random() < 0.3:
                self.ghosts.remove(ghost)  # from now on each unit on its own
        whole = {unit for ghost in self.ghosts for unit in ghost.units}
        for unit in sorted(self.weak):
            if unit not in whole and self.chance.random() < 0.4:
                self._look(unit, self.chance.choice(("intended", "erased", "garbage", "bits")), self.weak[unit])

    def _show_older(self) -> None:
        """Let a block have its older content again: what was written since is lost, and no one was told."""
        at = self.stale * self.block_bytes
        self.cells[at : at + self.block_bytes] = self._older
        first = at // self.unit_bytes
        count = self.block_bytes // self.unit_bytes
        self.units[first : first + count] = bytes([PROGRAMMED] * count)
        self.was_stale, self.stale, self._older = True, -1, b""

    def _refuses_now(self) -> bool:
        if not self.refusals_left and not self.refusing:
            return False
        self.refusals_left = max(self.refusals_left - 1, 0)
        self.faults += 1
        return True

    def _corrupt_reads(self, first: int, last: int) -> None:
        """Units `first` to `last` were read: ghosts that last for some reads may change after this one."""
        for ghost in self.ghosts:
            if ghost.reads and ghost.units[0] <= last and first <= ghost.units[-1]:
                ghost.reads -= 1
                if not ghost.reads:
                    self._change(ghost)

    def _change(self, ghost: Ghost) -> None:
        ghost.is_whole = not ghost.is_whole
        for unit in ghost.units:
            if unit in self.weak:
                self._look(unit, "intended" if ghost.is_whole else "erased", self.weak[unit])

    def _settle(self, first: int, count: int) -> None:
        if self.weak or self.flickering:
            for unit in range(first, first + count):
                self.weak.pop(unit, None)
                self.flickering.discard(unit)
            self.ghosts = [ghost for ghost in self.ghosts if any(unit in self.weak for unit in ghost.units)]

    def _whole(self, first: int, count: int) -> None:
        """Make these weak units look as if the operation had finished, or not begun, and change together."""
        ghost = Ghost(
            range(first, first + count), self.chance.random() < 0.7, self.chance.choice((0, 0, 1, 1, 2, 3, 9))
        )
        ghost.is_whole = not ghost.is_whole
        self._change(ghost)
        self.ghosts.append(ghost)

    def _apply_partly(self, operation: int, block: int, address: int, new: bytes) -> None:
        if operation == ERASE:
            self._tear_block(block)
        else:
            self._tear(address // self.unit_bytes, new)

    def _tear(self, first: int, content: bytes) -> None:
        """Leave anything in these units: mostly done up to one place, sometimes anything in each of them."""
        unit = self.unit_bytes
        count = len(content) // unit
        if self.chance.random() < 0.35:
            for index in range(count):
                self.weak[first + index] = content[index * unit : (index + 1) * unit]
                self.units[first + index] = TORN
            self._whole(first, count)
            return
        broken = self.chance.randrange(count + 1)
        anyhow = self.chance.random() < 0.4
        for index in range(count):
            intended = content[index * unit : (index + 1) * unit]
            if anyhow:
                how = self.chance.choice(("intended", "erased", "garbage", "bits", "prefix"))
            elif index < broken:
                how = "intended"
            elif index == broken:
                how = self.chance.choice(("bits", "prefix", "garbage", "intended", "erased"))
            else:
                how = "erased"
            if how == "intended" and not anyhow and index < broken:
                at = (first + index) * unit
                self.cells[at : at + unit] = intended
                self.units[first + index] = PROGRAMMED
                self._settle(first + index, 1)  # it may be weak from an earlier refusal
                continue
            if how == "erased" and not anyhow and index > broken:
                continue
            self.weak[first + index] = intended
            self.units[first + index] = TORN
            self._look(first + index, how, intended)

    def _tear_block(self, block: int) -> None:
        """Half erase a block: each unit old, erased or in between; all of them weak."""
        count = self.block_bytes // self.unit_bytes
        how = self.chance.choice(("old", "erased", "mixed", "mixed", "prefix", "whole", "whole"))
        upto = self.chance.randrange(count)
        for index in range(count):
            unit = block * count + index
            at = unit * self.unit_bytes
            self.weak[unit] = bytes(self.cells[at : at + self.unit_bytes])
            self.units[unit] = TORN
            if how == "erased" or (how == "prefix" and index < upto):
                self._look(unit, "erased", b"")
            elif how == "mixed":
                self._look(unit, self.chance.choice(("erased", "intended", "bits")), self.weak[unit])
        if how == "whole":
            self._whole(block * count, count)

    def _look(self, unit: int, how: str, intended: bytes) -> None:
        """Make a weak unit read like this from now on."""
        size = self.unit_bytes
        self.flickering.discard(unit)
        if how == "intended":
            look = intended
        elif how == "prefix":
            taken = self.chance.randrange(size + 1)
            look = intended[:taken] + b"\xff" * (size - taken)
        elif how == "bits":  # bits that were to go down, some of which did not
            look = bytes(octet | self.chance.randrange(256) for octet in intended)
        elif how == "garbage":
            look = self.chance.randbytes(size)
        else:
            look = b"\xff" * size
        if how in ("bits", "garbage") and len(self.flickering) < FLICKERING_MOST and self.chance.random() < 0.5:
            self.flickering.add(unit)
        at = unit * size
        self.cells[at : at + size] = look

    def _flicker_unit(self, unit: int, address: int, buf, n: int) -> None:
        """Change some bits of this unit, as far as it lies in what was read."""
        at = unit * self.unit_bytes - address
        for index in range(max(at, 0), min(at + self.unit_bytes, n)):
            if self.chance.random() < 0.3:
                buf[index] = buf[index] ^ (1 << self.chance.randrange(8))


def _nothing(what: int, /) -> None:
    """Do nothing, in no time."""
