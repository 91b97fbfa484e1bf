"""Where the pages listen and with which password; their own process beside `toolcart archive serve --web`.

Rules
1. The pages have a process of their own, so a page can neither hold up a 05 nor take the archive down with it.
2. Beyond the loopback a password is needed; if anything is missing, that is said before anything listens.
3. A child ends when its parent does, however that ended: it reads a pipe that the parent holds. The server's figures
   come over it, a line of JSON each time; if the child does not read, they are left out.
4. The database's address goes to the child in its environment: there may be a password in it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from toolcart.archive.database.environment import PLACE_VARIABLE
from toolcart.archive.server.tls import Tls
from toolcart.archive.statistics import spc
from toolcart.archive.statistics.periods import Shifts
from toolcart.archive.web import users
from toolcart.archive.web.users import Proxy
from toolcart.base import subprocesses
from toolcart.base.private_files import PrivateFileError

HOST, PORT = "127.0.0.1", 8080
STOP_LIMIT_S = 5.0


class CannotServe(Exception):
    """The pages cannot be served this way; the text says why."""


@dataclass(frozen=True)
class WebSettings:
    """Where the pages are, the password's file, the plant's shifts and run rules, TLS, proxies."""

    host: str = HOST
    port: int = PORT
    password_file: str | None = None
    shifts: Shifts = ()
    rules: tuple[int, ...] = spc.USUAL
    placeholders: tuple[str, ...] | None = None  # VINs that are no car's
    tls: Tls | None = None
    trust_proxy: str | None = None  # addresses
    user_header: str = ""
    words: tuple[str, ...] = ()  # options of the command line that say all of it but host and port

    def proxy(self) -> Proxy | None:
        """Return the trusted proxies, if any; ValueError."""
        if not self.trust_proxy:
            return None
        addresses = [str(ipaddress.ip_address(one.strip())) for one in self.trust_proxy.split(",")]
        return Proxy(frozenset(addresses), self.user_header)

    def door(self) -> users.Authenticator | None:
        """Return who may come in; CannotServe if that has to be said and is not."""
        try:
            secret = users.password(self.password_file)
        except PrivateFileError as wrong:
            raise CannotServe(str(wrong)) from None
        if self.user_header and not self.trust_proxy:
            raise CannotServe("--user-header needs --trust-proxy: anyone else can send that header too")
        if not (secret or self.user_header) and not users.is_loopback(self.host):
            raise CannotServe(
                f"{self.host} can be reached from other machines, so the pages need a password: --password-file FILE "
                f"(mode 0600) or {users.VARIABLE} in the environment, or a proxy in front that names its visitors: "
                "--trust-proxy and --user-header"
            )
        is_open = not (secret or self.user_header)
        return None if is_open else users.Authenticator(secret, users.over_file(self.password_file))


def address(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`, `PORT` or `[::1]:PORT`; ValueError for anything else."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError(f"{text!r}: HOST:PORT or PORT is expected, such as 0.0.0.0:8080")
    return host.strip("[]") or HOST, int(port)


class Child:
    """The pages in a process of their own; `close` leaves no process behind."""

    def __init__(self, place: str, where: WebSettings, is_quiet: bool = False) -> None:
        self._place = place
        self._output = subprocess.DEVNULL if is_quiet else None
        self._where = where
        self._host = f"[{where.host}]" if ":" in where.host else where.host
        self._process = self._started()

    @property
    def address(self) -> str:
        """Where they are, for a browser."""
        return f"{'https' if self._where.tls else 'http'}://{self._host}:{self._where.port}"

    def look_after(self, say: Callable[[str], None], counted: dict[str, float]) -> None:
        """Start the process again if it has ended; give it the server's figures."""
        code = self._process.poll()
        if code is not None:
            say(f"the pages have ended with {code}; they are started again")
            self._close_pipe()
            self._process = self._started()
        assert self._process.stdin is not None
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._process.stdin.fileno(), json.dumps(counted).encode() + b"\n")

    def close(self) -> None:
        """End the process."""
        self._close_pipe()
        subprocesses.wait_or_kill(self._process, STOP_LIMIT_S)

    def _started(self) -> subprocess.Popen:
        where = self._where
        listen = f"{self._host}:{where.port}"
        command = subprocesses.command("-m", "toolcart.tools.cli.main", "archive", "web", "--listen", listen)
        command += where.words
        environment = {**os.environ, PLACE_VARIABLE: self._place}
        process = subprocess.Popen(
            [*command, "--with-parent"],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            env=environment,
            start_new_session=True,
        )
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        return process

    def _close_pipe(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
