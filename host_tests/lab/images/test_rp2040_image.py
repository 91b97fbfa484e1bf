"""Our RP2040 image on a simulated chip: mpremote, what is in it, its flash through power cuts, the heap it leaves."""

import json
import random
import re
import subprocess
import time

import pytest

from toolcart.agent.record import KIND_RESULT
from toolcart.board import FILES_BYTES
from toolcart.tools.flash.package import completed
from host_tests.portable import LONG
from host_tests.support.chip_plant import Plant
from host_tests.support.firmware import lines_of, need_rp2040
from lab.firmware import rp2040
from lab.firmware.romfs import image, number

BLOCKS = 6
RECORDS = 40
CUTS = 60 if LONG else 9
# A record is 64 words of a page, an erased block 1024, the first formatting of the files about 1200.
MOST_WORDS = 2600
ERASES_A_LIFE = MOST_WORDS // 1024 + 1
RECORDS_A_BLOCK = 16
IMPORTS_BYTES = 41000  # 39,168 measured
HEAP_KIB = 75  # a KiB above the least
TRAFFIC_S = 150  # 20 s on a quiet machine
RESULTS = 35  # more than a block of the flash holds
KEEP = "with open('/kept', 'w') as file:\n file.write('x' * %d)\n"

built = pytest.mark.long("an image is built of MicroPython's sources")


@pytest.fixture(scope="module", autouse=True)
def image_is_built():
    need_rp2040()


def ran(folder, source, *words, **options):
    """The exit code and the lines of this program on the chip."""
    script = folder / "job.py"
    script.write_text(source)
    return lines_of(rp2040.command(script, words, **options))


def lines_of_lives(lines):
    """The lines of each life of the chip, which ends with a cut or at the end."""
    parts = [[]]
    for line in lines:
        if line.startswith("== cut"):
            parts.append([])
        elif line:
            parts[-1].append(line)
    return parts


def numbers(lines, word):
    return [int(line.split()[1]) for line in lines if re.fullmatch(rf"{word} \d+", line)]


def check_lives(lines):
    """What was acknowledged in any life is there in every later one, in order and as it was written."""
    acknowledged = set()
    logs = most = 0
    before = 1
    for life in lines_of_lives(lines):
        assert not [line for line in life if line.startswith(("WRONG", "DISORDER", "Traceback"))], life
        missing = set(numbers(life, "MISSING"))
        log = next((line.split()[1:] for line in life if line.startswith("LOG ")), None)
        if log is not None and len(log) == 3:
            logs += 1
            first, last, used = [int(word) for word in log]
            assert not missing & acknowledged
            assert max(acknowledged, default=0) <= last
            # The oldest go with the block they lie in, when the ring is full and not before. A cut ends a block early.
            most = max(most, used)
            assert first <= 1 or most >= BLOCKS - 1
            assert first - before <= RECORDS_A_BLOCK * ERASES_A_LIFE
            before = max(first, 1)
        acknowledged |= set(numbers(life, "ACK"))
    return logs, acknowledged


@built
def test_core_is_frozen_and_the_flash_is_divided_between_files_and_ring(tmp_path):
    code, lines = ran(
        tmp_path,
        "import os, sys\nimport toolcart.agent.cart.app\nfrom toolcart.board.rp2 import flash as rp2_flash\n"
        "print(toolcart.agent.cart.app.__file__, 'toolcart' in os.listdir('/'))\n"
        "print(os.statvfs('/')[2], rp2_flash.ring().block_count)\n"
        "print('toolcart.agent.base.fields_viper' in sys.modules)\n",
    )
    files = FILES_BYTES // 4096
    ring = rp2040.STORAGE_BYTES // 4096 - files
    assert (code, lines) == (0, ["toolcart/agent/cart/app.py False", f"{files} {ring}", "True"])


IMPORTS = """import gc
def all_imports():
    import toolcart.board.main
    import toolcart.agent.cart.app
    import toolcart.board.loop
    import toolcart.board.housekeeping
    import toolcart.board.rp2.board
gc.collect()
before = gc.mem_alloc()
all_imports()
gc.collect()
print(gc.mem_alloc() - before)
"""


