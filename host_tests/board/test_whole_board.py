"""The whole board program in a real board's heap, for minutes of each kind of failure.

Judged: no reset counts as a failed start, none is wanted, every result is collected, the board is never in safe mode.
"""

import copy

import pytest

from toolcart.base.clock import Dice
from toolcart.board import safe_mode
from toolcart.sim.controller import Controller
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.tools.flash import plan
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice
from lab.bench.board import HEAPS, runs_in
from lab.cache import Unavailable
from lab.chips import rules
from lab.chips.chip import CONTROLLER, PIM, SAFE_MODE, SERVER, TREE, Chip
from lab.harness.portable_session import Skip

MINUTES = 10 if LONG else 6
EVERY_MS = 20000  # between two results
LEAST_FREE = {"rp2": 77000, "esp32": 20500}  # bytes of heap, with 78700 (a serial line) and 20704 measured
STARTS = 10 if LONG else 5  # in one of five the state file costs an erase, which is too long for a UART
CUTS = 400 if LONG else 6  # on a raw flash; half as many of files, unless LONG


def tree(**toolsnet):
    made = copy.deepcopy(TREE)
    made["toolsnet"].update(toolsnet)
    return made


@pytest.fixture
def chip(request):
    made = []

    def make(*arguments, **named):
        try:
            made.append(Chip(*arguments, **named))
        except Unavailable as reason:
            raise Skip(str(reason)) from None
        return made[-1]

    yield make
    for one in made:
        one.close()


def dead_names(board):
    board.name_server.names[PIM_NAME] = PIM[0]
    board.name_server.answers = False


def no_point(board):
    board.air.points = {}


def joined_and_silent(board):
    board.air.silent = True


def no_toolsnet(board):
    for address in (PIM, SERVER):
        board.network.down(*address)


def resets(board):
    for address in (PIM, SERVER, CONTROLLER):
        board.network.cut(*address)


def half_open(board):
    for address in (PIM, SERVER, CONTROLLER):
        board.network.half_open(*address)


RUNS = "toolcart: running"
OTHER_CONTROLLER = ("192.0.2.11", 4545)
PIM_NAME = "pim.plant.example"
FAILURES = (dead_names, no_point, joined_and_silent, no_toolsnet, resets, half_open)
USUAL = {("rp2", joined_and_silent), ("esp32", resets)}


def healed(board):
    board.name_server.answers = True
    board.name_server.names[PIM_NAME] = PIM[0]
    board.air.points = {b"point1": 50}
    board.air.silent = False
    for address in (PIM, SERVER):
        board.network.up(*address)


def met(board):
    """Let the agent meet its controller and keep a first result: what was produced before is not the agent's."""
    board.until(lambda: board.controller.messages.get(60))
    board.controller.produce()
    board.until(lambda: board.controller.acknowledged)


def judge(board, wanted_resets=0):
    """Say how it went."""
    assert [why for _, why in board.resets if why != "cut"] == [], board.output()[-2000:]
    assert len(board.resets) == wanted_resets
    assert SAFE_MODE not in board.output() and "failed" not in board.output()
    assert board.lost() == [] and board.archive.out_of_order == 0
    assert board.archive.repeated <= len(board.resets)
    assert board.least_free >= LEAST_FREE[board.platform], board.least_free
    before = len(board.resets)
    board.power_off()
    assert board.failures() == 0 and len(board.resets) == before + 1


