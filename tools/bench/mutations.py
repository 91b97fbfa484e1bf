"""Breaks the spool in one place at a time, in a private copy, and shows that some test notices each break.

    python -m tools.bench.mutations            all of them, a table, exit code 1 if one survives
    python -m tools.bench.mutations NAME ..    some of them
    python -m tools.bench.mutations --list

What a mutation is, and how it is tried: tools/bench/mutation.py.
"""

import sys
import time

from tools.bench.mutation import CHECKOUT, Mutation, broken, caught_by, check_places

TESTS = (
    "host_tests/test_record.py",
    "host_tests/test_cursors.py",
    "host_tests/test_ring.py",
    "host_tests/test_mount.py",
    "host_tests/test_blocks.py",
    "host_tests/test_aside.py",
    "host_tests/test_tight_log.py",
    "host_tests/test_search.py",
    "host_tests/test_linux_flash.py",
    "host_tests/test_linux_spool_file.py",
    "host_tests/test_linux_spool_make.py",
    "host_tests/test_spool_power_cut.py",
    "host_tests/test_spool_bit_flips.py",
    "host_tests/test_spool_model.py",
)

RING = "agent/spool/ring.py"
PROGRAMMER = "agent/spool/programmer.py"
FOLD = "agent/spool/fold.py"
BLOCKS = "agent/spool/blocks.py"
MOUNT = "agent/spool/mount.py"
PLACING = "agent/spool/placing.py"
WALK = "agent/spool/walk.py"
READER = "agent/spool/reader.py"
CURSORS = "agent/spool/cursors.py"
RECORD = "agent/spool/record.py"
FILE = "board/linux_flash.py"
SPOOL_FILE = "board/linux_spool_file.py"
MAKE = "board/linux_spool_make.py"

