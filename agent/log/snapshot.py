"""What a station remembers beside its results: whole snapshots in four blocks, durable when `save` says so.

    byte   0    2         3      4            8          12     13           16        208      252     256
           | TS | version | slot | generation | identity | size | places     | numbers | bytes | CRC-30 |
           |    | u8      | u8   | u32        | u32      | u8   | u24        | 48 u32  | 44     | u32    |

Version 5 has all in these places. Version 6, of a state that knows a break in ToolsNet's sequences (`broke_at`,
toolcart.agent.outlets.toolsnet.sequence_break), has what that says in the upper 13 bits of three sequences' numbers.
Version 7, of a state of which several outlets lack something (toolcart.agent.log.missed_counts), and that knows no
break, has the upper bits of what they lack there. Versions 8 to 10 are 5 to 7 of a state whose ToolsNet may have had
more than is counted (HAD_MORE).
A number has 30 bits. The two bits above each hold the names of the places (toolcart.agent.cart.outlet_places): 12
bytes, the lowest two bits of the first one above the first number.

Rules
1. A snapshot counts only in its own block, slot and generation, and only if it reads back as it was written.
2. A session's first snapshot opens a block erased just before, and so does the one after a refusal: flash that the
   start found is never programmed before an erase. A fresh block begins with the same snapshot twice.
3. At a start the highest generation counts, and in it the last slot. A first snapshot with nothing after it does not:
   its opening was cut, and it may read well at one start and not at the next. Only where nothing else counts it is
   better than nothing: with two blocks left a cut can fade what the start before believed, and erased the other for.
   The next block is one in which nothing counts, else the oldest: never the one that counts. Where something stands
   behind the one that counts, it may have been a newer one, and this one is `older`. So may be what a file has in a
   block without any, until the first save opens that, too; on a chip such a block is worn, or half erased.
4. Generations stay above the rounds of the logs' blocks (toolcart.agent.log.block_head): a session begins above all
   before it.
5. A block that fails is abandoned. With two left there is an alarm; with one nothing is saved any more, so nothing is
   appended, erased or acknowledged either: all that the logs hold goes out, after each start again.
6. A number that no snapshot can hold is a fault of this program: it is put right, counted, and never stops a station.
"""

from struct import pack_into

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import copy, get_u32
from toolcart.agent.log.block_head import size_of
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from toolcart.agent.log.snapshot_fields import (
    AREA,
    AREA_GRAPHS,
    CURSOR,
    EVENT_SEQUENCE_LAG,
    GRAPH_CURSOR,
    HAD_MORE,
    JUMPED,
    JUMPED_FINDS_AGAIN,
    MISSED,
    MOVED,
    NUMBERS,
    OCTETS,
    PLACE_BITS,
    PLACES,
    SEQUENCE_LAG,
    TAKEN,
)

STATE_FINE = const(0)
STATE_WORN = const(1)  # two blocks left
STATE_LAST = const(2)  # one: it is kept as it is

STATE_BLOCKS = const(4)
_SNAPSHOT_BYTES = const(256)

STATE_EMPTY = const(0)  # what `load` finds
STATE_FOUND = const(1)
STATE_LOST = const(-1)  # the device refuses
STATE_FOREIGN = const(-2)

VERSION = const(5)
_VERSION_BROKEN = const(6)  # it says where ToolsNet's sequences broke
_VERSION_SHARED = const(7)  # it says what each of several outlets lacks
_MORE = const(3)  # added to each: for the bit above its places
_VERSION_BEFORE = const(4)  # its outlets had no names: read, never written (toolcart.agent.log.snapshot_v4)
NAME_BYTES = const(3)
NOBODY_KNOWS = const(-1)  # what an outlet has had, as the state was lost

_AT_SLOT = const(3)
_AT_GENERATION = const(4)
_AT_IDENTITY = const(8)
_AT_SIZE = const(12)
_AT_PLACES = const(13)
_AT_NUMBERS = const(16)
_AT_OCTETS = const(208)
_AT_CRC = const(252)
_T = const(0x54)
_S = const(0x53)
_NUMBER_TOP = const(0x3FFFFFFF)
_SEQUENCE_BITS = const(17)
_SEQUENCE_TOP = const(0x1FFFF)
_LOW = const(0x1FFF)  # what fits above a sequence
_LOW_BITS = const(13)
_SEQUENCES = const(99999)
_TOP_BYTE = const(0x3F)  # what a number leaves of its highest byte


