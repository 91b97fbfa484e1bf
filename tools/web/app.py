"""The addresses: pages, /metrics, /status.json, /health; GET only, nothing can be changed here.

Rules
1. On the loopback the host that the browser names must be this machine, so that a foreign page cannot read this one
   under a name of its own (DNS rebinding).
2. If there is a token, every address but /health requires it: as `Authorization: Bearer TOKEN`, which Prometheus sends,
   or as the password of any user, which a browser can ask for.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from toolcart.base.prometheus import CONTENT_TYPE
from toolcart.pages import files
from toolcart.tools.web import metrics, page
from toolcart.tools.web.page import AgentState, WatchedAgents

HERE = ("localhost", "127.0.0.1", "[::1]")
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def guard(token: str, only_here: bool) -> Middleware:
    """Return what checks every request before it is answered, and adds headers to the answer."""

    async def check_request(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = _refusal(request, token, only_here) or await call_next(request)
        response.headers.update(HEADERS)
        return response

    return Middleware(BaseHTTPMiddleware, dispatch=check_request)


def _refusal(request: Request, token: str, only_here: bool) -> Response | None:
    host_header = request.headers.get("host", "")
    host = host_header if host_header.endswith("]") else host_header.rsplit(":", 1)[0]
    if only_here and host not in HERE:
        return PlainTextResponse("this page is this machine's alone\n", 421)
    if token and request.url.path != "/health":
        token_given = _token_of(request.headers.get("authorization", ""))
        if not hmac.compare_digest(token_given, token.encode()):
            explanation = "this page wants a token: Authorization: Bearer TOKEN, or the token as a password\n"
            return PlainTextResponse(explanation, 401, headers={"www-authenticate": 'Basic realm="toolcart"'})
    return None


def _token_of(authorization: str) -> bytes:
    """Return the token in this header."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode()
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
    return b""


def make(watched: WatchedAgents, token: str = "", only_here: bool = True) -> Starlette:

    def with_agents(make_page: Callable[[list[AgentState], Request], Response]):
        async def answer(request: Request) -> Response:
            return make_page(await to_thread.run_sync(watched.states), request)

        return answer

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        yield
        watched.close()

    routes = [
        Route("/", with_agents(lambda seen, _request: HTMLResponse(page.overview(seen)))),
        Route("/agent/{name}", with_agents(_agent_page)),
        Route("/status.json", with_agents(_status_json)),
        Route("/metrics", with_agents(_metrics_page)),
        Mount("/static", files()),
        Route("/health", health),
    ]
    return Starlette(
        routes=routes,
        middleware=[guard(token, only_here)],
        exception_handlers={404: _not_found},
        lifespan=life,
    )


def _agent_page(seen: list[AgentState], request: Request) -> Response:
    name = request.path_params["name"]
    agent = next((agent for agent in seen if agent.name == name), None)
    if agent is None:
        return HTMLResponse(page.error_page("There is no such agent."), 404)
    return HTMLResponse(page.agent(agent))


def _metrics_page(seen: list[AgentState], _request: Request) -> Response:
    return Response(metrics.text_of(seen), headers={"content-type": CONTENT_TYPE})


def _status_json(seen: list[AgentState], _request: Request) -> Response:
    agents = [
        {"agent": agent.name, "error": agent.trouble, "restarts": agent.restarts, "status": agent.status}
        for agent in seen
    ]
    return JSONResponse({"agents": agents})


async def _not_found(_request: Request, _why: Exception) -> Response:
    return HTMLResponse(page.error_page("There is no such page."), 404)
