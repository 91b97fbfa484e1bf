"""Starts the agent on a computer, on CPython or MicroPython: `python -m toolcart.board.unix.main cart.json`.

Exit codes: 0 ended in order, 2 the configuration is wrong.
"""

import gc
import json
import sys

from toolcart.agent.base.compat import give_back


def complete(path):
    """Read and complete a person's configuration; `ConfigError` of toolcart.agent.cart.config has all its mistakes."""
    from toolcart.agent.cart import config

    with open(path) as file:
        return config.complete(json.load(file))


def folder_of(path):
    """Return the folder of a path, "." if it names none."""
    at = path.rfind("/")
    return path[:at] if at > 0 else "." if at < 0 else "/"


def make_board(folder):
    """Return the board of this machine."""
    if sys.implementation.name == "cpython":
        from toolcart.board.linux.board import Board
    else:
        from toolcart.board.unix.board import Board
    return Board(folder)


def main(path):
    """Run until interrupted, then end in order."""
    configuration = complete(path)
    give_back("toolcart.agent.cart", "config", "settings")  # before the rest is loaded: it takes the same memory
    from toolcart.agent.cart.app import App
    from toolcart.board import loop  # brings in the whole agent: not before the configuration is read and forgotten

    board = make_board(folder_of(path))
    app = App(configuration, board)
    del configuration
    gc.collect()
    try:
        loop.run(app, board, loop.forever)
    except KeyboardInterrupt:
        pass
    loop.stop(app, board)


if __name__ == "__main__":
    from toolcart.agent.cart import config

    given = sys.argv[1:] or ["config.json"]
    if len(given) > 1 or given[0].startswith("-"):  # MicroPython has no argparse
        print("python -m toolcart.board.unix.main [CONFIG]: starts the agent on this computer. CONFIG: config.json")
        sys.exit(0 if given[0] in ("-h", "--help") else 2)
    try:
        main(given[0])
    except config.ConfigError as mistakes:
        print(mistakes)
        sys.exit(2)
