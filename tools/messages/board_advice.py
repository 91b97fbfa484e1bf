"""What helps on a board, where advice for Linux would name commands and devices that a board does not have.

A board's station has the `port` that was asked for it in its status (toolcart.tools.flash.board_commands).
"""

from __future__ import annotations

from dataclasses import replace

from toolcart.agent.log.flash import REFUSED_NO_ROOM, REFUSED_SUPPLY
from toolcart.tools.messages.reasons import Reason

# By the short word of the reason why a connection is down: what happened, "" if as it is said for Linux; what helps.
_CONNECT = {
    "DNS slow": ("", "Write an address in place of the name, or name another server: `dns ADDRESS` in board.address."),
    "no route": ("", "Is it switched on? Are address and gateway of board.address right?"),
    "no device": (
        "the chip has no UART {host}, or not at these pins",
        "docs/boards.md has them; `toolcart flash` installs another controller.device.",
    ),
    "in use": ("", "Too many connections have just been closed; they are free again in some minutes."),
    "no permission": ("", ""),
    "no socket": ("", "Fewer stations and outlets need less; `toolcart board status` shows the free heap."),
    "failed": ("", "If it goes on: is the network of `board` set up for this board?"),
}
_FAILS = "if it goes on, bring in what waits with `toolcart board spool` and replace the board"


def of_connection(reason: Reason, connection: dict) -> Reason:
    """Return a connection's reason as it is true of a board."""
    words, hint = _CONNECT.get(reason.slug, ("", reason.hint))
    words = words.format(host=connection.get("host", "")) or reason.words
    return replace(reason, words=words.replace("this machine", "this board"), hint=hint)


def of_flash(refusal: int) -> str:
    """Return what helps against a REFUSED_ of a board's flash."""
    if refusal == REFUSED_NO_ROOM:
        return "make spool.size_kib smaller, or have the spool in raw flash (docs/boards.md)"
    if refusal == REFUSED_SUPPLY:
        return "see to its supply (board.supply); it goes on by itself"
    return _FAILS


def of_loss(station: dict) -> str:
    """Return what helps where ToolsNet lacks results that it had: a board sends nothing again."""
    spool = f"toolcart board spool --port {station['port']} --station {station['number']} --out FILE"
    return f"a board sends nothing again: `{spool}` and `toolcart spool export FILE` show what it still has"