@built
def test_the_imports_of_a_board_leave_the_heap_to_what_runs(tmp_path):
    code, lines = ran(tmp_path, IMPORTS)
    assert code == 0 and 35000 < int(lines[0]) <= IMPORTS_BYTES, lines


@built
def test_power_cuts_at_any_word_of_the_flash_lose_nothing_acknowledged():
    dice = random.Random(20)
    cuts = tuple(dice.randrange(1, MOST_WORDS) for _ in range(CUTS))
    job = rp2040.JOBS / "spool_job.py"
    args = (str(KIND_RESULT), str(BLOCKS), str(RECORDS))
    code, lines = lines_of(
        rp2040.command(job, args, cuts=cuts, count_from=rp2040.ring_start()), 280 if not LONG else 3000
    )
    assert code == 0, lines[-5:]
    logs, acknowledged = check_lives(lines)
    assert len(lines_of_lives(lines)) == CUTS + 1
    assert logs >= CUTS // 5  # many cuts hit the mount itself, which erases a block for the copy of the last record
    assert len(acknowledged) >= RECORDS
    print(f"{CUTS} cuts, {len(acknowledged)} records acknowledged, none lost")


@pytest.mark.long("another start of the chip")
@built
def test_power_cut_while_the_files_are_first_formatted_is_made_good(tmp_path):
    flash = tmp_path / "flash.bin"
    source = "import os\n" + KEEP % 900 + "print(os.stat('/kept')[6])\n"
    code, lines = ran(tmp_path, source, flash=flash, cuts=(7, 700, 1100))
    assert code == 0
    assert lines_of_lives(lines)[-1] == ["900"]
    # What was written is there after power has come back.
    assert ran(tmp_path, "print(len(open('/kept').read()))\n", flash=flash) == (0, ["900"])


@pytest.mark.long("another start of the chip")
@built
def test_damaged_file_system_is_left_alone_and_the_ring_with_it(tmp_path):
    flash = tmp_path / "flash.bin"
    assert ran(tmp_path, KEEP % 9000, flash=flash)[0] == 0
    octets = bytearray(flash.read_bytes())
    files = rp2040.ring_start() - FILES_BYTES
    octets[files : files + 8192] = bytes(8192)
    flash.write_bytes(octets)
    source = "from toolcart.board.rp2 import flash as rp2_flash\nprint('still reachable', rp2_flash.ring())\n"
    # No ring either: without a file system no one knows where it begins.
    assert ran(tmp_path, source, flash=flash) == (0, ["still reachable None"])
    assert flash.read_bytes()[files : rp2040.ring_start()] == octets[files : rp2040.ring_start()]


DIVIDE = """import os, rp2, sys, vfs
from toolcart.board.rp2.flash import Rp2Flash
size = int(sys.argv[1])
vfs.umount("/")
vfs.VfsLfs2.mkfs(rp2.Flash(len=size), progsize=256)
vfs.mount(vfs.VfsLfs2(rp2.Flash(len=size), progsize=256), "/")
with open("/kept", "w") as file:
    file.write("x" * 9000)
if size < rp2.Flash().ioctl(4, 0) * 4096:
    Rp2Flash(size).program(0, bytearray(b"ring" * 64), 256)
"""
LOOK = """import os
from toolcart.board.rp2 import flash as rp2_flash
ring = rp2_flash.ring()
found = bytearray(4)
if ring:
    ring.read_into(0, found, 4)
print(os.statvfs("/")[2], os.stat("/kept")[6], ring and ring.block_count, bytes(found))
print(rp2_flash.other_division())
"""


@pytest.mark.parametrize("files_kib", [704, pytest.param(1000, marks=pytest.mark.long("another start of the chip"))])
@built
def test_files_of_an_image_that_divided_the_flash_otherwise_stay(tmp_path, files_kib):
    assert files_kib * 1024 != FILES_BYTES
    flash = tmp_path / "flash.bin"
    assert ran(tmp_path, DIVIDE, str(files_kib * 1024), flash=flash)[0] == 0
    before = flash.read_bytes()
    code, lines = ran(tmp_path, LOOK, flash=flash)
    ring = rp2040.STORAGE_BYTES // 4096 - files_kib // 4
    assert (code, lines[0]) == (0, f"{files_kib // 4} 9000 {ring} b'ring'")
    assert f"files have {files_kib} KiB" in lines[1]
    assert flash.read_bytes() == before


