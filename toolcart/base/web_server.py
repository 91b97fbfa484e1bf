"""What all commands that serve pages have in common: a socket bound before uvicorn starts, its address, limits.

It is bound first so that a port in use is reported in words, and the number that port 0 became can be shown.
"""

from __future__ import annotations

import socket

import uvicorn

from toolcart.base.web_protocol import WebProtocol

ENDING_S = 2  # how long an answer may still take at the end


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Return a socket that listens there; OSError if that fails."""
    family, kind, number, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def address(listening: socket.socket, host: str = "") -> str:
    """Return the address for a browser, with `host` or the address that the socket is bound to."""
    bound, port = listening.getsockname()[:2]
    host = host or bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def config(app, connections: int) -> uvicorn.Config:
    """Return uvicorn's settings for `app` with at most so many connections."""
    return uvicorn.Config(
        app,
        http=WebProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # it would trust any client on this machine
        limit_concurrency=connections,
        timeout_graceful_shutdown=ENDING_S,
        ws="none",
    )