@pytest.mark.parametrize(("failure", "platform"), each_choice(FAILURES, ["rp2", "esp32"]))
def test_minutes_of_a_failure_cost_no_start_and_no_result(chip, platform, failure):
    if not LONG and (platform, failure) not in USUAL:
        pytest.skip("the long run has all failures on both")
    board = chip(platform, tree(pim_host=PIM_NAME) if failure is dead_names else TREE)
    if failure is dead_names:
        dead_names(board)
    met(board)
    for _ in range(MINUTES * 60000 // EVERY_MS):
        failure(board)
        board.produce(1, EVERY_MS)
    assert board.air.restarts > 0 or failure not in (no_point, joined_and_silent)
    healed(board)
    board.until(lambda: not board.missing())
    judge(board)


@pytest.mark.parametrize("platform", ["rp2", "esp32"] if LONG else ["rp2"])
def test_minutes_without_a_cable_cost_no_start_and_no_result(chip, platform):
    board = chip(platform, dict(TREE, board={"network": "ethernet"}))
    met(board)
    board.air.points = {}
    for _ in range(MINUTES * 60000 // EVERY_MS):
        board.produce(1, EVERY_MS)
    healed(board)
    board.until(lambda: not board.missing())
    judge(board)


def test_collecting_over_a_serial_line_never_depends_on_the_network(chip):
    made = copy.deepcopy(TREE)
    made["stations"][0]["controller"] = {"link": "3964r", "device": "0", "baud": 9600}
    board = chip("rp2", made, serial=True, controller={"keepalive": "mirror", "blame_silence": False})
    board.air.points = {}
    met(board)
    for _ in range(MINUTES * 60000 // EVERY_MS):
        board.produce(1, EVERY_MS)
        assert len(board.controller.acknowledged) == len(board.controller.produced)
    healed(board)
    board.until(lambda: not board.missing())
    judge(board)


def test_no_start_costs_a_serial_line_a_byte_of_an_answer(chip):
    made = copy.deepcopy(TREE)
    made["stations"][0]["controller"] = {"link": "ascii", "device": "0", "baud": 9600}
    board = chip("rp2", made, serial=True)
    for start in range(1, STARTS + 1):
        board.until(lambda start=start: board.controller.messages.get(60, 0) == start)
        assert (board.controller.messages[1], board.line.port.overruns()) == (start, 0)
        board.power_off()


@pytest.mark.parametrize("ring", [True, False], ids=["raw flash", "files"])
def test_a_start_of_two_stations_counts_as_good_when_both_spools_are_up(chip, ring):
    made = copy.deepcopy(TREE)
    made["stations"].append(copy.deepcopy(TREE["stations"][0]))
    made["stations"][1].update(number=2, controller={"host": OTHER_CONTROLLER[0]})
    made["stations"][1]["spool"]["path"] = "cart2"
    board = chip("rp2", made, ring=ring)
    other = Controller(board.clock, ControllerOptions())
    board.network.listen(*OTHER_CONTROLLER, other.endpoint)
    for start in range(1, safe_mode.FAILURES_MAX + 2):
        board.until(lambda start=start: min(one.messages.get(60, 0) for one in (board.controller, other)) == start)
        before = [len(one.acknowledged) for one in (board.controller, other)]
        for one in (board.controller, other):
            one.produce()
        board.until(lambda before=before: len(board.controller.acknowledged) > before[0])
        board.until(lambda before=before: len(other.acknowledged) > before[1])
        board.power_off()
        assert board.failures() == 0, start
    assert SAFE_MODE not in board.output() and board.lost() == []


@pytest.mark.parametrize("ring", [True, False], ids=["raw flash", "files"])
def test_power_that_fails_in_any_operation_on_the_flash_costs_no_result(chip, ring):
    # A controller that gives nothing twice: what was acknowledged and is not on the flash would be lost.
    board = chip("rp2", ring=ring, controller={"recover_revisions": ()})
    dice = Dice(7)
    met(board)
    cuts = CUTS if LONG or ring else CUTS // 2
    for behind in range(1, cuts + 1):
        board.cut_at = board.operations + 1 + 7 * behind % 23
        board.torn = dice.randrange(4097)
        before, starts = len(board.resets), board.output().count(RUNS)
        for _ in range(60):
            board.produce(1, 2000)
            if len(board.resets) > before:
                break
        else:
            raise AssertionError("the power never failed")
        # Five starts in a row that are cut would be safe mode.
        board.until(lambda starts=starts: board.output().count(RUNS) > starts)
    board.until(lambda: not board.lost())
    judge(board, cuts)


@pytest.mark.parametrize(
    ("row", "heap_bytes"),
    [(1, plan.FROZEN_HEAP_BYTES), pytest.param(2, plan.COPIED_HEAP_BYTES, marks=pytest.mark.long("another form"))],
)
def test_a_board_runs_in_the_least_heap_that_the_tool_lets_pass(row, heap_bytes):
    form = HEAPS[row][2:]
    try:
        assert runs_in(heap_bytes, *form)
        assert not runs_in(heap_bytes * 7 // 8, *form)
    except Unavailable as reason:
        raise Skip(str(reason)) from None


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_a_board_has_all_of_its_heap_beside_the_fakes(chip, platform):
    usable = rules.HEAP_BYTES[platform] * rules.HEAP_WITHOUT // rules.HEAP_WITH_TABLES
    free = set()
    for _ in range(2):  # one that may be the first that is measured, and one that is like another
        board = chip(platform, script="import gc\ngc.collect()\nprint(gc.mem_free())\n")
        board.run(1000)
        free.add(int(board.output()))
    assert len(free) == 1 and usable - 2048 < free.pop() <= usable


def test_the_program_that_is_copied_runs_in_an_rp2350s_heap(chip):
    board = chip("rp2", heap=rules.RP2350_HEAP_BYTES, copied=True)
    met(board)
    board.produce(10, 5000)
    board.until(lambda: not board.missing())
    assert board.resets == []


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_a_connection_that_is_refused_is_reported_so_and_is_no_connection(chip, platform):
    board = chip(platform)
    for address in (PIM, SERVER, CONTROLLER):
        board.network.down(*address)
    board.run(180000)
    status = board.ask("?status")
    assert status.count('"why": "refused"') == 2 and '"reset"' not in status
    assert '"controller connects"' not in status and '"controller losses"' not in status
