"""Runs on the RP2040 image: the agent with a controller at a real UART; counts the heap that its results take.

Arguments: the configuration, as `toolcart flash` completes it, and how many results are counted. With the
collection off it prints what the steps of the agent, the waits between them and a time stamp took, in bytes, from the
moment when the first WARM_UP results are stored.
"""

import gc
import json
import sys

MOST_MS = 100
WARM_UP = 10  # the first results load and make what the others need as well; missing ones are asked for behind them


def is_at_rest(station):
    """True if the controller is asked nothing, and what it pushes is proven."""
    return not station.recovery.flags and not station.recovery.seeks()


def run(configuration, wanted):
    from toolcart.agent.cart.app import App
    from toolcart.board.main import make_chip

    board = make_chip(configuration)
    app = App(configuration, board)
    del configuration
    stations = app.stations
    stored = -1
    of_steps = of_waits = 0
    gc.collect()
    while stored < wanted:
        before = gc.mem_alloc()
        wait_ms = app.step(board.now())
        between = gc.mem_alloc()
        board.wait(app, wait_ms if wait_ms < MOST_MS else MOST_MS)
        after = gc.mem_alloc()
        log = stations[0].log
        if stored < 0:
            if log is not None and log.number >= WARM_UP and is_at_rest(stations[0]):
                stored = 0
                gc.collect()
                gc.disable()
                begun = log.number
            continue
        if is_at_rest(stations[0]):  # a question for what is missing is no result
            of_steps += between - before
        of_waits += after - between
        stored = log.number - begun
    stamp = bytearray(19)
    before = gc.mem_alloc()
    board.stamp_into(stamp)
    print("steps", of_steps, "waits", of_waits, "stamp", gc.mem_alloc() - before)


run(json.loads(sys.argv[1]), int(sys.argv[2]))
