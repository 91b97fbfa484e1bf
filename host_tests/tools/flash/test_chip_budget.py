"""What a chip depends on: the size of what it is given, and what a station loads."""

import json
import subprocess
import sys

from toolcart.base import subprocesses
from toolcart.tools.flash import package
from lab.cache import CHECKOUT, Unavailable
from lab.harness.allocation_free_peers import TREE
from lab.harness.portable_session import Skip
from lab.runtimes.build import BOARD_MACHINES

# What it is today and a little more, so that growth is noticed.
ALL_BYTES = 402 * 1024


def test_station_over_tcp_loads_neither_serial_links_nor_old_layouts():
    source = (
        "import sys; from toolcart.agent.base import compat; "
        "compat.ON_CPYTHON = False; "  # a board is given nothing of toolcart.agent.linux
        "compat.give_back = lambda package, *modules: None; "  # what only a start loads counts as well
        "import json; from lab.harness.allocation_free_peers import Workbench; "
        "bench = Workbench(json.loads(sys.argv[1])); "  # completed elsewhere, as a board is given it
        "bench.settle(); assert bench.many_results(5); print(*sys.modules)"
    )
    command = subprocesses.command("-c", source, json.dumps(package.completed(TREE)))
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.split()
    assert "toolcart.agent.outlets.toolsnet.forward" in loaded and "toolcart.agent.link.stream" in loaded
    assert not [name for name in loaded if name.endswith(("r3964", "serial_ascii", "layouts", "status"))]
    assert {"toolcart.agent.cart.app", "toolcart.agent.cart.storage", "toolcart.agent.cart.assembly"} <= set(loaded)


def test_the_core_imports_no_category_and_no_names():
    source = "import sys; from toolcart import catalogue; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in done.stdout.split() if name.startswith("toolcart.catalogue.")}
    assert not loaded & {"tightening", "session", "pids", "units", "meanings", "compiled", "nexo"}


def test_what_is_copied_to_a_board_does_not_grow_unnoticed():
    try:
        files = package.compiled("rp2", BOARD_MACHINES[0])
    except Unavailable as reason:
        raise Skip(str(reason)) from None
    assert "toolcart/agent/cart/app.mpy" in files and "toolcart/board/rp2/board.mpy" in files
    assert "toolcart/board/esp32/board.mpy" not in files
    assert sum(map(len, files.values())) < ALL_BYTES
