"""Starts the agent on whatever it finds itself: `python -m board.main cart.json`; on a chip safe_mode calls `start`.

Exit codes where there is somebody to see them: 0 ended in order, 2 the configuration is wrong.
"""

import gc
import json
import sys

MODE_WORDS = ("", " on trial", " out of safe mode")  # by board.safe_mode's PROVEN, ON_TRIAL, SAFE


def load(path):
    """Read a chip's configuration, which `toolcart flash` has checked and completed; ValueError if it has not."""
    with open(path) as file:
        configuration = json.load(file)
    if not configuration.get("completed"):
        raise ValueError(path + ": not as `toolcart flash` writes it; install the configuration with that")
    return configuration


def complete(path):
    """Read and complete a person's configuration; agent.cart.config.ConfigError with every mistake if it is wrong."""
    from agent.cart import config

    with open(path) as file:
        return config.complete(json.load(file))


def folder_of(path):
    """Return the folder of a path, "." if it names none."""
    at = path.rfind("/")
    return path[:at] if at > 0 else "." if at < 0 else "/"


def make_board(folder):
    """Return the board of this machine."""
    if sys.implementation.name == "cpython":
        from board.linux import Board
    else:
        from board.unix import Board
    return Board(folder)


def main(path):
    """Run until interrupted, then end in order."""
    configuration = complete(path)
    forget("agent.cart", "config")  # before the rest is loaded: it takes the same memory
    forget("agent.cart", "settings")
    from agent.cart.app import App
    from board import loop  # with it comes the whole agent: not before the configuration is read and forgotten

    board = make_board(folder_of(path))
    app = App(configuration, board)
    del configuration
    gc.collect()
    try:
        loop.run(app, board, loop.forever)
    except KeyboardInterrupt:
        pass
    loop.stop(app, board)


def start(folder, mode, confirmation):
    """Run the version in `folder` on a chip; returns never but by an exception. `mode` is one of board.safe_mode."""
    # What is first lies lowest: there frames that are too large for the stack find their place (docs/firmware.md).
    hole = bytearray(1024)
    from agent.cart.app import App
    from board import loop
    from board.upkeep import Upkeep

    gc.collect()
    configuration = load(folder + "/config.json")  # last: the agent has many of its names already
    board = make_chip(configuration)
    if configuration["toolsnet"]["tls_ca"]:
        from board.tls import give_to  # few boards have it, and only their versions carry it (tools.flash.package)

        give_to(board, board.sockets, folder, configuration["toolsnet"])
    app = App(configuration, board)
    upkeep = Upkeep(app, board, configuration, folder, confirmation, board.now())
    del configuration  # what is still needed of it has its place
    app.step(board.now())  # brings the spools up, if they can be
    del hole
    gc.collect()
    print("toolcart: running %s%s" % (folder, MODE_WORDS[mode]))
    board.start_watchdog()
    try:
        loop.run(app, board, upkeep.on_turn)
    except KeyboardInterrupt:
        board.hold_watchdog()
        loop.stop(app, board)
        raise
    loop.stop(app, board)
    board.reset()


def make_chip(configuration):
    """Return the board of this chip."""
    if sys.platform == "rp2":
        from board.rp2 import Board
    elif sys.platform == "esp32":
        from board.esp32 import Board
    else:
        raise OSError("no board for " + sys.platform)
    return Board(configuration)


def forget(package, module):
    """Give back the memory of a module that is not needed again."""
    if sys.modules.pop(package + "." + module, None) is not None:
        delattr(sys.modules[package], module)
    gc.collect()


if __name__ == "__main__":
    from agent.cart import config

    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "config.json")
    except config.ConfigError as mistakes:
        print(mistakes)
        sys.exit(2)