@pytest.mark.long("another start of the chip")
@built
def test_file_system_of_stock_firmware_is_kept_and_leaves_no_ring(tmp_path):
    flash = tmp_path / "flash.bin"
    assert ran(tmp_path, DIVIDE, str(rp2040.STORAGE_BYTES), flash=flash)[0] == 0
    code, lines = ran(tmp_path, LOOK, flash=flash)
    assert (code, lines[0]) == (0, f"{rp2040.STORAGE_BYTES // 4096} 9000 None {bytes(4)}")


@built
def test_whole_agent_runs_with_a_backlog_on_the_chips_own_flash():
    command = rp2040.command(rp2040.JOBS / "heap_job.py", (str(HEAP_KIB * 1024),), rp2040.peers_tree())
    code, lines = lines_of(command)
    assert (code, lines[-1]) == (0, "through"), lines


TRAFFIC = {
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
    "board": {"network": "none"},
    "stations": [
        {
            "number": 10,
            "controller": {"link": "ascii", "device": "0", "baud": 9600},
            "spool": {"path": "raw", "size_kib": 64, "parked_kib": 12},
        }
    ],
}


@built
def test_results_over_a_real_uart_take_no_heap():
    """The port, the loop and the clock of the chip, not those of a test; a new block of the flash is among them."""
    with Plant() as plant:
        controller = plant.controller
        job = (rp2040.JOBS / "traffic_job.py", (json.dumps(completed(TRAFFIC)), str(RESULTS)))
        command = rp2040.command(*job, uarts=(plant.uart.port,), wired=True)
        chip = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            until = time.monotonic() + TRAFFIC_S
            while chip.poll() is None and time.monotonic() < until:
                if controller.messages.get(60) and len(controller.acknowledged) == len(controller.produced):
                    plant.loop.call(controller.produce)
                time.sleep(0.02)
        finally:
            chip.kill()
            lines = chip.communicate()[0].splitlines()
    assert lines[-1:] == ["steps 0 waits 0 stamp 48"], (lines, len(controller.acknowledged), controller.complaints)


# Long and floating numbers, text, the heap's collection, machine code, an interrupt's timer, files, the ring, a fault.
ALL_KINDS = """import array, gc, hashlib, json, os, time
import toolcart.agent.cart.app
from toolcart.board.rp2 import flash as rp2_flash
number = 3 ** 90
for at in range(1, 40):
    number = number * 7 // 5 ^ at << at * 3
print(number % 1000007, sum(1.5 / at for at in range(1, 60)), json.dumps({"a": [1.25, -7, None]}))
print(hashlib.sha256(bytes(range(200))).digest()[:4], array.array("h", (-3, 400))[0] >> 1, -17 // 5, 2 ** 0.5)
began = time.ticks_ms()
time.sleep_ms(3)
with open("/kept", "w") as file:
    file.write("x" * 5000)
rp2_flash.ring().program(0, bytearray(b"ring" * 64), 256)
print(time.ticks_us(), sorted("the ways of a chip".split()), gc.mem_free())
toolcart.agent.cart.app.no_such_name
"""


@pytest.mark.long("a start at the simulator's own pace")
@built
def test_our_own_way_through_the_instructions_is_the_simulators_to_the_cycle(tmp_path):
    runs = []
    for plain in (True, False):
        flash = tmp_path / f"{plain}.bin"
        runs.append((ran(tmp_path, ALL_KINDS, flash=flash, plain=plain), flash.read_bytes()))
    (code, lines), _ = runs[0]
    assert runs[0] == runs[1] and code == 1 and "AttributeError" in lines[-2] and lines[-1].endswith(" cycles"), lines


