"""How all carts are doing: asked over SSH side by side, listed with the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.base.parallel import side_by_side
from tools.fleet.inventory import Cart
from tools.fleet.ssh import Reach, Unreachable
from tools.words import attention, lasting
from tools.words.healthy import away

UNREACHABLE, STOPPED, BAD, AWAY, WARN, GOOD = range(6)
WORDS = ("unreachable", "not running", "needs you", "away", "look", "good")


@dataclass(frozen=True)
class Look:
    """One cart: `level` is one of the above, `words` what is wrong first, `told` its whole status if it answered."""

    cart: Cart
    level: int
    words: str
    waiting: int = 0
    version: str = ""
    told: dict | None = None

    def as_object(self) -> dict:
        return {
            "name": self.cart.name,
            "host": self.cart.host,
            "state": WORDS[self.level],
            "why": self.words,
            "waiting": self.waiting,
            "version": self.version,
            "status": self.told,
        }


def looks(carts: list[Cart], reach: Reach) -> Iterator[Look]:
    """Ask all of them; yield in the inventory's order, each as soon as it is known."""
    return side_by_side(carts, lambda cart: cart.host, lambda cart: look(cart, reach))


def look(cart: Cart, reach: Reach) -> Look:
    """Ask one cart."""
    try:
        told = reach.status(cart.host)
    except Unreachable as reason:
        return Look(cart, UNREACHABLE, str(reason))
    try:
        return judged(cart, told)
    except (KeyError, TypeError, AttributeError) as odd:
        return Look(cart, BAD, f"its status has another form ({odd!r}); is its toolcart a much older or newer one?")


def judged(cart: Cart, told: dict) -> Look:
    """Return what a cart's status means."""
    if not told["running"]:
        return Look(cart, STOPPED, told.get("error", ""), told=told)
    level, words, waiting = GOOD, [], 0
    for need in attention.of_agent(told["agent"]):
        level, words = WARN, [*words, f"{need.label}: {need.words}"]
    for station in told["stations"]:
        name = f"station {station['number']}: " if len(told["stations"]) > 1 else ""
        if not station["mounted"]:
            level, words = BAD, [f"{name}{attention.not_up(station)}", *words]
            continue
        waiting += station["backlog"]
        for need in lasting.everything(station):
            if need.level != attention.NOTE:
                level = min(level, BAD if need.level == attention.BAD else WARN)
                words.append(f"{name}{need.label}: {need.words}")
        for side, reason in away(station):
            level = min(level, AWAY)
            words.append(f"{name}{side} {reason}")
    return Look(cart, level, "; ".join(words), waiting, told["agent"]["version"], told)


def lines(found: list[Look], width: int) -> list[str]:
    """Return a table for people, worst first, totals below; what is too long for `width` ends in three dots."""
    rows = sorted(found, key=lambda one: (one.level, one.cart.row))
    names = max([len(one.cart.name) for one in rows] + [4])
    shown = []
    for one in rows:
        line = f"{one.cart.name:<{names}}  {WORDS[one.level]:<11}  {one.waiting:>7,} waiting  {one.words}".rstrip()
        shown.append(line if len(line) <= width else line[: width - 3] + "...")
    counts = [f"{sum(one.level == level for one in rows)} {WORDS[level]}" for level in range(len(WORDS))]
    used = [count for count in counts if not count.startswith("0 ")]
    carts = f"{len(rows)} cart{'' if len(rows) == 1 else 's'}"
    waiting = sum(one.waiting for one in rows)
    return [*shown, f"{carts}: {', '.join(used)}; {waiting:,} results waiting"]
