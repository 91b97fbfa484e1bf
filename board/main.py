"""Starts the agent on a chip: toolcart.board.safe_mode calls `start`. On a computer it is toolcart.board.unix.main."""

import gc
import json
import sys

from toolcart.agent.base.compat import const

# For toolcart.board.safe_mode's PROVEN, ON_TRIAL, SAFE, FALLEN_BACK.
MODE_WORDS = ("", " on trial", " out of safe mode", " in place of a version that failed five starts")
_ON_TRIAL = const(1)  # likewise
COLLECT_BYTES = const(8192)  # a collection takes an RP2040 11 ms


def load(path):
    """Read a chip's configuration, which `toolcart flash` has checked and completed; ValueError if it has not."""
    try:
        with open(path) as file:
            configuration = json.load(file)
    except OSError as error:
        raise OSError("%s: cannot be read (%s); `toolcart flash` writes it anew" % (path, error))
    except ValueError:
        raise ValueError(path + ": no JSON; `toolcart flash` writes it anew")
    if not configuration.get("completed"):
        raise ValueError(path + ": not as `toolcart flash` writes it; install the configuration with that")
    return configuration


def start(folder, mode, confirmation):
    """Run the version in `folder` on a chip; ends only by reset or exception. `mode` is toolcart.board.safe_mode's."""
    # What stays lies close together then, and what is needed in one piece is found: 12,000 bytes less do (measured).
    gc.threshold(COLLECT_BYTES)
    # What comes first is lowest: frames that are too large for the stack find their place there (firmware.md).
    hole = bytearray(1024)
    from toolcart.agent.cart.app import App
    from toolcart.board import loop
    from toolcart.board.housekeeping import Housekeeping

    gc.collect()
    configuration = load(folder + "/config.json")  # last: by then the agent has interned many of its names
    board = make_chip(configuration)
    toolsnet = configuration["toolsnet"]
    if toolsnet and toolsnet["tls_ca"]:
        # Few boards have it, and only their versions include it (toolcart.tools.flash.package).
        from toolcart.board.tls import Tls

        board.tls = Tls(board.sockets, folder, toolsnet).port
    del toolsnet
    gc.collect()  # what stays of the board lies below what stays of the app: 512 bytes less do frozen (measured)
    app = App(configuration, board)
    housekeeping = Housekeeping(app, board, configuration, folder, confirmation, board.now())
    del configuration  # everything still needed is in its place
    app.step(board.now())  # brings all spools up, if they can be; no line is open yet
    if all(station.mounted for station in app.stations):
        confirmation.came_up()  # an erase, which would cost a serial line the answer to MID 0001
    app.step(board.now())  # before the watchdog: what it carries over into a new block may take longer, in files
    if mode == _ON_TRIAL and board.lacks:
        raise OSError("; ".join(board.messages))  # safe_mode keeps it for `toolcart flash`
    del hole
    gc.collect()
    if mode:
        board.messages.append("running %s%s" % (folder, MODE_WORDS[mode]))
    print("toolcart: running %s%s" % (folder, MODE_WORDS[mode]))
    board.start_watchdog()
    try:
        loop.run(app, board, housekeeping.on_turn)
    except KeyboardInterrupt:
        board.hold_watchdog()
        loop.stop(app, board)
        raise
    loop.stop(app, board)
    board.reset()


def make_chip(configuration):
    """Return the board of this chip."""
    if sys.platform == "rp2":
        from toolcart.board.rp2.board import Board
    elif sys.platform == "esp32":
        from toolcart.board.esp32.board import Board
    else:
        raise OSError("no board for " + sys.platform)
    return Board(configuration)
