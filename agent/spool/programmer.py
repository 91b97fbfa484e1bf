"""How a record in the stage gets onto the device: sealed, with the HEAD in front of it where it opens a block.

Rules
1. HEAD and record are one program operation; where it begins, they are together.
2. What was refused counts for nothing (agent.spool.ring, rule 4): its place is left, and after a failed block the
   payload goes behind the HEAD of the next.
"""

from agent.base.compat import const
from agent.base.fields import fill
from agent.record.result import FLAG_COPY
from agent.spool import record as rec
from agent.spool.blocks import BURNED
from agent.spool.flash import FLASH_DONE, FLASH_IO
from agent.spool.fold import ROLE_MAIN, Fold
from agent.spool.record import FRAME_BYTES, HEAD_BYTES, HEAD_OCTETS, HEAD_PAYLOAD, seal

SENT_AHEAD = const(48)  # a block of 4 KiB holds 31 results


class Programmer(Fold):
    """A log's memory, and the way of its records onto the device."""

    def __init__(self, device, outlets, when_full, role, other, wide):
        Fold.__init__(self, device, outlets, when_full, role, other, wide)
        self.payload_at = 0
        self._opens = -1  # the block that the record begun opens
        self._spares = -1  # free blocks that it has to leave where room for it is made in `commit`, else -1

    def _open_next(self, spare):
        """Have the next block erased, and write its HEAD into the stage; where that has to wait, `commit` does both."""
        code = self._make_ready(spare)
        if code == FLASH_DONE:
            self._opens = (self.block + 1) % self.device.block_count
            if self.sparing and (self.after_start or not self.next_ready):
                self._spares = spare
            else:
                self._write_head(self._granted())
        return code

    def _granted(self):
        """Return up to which number results may go out on the word of the HEAD that is being written.

        While they go out as they come, it grants a batch, so that no cursor record is needed. In the last free block it
        grants more than a block holds: there may be no room for one before that many have gone out.
        """
        cursor = self.cursors[0]
        ahead = cursor.ahead
        if ahead < SENT_AHEAD and self.role == ROLE_MAIN and not self.is_free(2):
            ahead = SENT_AHEAD
        limit = cursor.number + ahead
        return limit if limit > cursor.limit else cursor.limit

    def _program(self, kind, flags, length):
        """Seal the record (and the HEAD in front of it) and program both in one piece."""
        desk = self.desk
        stage = self.stage
        at = self.payload_at - HEAD_BYTES
        seq = self.seq + 1 + self._burned
        if self._opens >= 0:
            seq += 1
            seal(stage, 0, rec.KIND_HEAD, self._passed_over, HEAD_PAYLOAD, seq - 1)
        end = at + seal(stage, at, kind, flags, length, seq)
        if desk.used > end:
            fill(stage, end, desk.used - end, 0xFF)
        desk.used = end
        octets = end + -end % self.align  # `aligned`, without a call
        code = self.device.program(self._address(), stage, octets)
        if self._opens >= 0 and code != FLASH_IO:
            self.block = self._opens
            self._passed_over = 0 if code == FLASH_DONE else self._passed_over + 1
            self.rest = self.device.block_bytes
            self._refused = 0
            self._wrong = False
            self.block_no += 1
            self.next_ready = self._leaves_spare = False
            self.offset = 0
        if code == FLASH_DONE:
            self._burned = self.certain = 0
            if self._opens >= 0:
                self._opened()
            self.seq = seq
            self.offset += octets
            self.apply(kind, flags, stage, self.payload_at, length)
        return code

    def _address(self):
        """Return where the record begun goes."""
        if self._opens >= 0:
            return self._opens * self.device.block_bytes
        return self.block * self.device.block_bytes + self.offset

    def _leave_place(self):
        """Nobody knows what was written: go on in another block, whose HEAD says that nothing of it counts."""
        if self._opens >= 0:
            self._burned += BURNED
        self.offset = self.device.block_bytes
        self.next_ready = False

    def _keep_rest(self, kind, flags, behind):
        """With no other block free, a log goes on behind a record that the device refused.

        Not behind a result: should that count after all, its number would be another's. It had a block to go to. A
        quarantine only behind a copy: it has no other place for that, and takes nothing while it is not confirmed.
        """
        is_copy = flags & FLAG_COPY
        is_new = (kind == rec.KIND_RESULT or kind == rec.KIND_RAW) and not is_copy
        if self._opens < 0 and not is_new and (is_copy or self.role == ROLE_MAIN):
            self.rest = behind
            if self.suspect:  # it only repeats what the start found; a copy has the number that the next copy gets
                self._refused += self._refused < 255 and not rec.is_for_outlets(kind)
            else:
                self._refused += self._refused < 255  # a cursor record will say how many
                self._wrong = True

    def _look_ready(self):
        """Have the next block erased, or find that this can be done: then `commit` does it. FLASH_DONE or a SPOOL_."""
        code = self._make_ready(0)
        self._spares = 0 if self.sparing else -1
        return code

    def _make_room(self, length):
        """The record begun is new: have erased for it what was only looked at; another block may be next by then."""
        code = self._make_ready_only(self._spares)
        octets = self.aligned(FRAME_BYTES + length)
        if code == FLASH_DONE and (self._opens >= 0 or self.offset + octets > self.device.block_bytes):
            self._put_behind_head(length)
        return code

    def _move_elsewhere(self, length):
        """After a block has failed: open the next one and put the payload behind its HEAD."""
        code = self._make_ready_only(0)
        if code == FLASH_DONE:
            self._put_behind_head(length)
        return code

    def _make_ready_only(self, spare):
        self.saving = True  # the stage holds a payload: getting the next block ready may write nothing of its own
        code = self._make_ready(spare)
        self.saving = False
        return code

    def _put_behind_head(self, length):
        at = self.payload_at
        stage = self.stage
        target = HEAD_OCTETS + HEAD_BYTES
        self._opens = (self.block + 1) % self.device.block_count
        if at != target:
            self.desk.use(HEAD_OCTETS + FRAME_BYTES + length)
            index = length - 1
            while index >= 0:  # backwards: the two overlap
                stage[target + index] = stage[at + index]
                index -= 1
            self.payload_at = target
        self._write_head(self._granted())