class Snapshot:
    """`numbers` and `octets` are the current values, `durable` the numbers in the last snapshot."""

    def __init__(self, device):
        if device.block_count != STATE_BLOCKS:
            raise ValueError("the state has %d blocks" % STATE_BLOCKS)
        octets = max(device.unit_bytes, _SNAPSHOT_BYTES)  # of a slot
        self.device = device
        # A snapshot of this session is durable, none was refused since, and no damage was found since.
        self.is_reliable = False
        self.numbers = [0] * NUMBERS
        self.durable = [0] * NUMBERS
        self.octets = bytearray(OCTETS)
        self.identity = 0  # of the station's area
        self.places = 0  # whose they are (toolcart.agent.cart.outlet_places), six bits each; 0: nobody's
        self.names = bytearray(NAME_BYTES * PLACES)  # of the outlets that have the places, hashed
        self.refound_damage = []  # what the next start finds again of DAMAGED (toolcart.agent.log.refound_damage)
        self.finds_again = False  # DAMAGED lacks what the last session had found and this start finds again
        self.had = [0] * PLACES  # by place: what its outlet has had, where the cursor was moved past more (put_moved)
        self.missed_counts = [0] * PLACES  # by its place; the first is of events (toolcart.agent.log.missed_counts)
        self.shared = ()  # number MISSED of version 7, and what stands above its three sequences
        # The last sequence before ToolsNet's broke, and by how much (outlets.toolsnet.sequence_break).
        self.broke_at = self.broke_by = 0
        self.found = False  # a snapshot was there
        self.lost = False  # there was none, but the logs hold something
        self.older = False  # a newer one may have been there, which cannot be read any more
        self.alarm = STATE_FINE
        self.saves = 0
        self.erases = 0
        self.worn = 0
        self.corrected = 0  # rule 6
        self._slots = device.block_bytes // octets
        self._size = size_of(device)
        self._image = bytearray(b"\xff" * octets)
        self._read = self._image  # another one while it loads
        self._cursors = []
        self._lags = []  # the place of each one's `sequence_lag`, below 0: none
        self._generations = [0] * STATE_BLOCKS  # the highest among the block's snapshots, 0 if none counts
        self._bad = [False] * STATE_BLOCKS
        self._spoilt = []  # of a file: blocks with something, but no snapshot
        self._top = 0
        self.round = 0  # of the newest block begun in this session: above all those of earlier sessions
        self._block = 0
        self._next = self._slots  # slot for the next snapshot; none yet

    def follow(self, cursor, slot, lag=-1):
        """Keep the cursor's number in `numbers[slot]`, its sequence_lag in `numbers[lag]`; set it to what is there."""
        cursor.slot = slot
        self._cursors.append(cursor)
        self._lags.append(lag)
        self._place(cursor, lag)

    def _place(self, cursor, lag):
        numbers, slot = self.numbers, cursor.slot
        if self._says_confirmed(slot):
            return
        cursor.number = numbers[slot]
        if lag >= 0:
            cursor.sequence_lag = numbers[lag]
        if CURSOR < slot < CURSOR + PLACES:
            had = numbers[slot + GRAPH_CURSOR - CURSOR]
            self.had[slot - CURSOR] = NOBODY_KNOWS if had == _NUMBER_TOP else had

    def _says_confirmed(self, slot):
        """True if this number, how far an outlet is in the curves, says what it has had: it was moved in the log."""
        place = slot - GRAPH_CURSOR
        return 0 < place < PLACES and self.places >> PLACE_BITS * place & MOVED != 0

    def kept_blocks(self):
        """Return how many blocks the quarantine has, as the area was made."""
        return self.numbers[AREA] & (1 << AREA_GRAPHS) - 1

    def graph_blocks(self):
        """Return how many blocks the ring of curves has, as the area was made."""
        return self.numbers[AREA] >> AREA_GRAPHS

    def put_moved(self, cursor, number):
        """An outlet's cursor was moved past what it has not had: it has what comes up to `number`, or NOBODY_KNOWS.

        A number above the cursor was never sent, and the outlet names it (toolcart.agent.outlets.redelivery).
        A snapshot has that where it says else how far the outlet is in the curves: of these some come twice then.
        """
        if not self.is_moved(cursor):
            self.had[cursor.slot - CURSOR] = number
        self.places |= MOVED << PLACE_BITS * (cursor.slot - CURSOR)

    def is_moved(self, cursor):
        """True if `put_moved` was called for this cursor, and `put_confirmed` not since."""
        return self.places >> PLACE_BITS * (cursor.slot - CURSOR) & MOVED != 0

    def put_confirmed(self, cursor):
        """An outlet has what its cursor has passed."""
        self.places &= ~(MOVED << PLACE_BITS * (cursor.slot - CURSOR))

    def confirmed(self, cursor):
        """Return up to which number this cursor's outlet has confirmed; 0 also where nobody knows that."""
        had = self.had[cursor.slot - CURSOR] if self.is_moved(cursor) else cursor.number
        return max(0, min(had, cursor.number))

    def rise(self, round):
        """Take note that a log has used this round: what this session begins is above it."""
        self._top = max(self._top, round * STATE_BLOCKS)

    # -- writing -----------------------------------------------------------------------------------------------

    def ensure_reliable(self):
        """True if `is_reliable`; if not, try to save a snapshot.

        Also True with STATE_LAST: delivery goes on without.
        """
        return self.is_reliable or self.alarm == STATE_LAST or self.save() or self.alarm == STATE_LAST

    def writes_in_one_program(self):
        """True if the next snapshot is one program."""
        return self.is_reliable and self._next < self._slots

    def save_cursor(self, cursor):
        """Make durable where this cursor is; True if it is."""
        return self.durable[cursor.slot] == cursor.number or self.save()

    def save(self):
        """Make the current values durable; return True if they are. If not, either this or an older snapshot may count.

        Hot: allocates nothing.
        """
        if self.refound_damage:
            from toolcart.agent.log.refound_damage import save_without  # hardly any log has damage

            return save_without(self, self._cursors)
        numbers = self.numbers
        cursors = self._cursors
        for index in range(len(cursors)):
            cursor = cursors[index]
            lag = self._lags[index]
            slot = cursor.slot
            if slot > GRAPH_CURSOR and self._says_confirmed(slot):
                continue
            numbers[slot] = cursor.number
            if CURSOR < slot < CURSOR + PLACES:
                had = self.had[slot - CURSOR] & _NUMBER_TOP if self.is_moved(cursor) else 0
                numbers[slot + GRAPH_CURSOR - CURSOR] = had
            if lag >= 0:
                numbers[lag] = cursor.sequence_lag
        if min(numbers) < 0 or max(numbers) > _NUMBER_TOP:
            self._correct()
        self.is_reliable = False
        if self.alarm != STATE_LAST and self._put():
            durable = self.durable
            for index in range(NUMBERS):
                durable[index] = numbers[index]
            self.saves += 1
            self.is_reliable = True
        return self.is_reliable

    def _correct(self):
        """Bring every number into the range that a snapshot can hold, and count those that were not."""
        numbers = self.numbers
        for index in range(NUMBERS):
            number = numbers[index]
            if not 0 <= number <= _NUMBER_TOP:
                numbers[index] = 0 if number < 0 else _NUMBER_TOP
                self.corrected += 1
        for index in range(len(self._cursors)):
            self._place(self._cursors[index], self._lags[index])

    def _put(self):
        """Write a snapshot somewhere; return True if it is durable."""
        code = FLASH_WORN
        if self._next < self._slots:
            code = self._program(self._block, self._next, self._generations[self._block])
            self._next += 1
            if code == FLASH_WORN:
                self._leave(self._block)
        while code == FLASH_WORN and self.alarm != STATE_LAST:
            block = self._choose()
            code = self._open(block)
            if code == FLASH_WORN:
                self._leave(block)
        while self._spoilt and code == FLASH_DONE:
            block = self._spoilt.pop()
            code = self._open(block) if self._generations[block] == 0 else code
        if code != FLASH_DONE:
            self._next = self._slots
        return code == FLASH_DONE

    def _choose(self):
        """Return the block to open next."""
        oldest = -1
        for block in range(STATE_BLOCKS):
            if not self._bad[block] and (oldest < 0 or self._generations[block] < self._generations[oldest]):
                oldest = block
        return oldest

    def _open(self, block):
        """Erase the block and write the same snapshot to it twice; return FLASH_DONE or the device's code."""
        generation = (self._top // STATE_BLOCKS + 1) * STATE_BLOCKS + block
        self._generations[block] = 0
        self.erases += 1
        code = self.device.erase(block)
        if code == FLASH_DONE:
            self._top = generation
            code = self._program(block, 0, generation)
        if code == FLASH_DONE:
            code = self._program(block, 1, generation)
        if code == FLASH_DONE:
            self._generations[block] = generation
            self.round = generation // STATE_BLOCKS
            self._block = block
            self._next = 2
        return code

    def _leave(self, block):
        self._bad[block] = True
        self.worn += 1
        self.alarm = STATE_LAST if self.worn >= STATE_BLOCKS - 1 else STATE_WORN if self.worn == 2 else STATE_FINE

    def _program(self, block, slot, generation):
        """Write a snapshot and read it back; return FLASH_DONE if it is sound, FLASH_WORN if not, or FLASH_IO."""
        image = self._image
        numbers = self.numbers
        shared = self.shared
        places = self.places
        version = VERSION
        if self.broke_at:
            version = _VERSION_BROKEN
        elif shared:
            version = _VERSION_SHARED
        pack_into(
            "<BBBBIIBHB",
            image,
            0,
            _T,
            _S,
            version + (_MORE if places & HAD_MORE else 0),
            slot,
            generation,
            self.identity,
            self._size,
            places & 65535,
            places >> 16 & 255,
        )
        at = _AT_NUMBERS
        for number in numbers:
            pack_into("<I", image, at, number)
            at += 4
        if version == _VERSION_BROKEN:
            by = self.broke_by
            high = self.broke_at >> _LOW_BITS | by >> _LOW_BITS << 4
            self._put_above(image, self.broke_at & _LOW, by & _LOW, high)
        elif version == _VERSION_SHARED:
            pack_into("<I", image, _AT_NUMBERS + 4 * MISSED, shared[0])
            self._put_above(image, shared[1], shared[2], shared[3])
        at = _AT_NUMBERS + 3
        for byte in self.names:
            image[at] |= byte << 6 & 0xC0
            image[at + 4] |= byte << 4 & 0xC0
            image[at + 8] |= byte << 2 & 0xC0
            image[at + 12] |= byte & 0xC0
            at += 16
        copy(image, _AT_OCTETS, self.octets, 0, OCTETS)
        pack_into("<I", image, _AT_CRC, crc30(image, 0, _AT_CRC))
        address = block * self.device.block_bytes + slot * len(image)
        code = self.device.program(address, image, len(image))
        if code != FLASH_DONE:
            return code
        if self.device.read_into(address, image, len(image)) != FLASH_DONE:
            return FLASH_IO
        # It is there if a start would find it.
        is_there = get_u32(image, _AT_GENERATION) == generation
        return FLASH_DONE if is_there and get_u32(image, _AT_CRC) == crc30(image, 0, _AT_CRC) else FLASH_WORN

    def _put_above(self, image, one, two, three):
        """Put 13 bits above each of the sequences' numbers."""
        numbers = self.numbers
        numbers[SEQUENCE_LAG] %= _SEQUENCES  # as a start finds it
        numbers[EVENT_SEQUENCE_LAG] %= _SEQUENCES
        pack_into("<I", image, _AT_NUMBERS + 4 * SEQUENCE_LAG, numbers[SEQUENCE_LAG] | one << _SEQUENCE_BITS)
        pack_into("<I", image, _AT_NUMBERS + 4 * TAKEN, numbers[TAKEN] | two << _SEQUENCE_BITS)
        word = numbers[EVENT_SEQUENCE_LAG] | three << _SEQUENCE_BITS
        pack_into("<I", image, _AT_NUMBERS + 4 * EVENT_SEQUENCE_LAG, word)

    def _take_above(self):
        """Return what stands above the sequences' numbers, and leave these."""
        numbers = self.numbers
        above = []
        for index in (SEQUENCE_LAG, TAKEN, EVENT_SEQUENCE_LAG):
            above.append(numbers[index] >> _SEQUENCE_BITS)
            numbers[index] &= _SEQUENCE_TOP
            self.durable[index] = numbers[index]
        return above

    # -- the start ---------------------------------------------------------------------------------------------

    def load(self):
        """Read the snapshot that counts; return a STATE_ code: FOUND, EMPTY, LOST or FOREIGN. Writes nothing."""
        self._read = bytearray(len(self._image))
        code = self._find()
        self._read = self._image  # what it took is given back to the heap
        return code

    def _find(self):
        best = lone = 0
        is_older = False
        for block in range(STATE_BLOCKS):
            follows = is_known = False
            last = 0  # slot with something else, behind all snapshots; the first two are the same
            for slot in range(self._slots - 1, -1, -1):
                code = self._read_slot(block, slot)
                if code < 0:
                    return code
                if last == 0 and not is_known and code != STATE_FOUND and min(self._read) < 0xFF:
                    last = slot
                if code == STATE_FOUND:
                    is_known = True
                    generation = get_u32(self._read, _AT_GENERATION)
                    self._top = max(self._top, generation)
                    counts = slot or follows
                    if counts:
                        self._generations[block] = max(self._generations[block], generation)
                    if generation > best if counts else best == 0 and generation > lone:
                        self._image, self._read = self._read, self._image
                        if counts:
                            best = generation
                            is_older = last > 1
                        else:
                            lone = generation
                follows = code == STATE_FOUND or (slot == 1 and min(self._read) < 0xFF)
            if last > 0 and not is_known and not self.device.wears:
                self._spoilt.append(block)
        if best == lone == 0:
            return STATE_EMPTY
        self._unpack(self._image)
        self.found = True
        self.older = is_older or self._spoilt != []
        return STATE_FOUND

    def _read_slot(self, block, slot):
        """Read one slot; return STATE_FOUND if its snapshot belongs in this place."""
        read = self._read
        octets = len(read)
        if self.device.read_into(block * self.device.block_bytes + slot * octets, read, octets) != FLASH_DONE:
            return STATE_LOST
        if read[0] != _T or read[1] != _S or get_u32(read, _AT_CRC) != crc30(read, 0, _AT_CRC):
            return STATE_EMPTY
        if not _VERSION_BEFORE <= read[2] <= _VERSION_SHARED + _MORE or read[_AT_SIZE] != self._size:
            return STATE_FOREIGN
        generation = get_u32(read, _AT_GENERATION)
        own = read[_AT_SLOT] == slot and generation > 0 and generation % STATE_BLOCKS == block
        return STATE_FOUND if own else STATE_EMPTY

    def _unpack(self, image):
        self.identity = get_u32(image, _AT_IDENTITY)
        self.places = image[_AT_PLACES] | image[_AT_PLACES + 1] << 8 | image[_AT_PLACES + 2] << 16
        version = image[2]
        if version > _VERSION_SHARED:
            version -= _MORE
            self.places |= HAD_MORE
        for index in range(len(self.names)):
            at = _AT_NUMBERS + 3 + 16 * index
            self.names[index] = (
                image[at] >> 6 | (image[at + 4] >> 6) << 2 | (image[at + 8] >> 6) << 4 | image[at + 12] & 0xC0
            )
        for index in range(NUMBERS):
            at = _AT_NUMBERS + 4 * index
            image[at + 3] &= _TOP_BYTE
            self.numbers[index] = self.durable[index] = get_u32(image, at)
        copy(self.octets, 0, image, _AT_OCTETS, OCTETS)
        if self.numbers[JUMPED] & JUMPED_FINDS_AGAIN:
            self.finds_again = True
            self.numbers[JUMPED] &= ~JUMPED_FINDS_AGAIN
        if version == _VERSION_BEFORE:
            from toolcart.agent.log.snapshot_v4 import convert  # once in the life of a spool

            convert(self)
        elif version == _VERSION_BROKEN:
            at, by, high = self._take_above()
            self.broke_at = at | (high & 15) << _LOW_BITS
            self.broke_by = by | (high >> 4) << _LOW_BITS
        is_shared = version == _VERSION_SHARED
        if self.numbers[MISSED] or is_shared:
            from toolcart.agent.log.missed_counts import load  # most spools have lost nothing

            load(self, self._take_above() if is_shared else None)
        for index in range(len(self._cursors)):
            self._place(self._cursors[index], self._lags[index])


assert _AT_NUMBERS + 4 * NUMBERS == _AT_OCTETS and _AT_OCTETS + OCTETS == _AT_CRC
