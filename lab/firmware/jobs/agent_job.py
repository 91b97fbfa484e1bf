"""Runs on the Cortex-M3: the whole agent over the two serial lines.

Arguments: controller's and PIM's TCP port, results.

Prints `delivered N` when that many results were acknowledged by ToolsNet, then stops in order.
"""

import gc
import sys

from toolcart.agent.cart.app import App
from toolcart.agent.cart.config import complete
from toolcart.board import loop
from toolcart.board.qemu import Board

CONTROLLER, PIM, RESULTS = [int(word) for word in sys.argv[1:4]]
TURN_MS = 200

configuration = complete(
    {
        "system": {},
        "toolsnet": {"pim_host": "pc", "pim_port": PIM},
        "stations": [
            {
                "number": 10,
                "controller": {"host": "cart", "port": CONTROLLER},
                "spool": {"path": "x", "size_kib": 40, "parked_kib": 12},
            }
        ],
    }
)
board = Board()
app = App(configuration, board)
gc.collect()


def on_turn(now):
    station = app.stations[0]
    if app.scheduler.last_fault is not None:
        raise app.scheduler.last_fault
    if not station.outlets:
        return TURN_MS
    log = station.log
    done = log.number >= RESULTS and log.waits(log.cursors[0]) == 0
    return -1 if done else TURN_MS


loop.run(app, board, on_turn)
print("delivered", app.stations[0].log.number)
print("heap", gc.mem_alloc())
loop.stop(app, board)
