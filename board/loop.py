"""The one loop of every board: run what is due, sleep until the next deadline or input."""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff

STOP_LIMIT_MS = const(7000)  # an orderly stop waits this long for the controllers' answers, then closes anyway


def run(app, board, on_turn):
    """Run `app` until `on_turn(now)` returns a negative number; else it returns the ms until its next call."""
    while True:
        now = board.now()
        wait_ms = app.step(now)
        turn_ms = on_turn(now)
        if turn_ms < 0:
            return
        board.wait(app, wait_ms if wait_ms < turn_ms else turn_ms)


def stop(app, board):
    """End every session in order (MID 0003), make the cursors durable, close everything."""
    until = ticks_add(board.now(), STOP_LIMIT_MS)
    app.stop(board.now())

    def on_turn(now):
        return -1 if app.stopped() or ticks_diff(until, now) <= 0 else ticks_diff(until, now)

    run(app, board, on_turn)
    app.close()


def forever(now):
    """Never end the loop: an `on_turn`."""
    return FOREVER