W5500 = """import machine, struct, time
pins = [machine.Pin(number) for number in (18, 19, 16)]
spi = machine.SPI(0, 20000000, sck=pins[0], mosi=pins[1], miso=pins[2])
select = machine.Pin(17, machine.Pin.OUT, value=1)
calls = machine.Pin(21, machine.Pin.IN)
ME, BOARD, HERE = bytes((2, 0, 0, 0, 0, 15)), bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2))
def put(at, block, octets):
    select(0); spi.write(struct.pack(">HB", at, block << 3 | 4) + octets); select(1)
def get(at, block, n):
    select(0); spi.write(struct.pack(">HB", at, block << 3)); found = spi.read(n); select(1)
    return found
def word(at, block):
    return struct.unpack(">H", get(at, block, 2))[0]
def send(kind, octets):
    end = word(0x24, 1)
    put(end, 2, bytes((255,) * 6) + ME + kind + octets)
    put(0x24, 1, struct.pack(">H", end + 14 + len(octets)))
    put(1, 1, bytes((0x20,)))
def receive():
    for _ in range(5000):
        if not calls(): break
        time.sleep_ms(1)
    at = word(0x28, 1)
    n = word(at, 3)
    frame = get(at + 2, 3, n - 2)
    put(0x28, 1, struct.pack(">H", at + n)); put(1, 1, bytes((0x40,))); put(2, 1, bytes((4,)))
    return frame[14:]
put(9, 0, ME); put(0x18, 0, bytes((1,))); put(0x2C, 1, bytes((4,))); put(0, 1, bytes((0x84,))); put(1, 1, bytes((1,)))
print(get(0x39, 0, 1)[0], calls())
send(bytes((8, 6)), bytes((0, 1, 8, 0, 6, 4, 0, 1)) + ME + BOARD + bytes(6) + HERE)
print(receive()[14:18] == HERE, calls())
syn = struct.pack(">HHIIBBHHH", 50000, 1, 7, 0, 0x50, 2, 1000, 0, 0)
send(bytes((8, 0)), struct.pack(">BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + BOARD + HERE + syn)
print(struct.unpack(">HHIIBB", receive()[20:34]))
"""


@built
def test_the_simulated_w5500_has_a_network_that_answers(tmp_path):
    # Its version; who has this address; nobody listens at port 1 of this machine: RST with ACK of what was asked.
    assert ran(tmp_path, W5500, lan=True) == (0, ["4 1", "True 1", "(1, 50000, 0, 8, 80, 20)"])


WATCHDOG = """import machine, os, sys, time
from toolcart.board import watchdog_grace
from toolcart.board.chip import Board
if "starved" in os.listdir("/"):
    print("reset")
    sys.exit(0)
class Cart:
    watchdog = machine.WDT(timeout=8000)
    class _chip:
        timer = -1
class Air:
    def scan(self):
        time.sleep(10)
        return ["found"]
print(Board.scan(Cart(), Air()))
watchdog_grace.hold(Cart.watchdog, -1)
time.sleep(30)
print("held")
watchdog_grace.held[-1].end()
open("/starved", "w").close()
time.sleep(10)
print("alive")
"""


@built
def test_a_scan_of_ten_seconds_and_a_held_repl_are_fed_and_nothing_else(tmp_path):
    assert ran(tmp_path, WATCHDOG) == (0, ["['found']", "held", "reset"])


@built
def test_romfs_numbers_and_files_lie_as_the_format_says(tmp_path):
    assert number(0x14A6B1) == b"\xd2\xcd\x31"
    assert number(5, 3) == b"\x80\x80\x05"
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bc.txt").write_bytes(b"odd")
    octets = image(tmp_path)
    assert octets[:3] == b"\xd2\xcd\x31"
    assert len(octets) % 2 == 0
    assert octets.index(b"odd") % 2 == 0


@pytest.mark.long("it builds the image twice more")
@built
def test_same_files_give_the_same_image(tmp_path):
    (tmp_path / "once").mkdir()
    rp2040.fill(tmp_path / "once", tmp_path / "work")
    assert (tmp_path / "once/fw.bin").read_bytes() == (rp2040.build() / "fw.bin").read_bytes()
