"""Starts the agent on whatever it finds itself: `python -m board.main cart.json`, or main.py on a board.

Exit codes where there is somebody to see them: 0 ended in order, 2 the configuration is wrong.
"""

import json
import sys

from agent import config
from board import loop


def load(path):
    """Read and complete the configuration; ValueError with every mistake if it is wrong."""
    with open(path) as file:
        tree = json.load(file)
    return config.complete(tree)


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
    from agent.app import App

    configuration = load(path)
    board = make_board(folder_of(path))
    app = App(configuration, board)
    try:
        loop.run(app, board, loop.forever)
    except KeyboardInterrupt:
        pass
    loop.stop(app, board)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "config.json")
    except config.ConfigError as mistakes:
        print(mistakes)
        sys.exit(2)
