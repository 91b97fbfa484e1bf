"""How a command is given to a running agent: one order, answered in lines, however long the controller takes.

    command STATION [as=NAME] [wait=SECONDS] NAME [VALUE ..]        %XX in a value is a character: `vin A%20B`

    {"waiting": WHY}     every few seconds, while it waits
    {"station", "command", "asked_by", "outcome", "mid", "code", "why", "logged"}        at last

Rules
1. Without `wait` the controller must be there, no other command may be outstanding, and the order's turn must come
   within TURN_MS. With it the order waits that long for all of this; the controller's time to answer comes on top.
2. A client that leaves withdraws a command that is not sent yet; the outcome of a sent one is still logged.
3. `outcome` is accepted, refused, unknown, not sent, not allowed or wrong.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.station.commands import DONE, WAITING, Order

NOT_ALLOWED = "not allowed"
WRONG = "wrong"

TURN_MS = const(10000)
WAIT_MOST_S = const(3600)
REPORT_MS = const(4000)  # how often a client gets a line while it waits: it is cut off after ten seconds
LOOK_MS = const(20)
NAME_MOST = const(16)

OFF = "commands are off: the setting stations[].controller.commands names those that are allowed"


def carry_out(station, board, words, asker):
    """Yield the lines of the answer to `words`, and in between the ms until there may be another.

    `asker` has `user`, in words, and `gone`.
    """
    options = {}
    while words and words[0].split("=")[0] in ("as", "wait") and "=" in words[0]:
        key, _, value = words[0].partition("=")
        options[key] = value
        words = words[1:]
    name = words[0] if words else ""
    order = Order(name, [_decoded(word) for word in words[1:]], _who(asker.user, _decoded(options.get("as", ""))))
    commands = station.commands
    why = _fault(options)
    if commands is None or name not in commands.allowed:
        order.outcome = NOT_ALLOWED
        order.why = OFF if commands is None else commands.wrong(order)
    elif why or commands.wrong(order):
        order.outcome = WRONG
        order.why = why or commands.wrong(order)
    else:
        yield from _wait(commands, board, order, int(options.get("wait", 0)) * 1000, asker)
    yield {
        "station": station.number,
        "command": order.words,
        "asked_by": order.who,
        "outcome": order.outcome,
        "mid": order.mid or None,
        "code": order.code or None,
        "why": order.why,
        "logged": order.is_written,
    }


def _wait(commands, board, order, wait_ms, asker):
    """Give the order, and go on until its outcome is known."""
    turn = order.turn
    turn.start(board.now(), wait_ms or TURN_MS)
    reported = Timer()
    reported.start(board.now(), REPORT_MS)
    order.why = commands.take_order(order, board.now())
    while order.why and wait_ms and not asker.gone and not turn.expired(board.now()):
        yield _pause(reported, board, order.why)
        order.why = commands.take_order(order, board.now())
    if order.why:
        return
    try:
        while order.state != DONE:
            now = board.now()
            commands.wake(now)
            commands.settle(now)
            if order.state == WAITING and (asker.gone or turn.expired(now)):
                order.why = order.why or ("its sender has gone" if asker.gone else "its turn did not come in time")
                commands.withdraw(order, now)
            yield _pause(reported, board, "for its turn" if order.state == WAITING else "for the controller's answer")
        turn.start(board.now(), TURN_MS)
        while order.is_noted and not order.is_written and not turn.expired(board.now()):
            commands.settle(board.now())
            yield _pause(reported, board, "for room in the log")
    finally:
        commands.withdraw(order, board.now())


def _pause(reported, board, why):
    """Return a line that says why it takes so long, if one is due, else the ms until the next check."""
    if not reported.expired(board.now()):
        return LOOK_MS
    reported.start(board.now(), REPORT_MS)
    return {"waiting": why}


def _fault(options):
    wait = options.get("wait", "0")
    if not wait.isdigit() or int(wait) > WAIT_MOST_S:
        return "wait is a number of seconds, %d at most" % WAIT_MOST_S
    name = _decoded(options.get("as", ""))
    if len(name) > NAME_MOST or [letter for letter in name if not " " <= letter <= "~"]:
        return "the name has %d printable characters at most" % NAME_MOST
    return ""


def _who(user, name):
    """Return who asks: the process's user, and the name given."""
    return "%s (%s)" % (user[: 33 - NAME_MOST], name) if name and name != user else user[:36]


def _decoded(text):
    """Return the text with each %XX replaced by its character."""
    parts = text.split("%")
    found = parts[0]
    for part in parts[1:]:
        try:
            found += chr(int(part[:2], 16)) + part[2:]
        except ValueError:
            found += "%" + part
    return found
