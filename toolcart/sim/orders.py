"""What a simulated controller is told while it runs, a line each: results, faults, options.

    produce 5          five screws at once; `elsewhere 3`: at another station of the controller
    rate 2             results per second from now on; 0 stops
    cut / connect      the network goes and comes back; `drop`: connections close, new ones are taken
    silent / speak     hang, and go on; `unsubscribe`: push no more results, and tell nobody
    jump 10            leave out tightening IDs; `reset 1`: count again; `forget 17`: a result is gone from the memory
    alarm E404 / clear
    pset 12            the parameter set is selected; `job 7`: the job; `vehicle WVW1`: a vehicle comes
    clock -300         the clock is so many seconds ahead from now on
    say 00209999...    send these characters as they are, to every client; \\0 is a NUL
    set NAME=VALUE     any option of --set, from now on

Rules
1. A wrong order is answered by one line and changes nothing.
2. Orders come from a thread of their own and are carried out between two turns of the simulator's loop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TextIO

from toolcart.sim.option_values import setting_of

HELP = [line.strip() for line in __doc__.split("\n\n")[1].split("\n") if line.strip()] if __doc__ else []


class Orders:
    """Reads orders from a stream until it ends."""

    def __init__(self, stream: TextIO, report: Callable[[str], None]) -> None:
        self.stream = stream
        self.report = report

    def begin(self, loop: Any, controller: Any, producer: Any, served: Any) -> None:
        """Start carrying out orders, beside the loop."""
        self.loop = loop
        self.controller = controller
        self.producer = producer
        self.served = served
        threading.Thread(target=self._listen, name="orders", daemon=True).start()

    def _listen(self) -> None:
        for line in self.stream:
            try:
                message = self.loop.call(lambda line=line: self.carry_out(line))
            except (TimeoutError, RuntimeError):
                return  # the simulator has ended
            if message:
                self.report(message)

    def carry_out(self, line: str) -> str:
        """Carry out one order; return the reply to print."""
        name, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if not name:
            return ""
        order: Callable[[Orders, str], str | None] | None = getattr(Orders, "_order_" + name, None) or PLAIN.get(name)
        if order is None:
            return "\n".join(HELP) if name == "help" else f"no such order: {name}; `help` lists them"
        try:
            return order(self, rest) or ""
        except Exception as error:  # rule 1
            return f"{name}: {error}"

    def _order_produce(self, text: str) -> str:
        ids = [self.controller.produce() for _ in range(_number(text or "1", 1000))]
        return f"produced {ids[0]} to {ids[-1]}" if ids else ""

    def _order_rate(self, text: str) -> None:
        try:
            rate = float(text)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1000:
            raise ValueError("give results per second, 0 to 1000")
        self.producer.set_rate(rate, self.producer.jitter)

    def _order_alarm(self, text: str) -> None:
        if not text:
            raise ValueError("give its code, such as E404")
        self.controller.raise_alarm(text)

    def _order_pset(self, text: str) -> None:
        number = _number(text, 999)
        if number not in self.controller.psets:
            raise ValueError("there are " + ", ".join(str(one) for one in sorted(self.controller.psets)))
        self.controller.select_pset(number)

    def _order_vehicle(self, text: str) -> None:
        if not text or len(text) > 25:
            raise ValueError("give its number, 25 characters at most")
        self.controller.identify(text)

    def _order_clock(self, text: str) -> None:
        seconds = _number(text.removeprefix("-"))
        self.controller.options.clock_ahead_s = -seconds if text.startswith("-") else seconds

    def _order_say(self, text: str) -> None:
        self.controller.inject(text.replace("\\0", "\0").encode("latin-1", "replace"))

    def _order_set(self, text: str) -> None:
        kind = type(self.controller.options)
        name, value = setting_of(kind, text)
        kind(**{name: value})  # which looks into it
        self.controller.options.set(name, value)


# What takes no more than one call.
PLAIN: dict[str, Callable[[Orders, str], None]] = {
    "elsewhere": lambda orders, text: orders.controller.produce_elsewhere(_number(text or "1", 1000)),
    "cut": lambda orders, text: orders.served.cut(),
    "connect": lambda orders, text: orders.served.listen(),
    "drop": lambda orders, text: orders.controller.drop(),
    "unsubscribe": lambda orders, text: orders.controller.end_subscriptions(),
    "silent": lambda orders, text: setattr(orders.controller.options, "silent", True),
    "speak": lambda orders, text: setattr(orders.controller.options, "silent", False),
    "jump": lambda orders, text: orders.controller.jump_ids(_number(text)),
    "reset": lambda orders, text: orders.controller.reset_ids(_number(text or "1")),
    "forget": lambda orders, text: orders.controller.forget(_number(text)),
    "job": lambda orders, text: orders.controller.select_job(_number(text, 99)),
    "clear": lambda orders, text: orders.controller.clear_alarm(),
}


def _number(text: str, most: int = (1 << 32) - 1) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= most:
        raise ValueError(f"give a number, 0 to {most}")
    return int(text)
