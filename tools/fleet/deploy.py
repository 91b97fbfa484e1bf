"""Brings configurations, and a package if one is given, to carts over SSH: one by one, and back if one fails.

Rules
1. Without a package, a healthy cart that has its configuration already is left alone: a deployment that is started
   again goes on where it ended. A package is installed on every cart.
2. The new configuration is checked on the cart before it replaces the old one, which is kept as FILE.before.
3. Healthy means: a new process answers, every spool is up, and each side that was connected before is connected again.
   A cart that is not healthy in time gets back its previous configuration and package, and nothing more is deployed.
"""

from __future__ import annotations

import hashlib
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.fleet.inventory import Cart
from tools.fleet.ssh import Reach, Unreachable
from tools.words.healthy import connected, lacks, process_of

CHECK_S = 60
RESTART_S = 120
INSTALL_S = 900
LOOK_FIRST_S, LOOK_EVERY_S = 0.25, 2.0  # most agents answer within a second

DONE, LEFT_ALONE, FAILED, BACK = "deployed", "left alone", "failed", "rolled back"


@dataclass(frozen=True)
class Plan:
    """What is deployed, and the commands that do it on a cart; `{file}` in `install` is the package's path there."""

    config_path: str = "/etc/toolcart/config.json"
    restart: str = "systemctl restart toolcart"
    install: str = "apt-get install -y --allow-downgrades {file}"
    package: Path | None = None
    previous: Path | None = None  # the package to go back to
    healthy_s: float = 120


@dataclass
class Outcome:
    """What became of one cart."""

    cart: Cart
    what: str
    why: str = ""
    seconds: float = 0.0

    def as_object(self) -> dict:
        return {
            "name": self.cart.name,
            "host": self.cart.host,
            "outcome": self.what,
            "why": self.why,
            "seconds": round(self.seconds, 1),
        }


class _Stop(Exception):
    """Deployment to this cart cannot go on; str() says why."""


@dataclass
class Deployment:
    """One pass over the carts."""

    reach: Reach
    plan: Plan
    texts: dict[str, str]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self, carts: list[Cart], progress: Callable[[Outcome], None]) -> bool:
        """Deploy to these, in their order; False if one failed: those after it are not touched."""
        for cart in carts:
            began = self.clock()
            outcome = self._cart(cart)
            outcome.seconds = self.clock() - began
            self.outcomes.append(outcome)
            progress(outcome)
            if outcome.what in (FAILED, BACK):
                return False
        return True

    def _cart(self, cart: Cart) -> Outcome:
        text = self.texts[cart.name].encode()
        try:
            before = self.reach.status(cart.host)
            has_config = self._has(cart, text)
            if has_config and self.plan.package is None and not lacks(before, set(), None):
                return Outcome(cart, LEFT_ALONE, "it has this configuration already and is healthy")
        except Unreachable as reason:
            return Outcome(cart, FAILED, f"{reason}; nothing was changed")
        try:
            self._put(cart, text)
        except (_Stop, Unreachable) as reason:
            return Outcome(cart, FAILED, f"{reason}; nothing was changed")
        try:
            if self.plan.package is not None:
                self._install(cart, self.plan.package)
            self._swap(cart)
            self._until_healthy(cart, before)
        except (_Stop, Unreachable) as reason:
            return self._back(cart, before, str(reason))
        return Outcome(cart, DONE)

    def _shell(self, cart: Cart, script: str, octets: bytes = b"", timeout_s: float = CHECK_S) -> tuple[int, str]:
        command = self.reach.as_root("sh -c " + shlex.quote(script))
        code, said, complaint = self.reach.run(cart.host, command, octets, timeout_s)
        return code, complaint or (said.strip().splitlines() or [""])[-1]

    def _must(self, cart: Cart, what: str, script: str, octets: bytes = b"", timeout_s: float = CHECK_S) -> None:
        code, said = self._shell(cart, script, octets, timeout_s)
        if code != 0:
            raise _Stop(f"{what} (exit code {code}): {said}")

    def _has(self, cart: Cart, text: bytes) -> bool:
        code, said = self._shell(cart, f"sha256sum < {shlex.quote(self.plan.config_path)}")
        return code == 0 and said.split()[:1] == [hashlib.sha256(text).hexdigest()]

    def _put(self, cart: Cart, text: bytes) -> None:
        path = shlex.quote(self.plan.config_path)
        self._must(cart, "the configuration cannot be written there", f"umask 022; cat > {path}.new", text)
        self._must(cart, "its toolcart finds the configuration wrong", f"{self.reach.toolcart} config check {path}.new")

    def _install(self, cart: Cart, package: Path) -> None:
        there = f"/var/tmp/{package.name}"
        self._must(
            cart, "the package cannot be brought there", f"cat > {shlex.quote(there)}", package.read_bytes(), INSTALL_S
        )
        command = self.plan.install.replace("{file}", shlex.quote(there))
        self._must(
            cart, "the package cannot be installed", f"DEBIAN_FRONTEND=noninteractive {command}", timeout_s=INSTALL_S
        )

    def _swap(self, cart: Cart) -> None:
        path = shlex.quote(self.plan.config_path)
        self._must(
            cart,
            "the configurations cannot be swapped",
            f"if [ -e {path} ]; then cp -p {path} {path}.before; else rm -f {path}.before; fi; mv {path}.new {path}",
        )
        self._must(cart, "the agent cannot be restarted", self.plan.restart, timeout_s=RESTART_S)

    def _until_healthy(self, cart: Cart, before: dict) -> None:
        until, pause_s = self.clock() + self.plan.healthy_s, LOOK_FIRST_S
        wanted = connected(before) if before.get("running") else set()
        while True:
            try:
                missing = lacks(self.reach.status(cart.host), wanted, process_of(before))
            except Unreachable as reason:
                missing = str(reason)
            if not missing:
                return
            if self.clock() >= until:
                raise _Stop(f"not healthy within {self.plan.healthy_s:.0f} s: {missing}")
            self.sleep(pause_s)
            pause_s = min(2 * pause_s, LOOK_EVERY_S)

    def _back(self, cart: Cart, before: dict, why: str) -> Outcome:
        path = shlex.quote(self.plan.config_path)
        try:
            if self.plan.previous is not None:
                self._install(cart, self.plan.previous)
            self._must(
                cart,
                "no configuration from before",
                f"if [ -e {path}.before ]; then mv {path}.before {path}; else rm -f {path}; fi; rm -f {path}.new",
            )
            if before.get("running"):
                self._must(cart, "the agent cannot be restarted", self.plan.restart, timeout_s=RESTART_S)
                self._until_healthy(cart, {"running": False})
        except (_Stop, Unreachable) as reason:
            return Outcome(cart, FAILED, f"{why}; AND IT COULD NOT GO BACK: {reason}. See to this cart by hand")
        return Outcome(cart, BACK, f"{why}; it runs again as it was before")
