"""What every command that serves pages does alike: a socket that is bound before uvicorn begins, its address, limits.

It is bound first so that a taken port is told in words, and port 0 as the number that it became.
"""

from __future__ import annotations

import socket

import uvicorn

from tools.base.web_protocol import WebProtocol

ENDING_S = 2  # how long an answer may still take


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Return a socket that listens there; OSError if that fails."""
    family, kind, number, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, number)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(backlog)
    except OSError:
        made.close()
        raise
    return made


def address(listening: socket.socket, host: str = "") -> str:
    """Return where a browser finds it, under `host` or the address that it is bound to."""
    bound, port = listening.getsockname()[:2]
    host = host or bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def config(app, connections: int) -> uvicorn.Config:
    """Return uvicorn's settings for `app` with so many connections at most."""
    return uvicorn.Config(
        app,
        http=WebProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # it would believe whoever calls from this machine
        limit_concurrency=connections,
        timeout_graceful_shutdown=ENDING_S,
        ws="none",
    )
