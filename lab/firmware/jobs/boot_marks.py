"""Replaces main.py's own lines on the RP2040 image: starts the agent with a mark after each stage.

A mark is one store into a register that the simulator watches (rp2040js/rp.mjs, --marks). With HEAP the bytes in use
are marked as well, which takes time: that run is for the heap alone. Nothing is imported that the agent would not
import, and what this file itself takes is reported (LOADED), so that it can be subtracted.
"""

import gc
import sys

from machine import mem32

MARK = 0x40058010
HEAP_FROM = 1000000  # a mark from here on is an amount of heap
HEAP = False
LOADED = 0  # the mark of this file


def mark(number):
    """Tell the simulator that this stage is over."""
    mem32[MARK] = number
    if HEAP:
        gc.collect()
        mem32[MARK] = HEAP_FROM + gc.mem_alloc()  # type: ignore[attr-defined]


def run(path, mode, confirmation):
    """Do what safe_mode._run does."""
    mark(3)
    safe_mode.forget_modules()
    sys.path.insert(0, path)
    from toolcart.board import main

    mark(4)
    import toolcart.agent.cart.app

    mark(5)
    import toolcart.board.upkeep  # noqa: F401

    mark(6)
    load, make_chip = main.load, main.make_chip

    def marked_load(path):
        configuration = load(path)
        mark(7)
        return configuration

    def marked_make_chip(configuration):
        board = make_chip(configuration)
        mark(8)
        flash, serial = board.flash, board.serial

        def marked_flash(spool):
            mark(9)
            return flash(spool)

        def marked_serial(controller):
            port = serial(controller)
            port_open = port.open

            def marked_open(device, baud):
                mark(10)
                port_open(device, baud)

            port.open = marked_open
            return port

        board.flash = marked_flash
        board.serial = marked_serial
        return board

    main.load, main.make_chip = marked_load, marked_make_chip
    main.start(path, mode, confirmation)


if HEAP:
    mark(LOADED)
import safe_mode  # type: ignore[import-not-found]  # noqa: E402 - the board's, of its files or frozen

mark(2)
safe_mode.start("", run)