MUTATIONS = (
    Mutation(
        "crc-ignored",
        RECORD,
        "return get_u32(buf, end) == crc30(buf, start, end)",
        "return True",
        "the CRC is not looked at",
    ),
    Mutation(
        "acknowledged-before-program",
        PROGRAMMER,
        "        code = self.device.program(self._address(), stage, octets)\n",
        "        self.seq = seq\n"
        "        code = self.device.program(self._address(), stage, octets)\n"
        "        code = FLASH_DONE if code == FLASH_IO else code\n",
        "a refusal of the device is taken for success",
    ),
    Mutation(
        "head-alone-first",
        PROGRAMMER,
        "        code = self.device.program(self._address(), stage, octets)\n",
        "        code = self.device.program(self._address(), stage, self.align)\n"
        "        if code == FLASH_DONE and octets > self.align:\n"
        "            more = octets - self.align\n"
        "            code = self.device.program(self._address() + self.align, stage, more)\n",
        "the order of programs: the second piece is the first one's octets again",
    ),
    Mutation(
        "trusts-the-tail",
        MOUNT,
        "    if ring.role == ROLE_QUARANTINE and blank == found and offset < end:",
        "    if blank == found and offset < end:",
        "appends behind what a start found because it reads as erased",
    ),
    Mutation(
        "no-erased-check-of-the-tail",
        MOUNT,
        "    if blank != found:",
        "    if False:",
        "a damaged last record's number is given to another",
    ),
    Mutation(
        "erase-skipped-if-blank",
        BLOCKS,
        "        return self.device.erase(block)\n",
        "        return self.walk.blank_to(block, 0) < self.device.block_bytes and self.device.erase(block)\n",
        "a block that reads as erased after a cut is used",
    ),
    Mutation(
        "suspect-not-copied",
        MOUNT,
        "ring.suspect = ring.last_kind != rec.KIND_SEAL",
        "ring.suspect = False",
        "the last record is relied on though it may be half programmed",
    ),
    Mutation(
        "suspect-shown",
        READER,
        "        if kind > RECORD_NONE and self.suspect and self.walk.seq == self.seq:",
        "        if False:",
        "an unconfirmed result goes out",
    ),
    Mutation(
        "faded-is-known",
        RING,
        "        self.torn += 1\n        self.seq -= 1\n",
        "        self.torn += 1\n",
        "a record that faded stays the last one",
    ),
    Mutation(
        "faded-is-relied-on",
        RING,
        "        return done and self.torn == torn\n",
        "        return done\n",
        "a repeat is acknowledged though the record that it was found in has faded",
    ),
    Mutation(
        "no-bound",
        READER,
        "                return walk.after + 1\n",
        "                return rec.SEQ_TOP\n",
        "what a cut left in a block counts when it becomes readable",
    ),
    Mutation(
        "after-not-written",
        FOLD,
        "self.first_block, self.certain or self.seq)",
        "self.first_block, self.certain or self.seq + 2)",
        "HEADs name a bound that is too high",
    ),
    Mutation(
        "cursor-ahead",
        READER,
        "        cursor.seq = walk.seq - 1\n",
        "        cursor.seq = walk.seq\n        cursor.number = number\n",
        "looking at a result moves the cursor over it",
    ),
    Mutation(
        "free-for-one-outlet",
        BLOCKS,
        "            if cursor.durable and cursor.block == block and cursor.seq < self.seq:\n                # This",
        "            if cursor is self.cursors[0] and cursor.block == block and cursor.seq < self.seq:\n"
        "                # This",
        "a block is freed when the first outlet has passed it",
    ),
    Mutation(
        "never-full",
        BLOCKS,
        " or (cursor.block == block and cursor.seq < self.seq):\n                    return False\n",
        ":\n                    return False\n",
        "a block that is still needed is erased",
    ),
    Mutation(
        "no-room-for-cursors",
        RING,
        "        if room < self._reserve and not self.saving:\n",
        "        if room < 0:\n",
        "a result takes the room of the cursor record",
    ),
    Mutation(
        "limit-too-high",
        FOLD,
        "        self.cursors[0].limit = get_u32(self.stage, HEAD_BYTES + rec.AT_CURSORS + 8)\n",
        "        self.cursors[0].limit = get_u32(self.stage, HEAD_BYTES + rec.AT_CURSORS + 8) + SENT_AHEAD\n",
        "more is sent than the log says",
    ),
    Mutation(
        "failed-block-not-passed",
        BLOCKS,
        "        self._burned += BURNED\n        self.next_ready = False\n        return",
        "        self.next_ready = False\n        return",
        "numbers in a block that could not be erased are given again",
    ),
    Mutation(
        "passed-over-not-said",
        PROGRAMMER,
        "rec.KIND_HEAD, self._passed_over, HEAD_PAYLOAD",
        "rec.KIND_HEAD, 0, HEAD_PAYLOAD",
        "results take the spare block in front of one that cannot be erased",
    ),
    Mutation(
        "half-ends-at-a-failed-block",
        PLACING,
        "following if damaged < 0 and following >= 0 else oldest",
        "(ring.half + 1) % count",
        "what was given up behind a block that failed counts as damaged",
    ),
    Mutation(
        "write-failure-not-burned",
        PROGRAMMER,
        "        if self._opens >= 0:\n            self._burned += BURNED\n        self.offset",
        "        self.offset",
        "numbers in a block that failed are given again",
    ),
    Mutation(
        "oldest-is-newest",
        MOUNT,
        "        if walk.seq > ring.seq:\n            ring.seq",
        "        if ring.seq == 0 or walk.seq < ring.seq:\n            ring.seq",
        "the log is continued at its oldest block",
    ),
    Mutation(
        "cursor-placed-late",
        PLACING,
        "            if walk.after <= cursor.seq:",
        "            if walk.after <= cursor.seq + 5:",
        "a cursor is placed behind results it has not seen",
    ),
    Mutation(
        "read-errors-are-the-end",
        MOUNT,
        "            return headed if kind == RECORD_NONE else -1\n",
        "            return headed\n",
        "a device that cannot be read counts as an empty one",
    ),
    Mutation(
        "one-reading",
        MOUNT,
        "        if block == headed and headed_here == 0:\n            return expected\n",
        "",
        "a HEAD that reads differently the second time leaves the counters at zero",
    ),
    Mutation(
        "block-behind-kept",
        BLOCKS,
        "            if code == FLASH_DONE and self.after_start and not self.sparing:\n"
        "                code = self._clear_behind()\n",
        "",
        "what two cuts hid looks newer than the log",
    ),
    Mutation(
        "head-alone-counts",
        MOUNT,
        "        if began == 0 and ring.last_kind != rec.KIND_HEAD:\n",
        "        if began == 0:\n",
        "a HEAD whose record was torn off counts as an opened block",
    ),
    Mutation(
        "unopened-block-in-order",
        PLACING,
        " or walk.seq >= below:\n            continue  # left over",
        ":\n            continue  # left over",
        "a cursor is placed in a block that was never opened",
    ),
    Mutation(
        "last-result-applied",
        MOUNT,
        "        _remember(ring, before.memory, before.number, before.events)\n",
        "        pass\n",
        "the last result is known before it was written once more",
    ),
    Mutation(
        "bound-kept",
        CURSORS,
        "        self.offset = offset\n        self.bound = UNKNOWN\n",
        "        self.offset = offset\n",
        "the bound of one block is used in the next",
    ),
    Mutation(
        "spare-not-kept",
        RING,
        "self._open_next(leave)",
        "self._open_next(0)",
        "a result takes the last free block",
    ),
    Mutation(
        "cursor-not-saved-first",
        BLOCKS,
        "        if not self._move_on(block) or self._save_passed(block) != FLASH_DONE:\n",
        "        if not self._move_on(block):\n",
        "the durable cursor stands in a block that is erased",
    ),
    Mutation(
        "best-effort-not-moved-on",
        BLOCKS,
        "        if not self._move_on(block) or self._save_passed(block) != FLASH_DONE:\n",
        "        if self._save_passed(block) != FLASH_DONE:\n",
        "what a best-effort outlet misses when its block is erased is not counted",
    ),
    Mutation(
        "aside-not-protected",
        BLOCKS,
        "        if self.aside_block == block and self.has_aside():\n            return False\n",
        "",
        "what is set aside is erased",
    ),
    Mutation(
        "not-applied",
        PROGRAMMER,
        "            self.apply(kind, flags, stage, self.payload_at, length)\n",
        "",
        "what a record says is not remembered while running",
    ),
    Mutation(
        "limit-early",
        RING,
        "        at = self.begin(rec.KIND_CURSOR, CURSOR_PAYLOAD)\n",
        "        self.cursors[0].limit = limit\n        at = self.begin(rec.KIND_CURSOR, CURSOR_PAYLOAD)\n",
        "results may go out before the log says so",
    ),
    Mutation(
        "head-grants-always",
        PROGRAMMER,
        "        if ahead < SENT_AHEAD and self.role == ROLE_MAIN and not self.is_free(2):\n",
        "        if ahead == 0:\n",
        "a HEAD allows results to go out that nobody sends",
    ),
    Mutation(
        "grant-taken-back",
        RING,
        "            if limit < granted and not",
        "            if False and not",
        "what was granted in the last free block is taken back",
    ),
    Mutation(
        "cursor-in-an-erased-block",
        BLOCKS,
        "            if cursor.block == block:\n                cursor.enter(block, 0)\n",
        "            pass\n",
        "a cursor looks for the next result behind where it begins",
    ),
    Mutation(
        "damage-ends-the-block",
        WALK,
        "                self.skipped += 1\n                self.offset += ALIGN_BYTES\n",
        "                return RECORD_NONE\n",
        "a damaged record hides those behind it",
    ),
    Mutation(
        "hole-ends-the-block",
        WALK,
        "                offset = self.blank_to(self.block, self.offset + ALIGN_BYTES)\n",
        "                return RECORD_NONE\n",
        "a lost unit hides the records behind it",
    ),
    Mutation(
        "damage-not-counted", READER, "                self.damaged += last - known\n", "", "damage is not counted"
    ),
    Mutation(
        "geometry-ignored",
        MOUNT,
        "            if ring.why:\n                return SPOOL_FOREIGN\n",
        "",
        "a spool that does not fit is overwritten",
    ),
    Mutation(
        "not-written-through",
        FILE,
        "            os.fdatasync(self._descriptor)\n",
        "",
        "programs stay in the page cache",
    ),
    Mutation("not-locked", SPOOL_FILE, "        lock(self.descriptor, self.path)\n", "", "two agents share one file"),
    Mutation("gone-unseen", FILE, "        if not in_place:\n", "        if False:\n", "a deleted file is durable"),
    Mutation(
        "any-station",
        SPOOL_FILE,
        "header.owner not in (NOBODY, owner):",
        "header.owner is None:",
        "the spool of another station is used",
    ),
    Mutation(
        "named-too-early",
        MAKE,
        "        _write(descriptor, header.page(), 0)\n",
        "        _name(new_path, path)\n        _write(descriptor, header.page(), 0)\n",
        "a half-made file has the spool's name",
    ),
)


def check_list() -> None:
    """Every mutation still has its place; ValueError names the first that has none."""
    check_places(CHECKOUT, MUTATIONS)


def run(names: list[str]) -> int:
    """Try the mutations of these names, or all; return how many survived."""
    survived = 0
    for mutation in MUTATIONS:
        if names and mutation.name not in names:
            continue
        start = time.monotonic()
        with broken(mutation) as root:
            caught = caught_by(root, TESTS)
        survived += not caught
        print(
            f"{mutation.name:30} {time.monotonic() - start:5.0f} s  {caught or 'SURVIVED: ' + mutation.why}", flush=True
        )
    return survived


if __name__ == "__main__":
    if "--list" in sys.argv:
        for one in MUTATIONS:
            print(f"{one.name:30} {one.why}")
        sys.exit(0)
    sys.exit(1 if run(sys.argv[1:]) else 0)
