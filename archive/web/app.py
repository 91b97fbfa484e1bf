"""The addresses of the pages, the headers of every answer, and who may come in.

Rules
1. Only GET, except to log in and out, and for the changes of CHANGES, which a foreign page cannot send: a browser
   names the page that a form comes from. Every page is also JSON under the same address with `?json`. What a page does
   not take is refused: `?date=` in place of `day` showed another day.
2. The pages load scripts, styles and pictures only from this server, and the browser is told so.
3. On the loopback the host that a browser names has to be one of this machine, so that a foreign page cannot read
   these pages under a name of its own (DNS rebinding).
4. With a door, every address but the log-in and its style needs a token, or a name from a trusted proxy; without one of
   these, JSON gets a 401.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, quote

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route

from toolcart.archive.file_formats import export
from toolcart.archive.statistics import spc
from toolcart.archive.statistics.periods import Shifts
from toolcart.archive.web import (
    edits,
    list_rows,
    metrics,
    page_queries,
    pages,
    request_arguments,
    statistics_pages,
    template_filters,
)
from toolcart.archive.web.exports import DONE, Exports, Job, QueueFull
from toolcart.archive.web.live import LiveFeed
from toolcart.archive.web.pages import Page
from toolcart.archive.web.reading import DatabaseUnreachable, QueryTimeout, Reading, Writing
from toolcart.archive.web.request_arguments import InvalidRequest, NotThere
from toolcart.archive.web.users import VALID_S, Authenticator, Proxy
from toolcart.base.prometheus import CONTENT_TYPE
from toolcart.pages import files

COOKIE = "toolcart_archive"
FORM_MOST = 4000
SOON_S = 3.0  # a file that is done by then is the answer; of another, its page
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
PATH_MOST = 200  # characters; ours are shorter, and no number has thousands of digits
LOGINS_AT_ONCE = 2  # passwords checked at once; each takes 16 MiB and a processor
CHANGING = ("/limits/", "/remark/")
OPEN = ("/login", "/static/", "/metrics")  # the last one checks by itself
_WANTED = {"www-authenticate": 'Basic realm="toolcart archive"'}
_HERE = ("localhost", "127.0.0.1", "[::1]")
Change = Callable[[Reading, Writing, Request, dict[str, str], str], Awaitable[str]]  # returns the page to show then
_FILES = ("json", "as", "wait")  # what every page can be asked for
_TREND = "program spindle tool from to vin_from vin_to by only subgroup limits unit behind"
_PAGES: tuple[tuple[str, Callable[[Reading, Request], Awaitable[Page]], str], ...] = (  # address, page, what it takes
    ("/", pages.overview, ""),
    ("/live", pages.live, ""),
    ("/search", pages.search, "q"),
    ("/car", pages.car, "vin behind"),
    ("/result/{number:int}", pages.result, "bolt"),
    ("/curves/{number:int}", pages.curves, "count only"),
    ("/station/{key:path}", pages.station, "day only"),
    ("/results", pages.results, "station program spindle tool cause from to verdict behind"),
    ("/trend/{key:path}", statistics_pages.trend_page, _TREND),
    ("/limits/{key:path}", edits.limits_page, "program spindle from to"),
    ("/pareto", statistics_pages.pareto_page, "station program from to by attempts"),
    ("/events", pages.events, "station behind"),
    ("/breaches", pages.breaches, "behind"),
    ("/audit", pages.audit, "behind"),
)
CHANGES: tuple[tuple[str, Change], ...] = (
    ("/limits/{key:path}", edits.set_limits),
    ("/remark/{number:int}", edits.add_remark),
)


class _PageError(InvalidRequest):
    """Something else that a page says in place of what was asked for."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(text)
        self.status, self.title = status, title


class Site:
    """What all requests share."""

    def __init__(self, reading: Reading, door: Authenticator | None = None, proxy: Proxy | None = None) -> None:
        self.reading = reading
        self.writing = Writing(reading.place)
        self.door = door
        self.proxy = proxy or Proxy(frozenset())
        self.exports = Exports(reading.place)
        self._looking = CapacityLimiter(LOGINS_AT_ONCE)
        self.server: dict[str, float] | None = None  # counts of the server beside it
        self.templates = template_filters.templates()
        row_template = self.templates.get_template("row.html")
        self.feed = LiveFeed(reading, lambda result: row_template.render(row=result), pages.today)

    def rendered(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page made from this template."""
        about = {"archive": self.reading.label, "has_door": self.door is not None and self.door.has_password}
        return HTMLResponse(self.templates.get_template(name).render(**about, **values), status)

    def page(
        self, make: Callable[[Reading, Request], Awaitable[Page]], taken: Collection[str]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that shows a page; an address with any name but those `taken` is refused."""

        async def answer(request: Request) -> Response:
            self._check(request)
            request.state.taken = taken
            unknown = [name for name in request.query_params if name not in taken and name not in _FILES]
            if unknown:
                known = ", ".join(taken) or "nothing"
                raise InvalidRequest(f"{', '.join(map(repr, unknown))}: this page takes {known}")
            content = await make(self.reading, request)
            if content.go_to:
                return RedirectResponse(content.go_to, 303)
            if "json" in request.query_params:
                return JSONResponse(content.values)
            if "as" in request.query_params:
                return await self._file(request, content)
            query = dict(request.query_params)
            context = {"here": request.url.path, "query": query, "choices": content.choices}
            return self.rendered(content.template, **context, **content.values)

        return answer

    def change(self, make: Change) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that makes a change and shows a page afterwards."""

        async def answer(request: Request) -> Response:
            self._check(request)
            form = await _form_of(request)
            if form is None:
                raise _PageError(413, "Too long", f"A form has {FORM_MOST} bytes at most.")
            who = _name_of(request) or "without a name"
            return RedirectResponse(await make(self.reading, self.writing, request, form, who), 303)

        return answer

    def _check(self, request: Request) -> None:
        """Refuse an address that no text can be looked up by."""
        if any("\0" in text for text in request.query_params.values()):
            raise InvalidRequest("There is a character in the address that no text has.")

    async def _file(self, request: Request, page: Page) -> Response:
        """Return what a page shows as a file, or the page that shows how far it is."""
        kind = request.query_params["as"]
        if kind not in export.FORMATS or page.rows is None:
            text = f"This page is no list, or as={kind!r} is none of {', '.join(export.FORMATS)}."
            raise _PageError(400, "This cannot be a file", text)
        chosen = export.FORMATS[kind]
        if chosen.is_for_results and page.rows.what not in (list_rows.RESULTS, list_rows.TREND):
            raise _PageError(400, "This cannot be a file", f"Only results are there as {chosen.label}.")
        try:
            job = self.exports.start(page.rows, kind, _name_of(request))
        except QueueFull:
            raise _PageError(503, "Too much at once", "Many files are being written; try again later.") from None
        wait_s = None if "wait" in request.query_params else SOON_S
        if await job.finished(wait_s):
            return self._taken(job)
        return RedirectResponse(f"/export/{job.number}", 303)

    async def export_page(self, request: Request) -> Response:
        """How far a file is; with `file`, the file."""
        self._check(request)
        job = self.exports.find(request.path_params["number"])
        if job is None or job.who != _name_of(request):
            raise NotThere("There is no such file any more: ask for it again.")
        if "file" in request.query_params and job.ended.is_set():
            return self._taken(job, keep=True)
        status = {"state": job.state, "count": job.count, "total": job.total, "name": job.name, "why": job.why}
        if "json" in request.query_params:
            return JSONResponse(status)
        answer = self.rendered("export.html", here=request.url.path, query={}, job=status)
        if not job.ended.is_set():
            answer.headers["refresh"] = "2"
        return answer

    def _taken(self, job: Job, keep: bool = False) -> Response:
        """Return a job's file, which goes afterwards unless it is kept for a while."""
        if job.state != DONE:
            self.exports.forget(job)
            needs = export.FORMATS[job.kind].needs
            is_missing = bool(needs) and f"no {needs}" in job.why
            raise _PageError(501, "Not installed", job.why) if is_missing else _PageError(503, "It failed", job.why)
        if not os.path.exists(job.path):  # Parquet without rows
            self.exports.forget(job)
            raise NotThere("There is no such result.")
        gone = None if keep else BackgroundTask(self.exports.forget, job)
        return FileResponse(
            job.path, media_type=export.FORMATS[job.kind].media_type, filename=job.name, background=gone
        )

    async def trouble(self, request: Request, why: Exception) -> Response:
        """Say what is wrong in place of a page; what went wrong inside goes into the log."""
        if isinstance(why, InvalidRequest):
            status, title, text = why.status, why.title, str(why)
        elif isinstance(why, HTTPException):
            status, title, text = 404, "Not found", "There is no such page."
        elif isinstance(why, QueryTimeout):
            status, title = 503, "Too much at once"
            text = f"The answer would take more than {self.reading.limit_s:.0f} s. Ask for less: fewer days, a station."
        elif isinstance(why, DatabaseUnreachable):
            status, title, text = 503, "The database does not answer", str(why)
        else:
            status, title = 500, "Something went wrong"
            text = "This page cannot be shown. The log of `toolcart archive serve` or `web` says why; the others go on."
        if "json" in request.query_params:
            return JSONResponse({"error": text}, status)
        less = request_arguments.shorter(request) if isinstance(why, QueryTimeout) else None
        return self.rendered("trouble.html", status, here=request.url.path, query={}, title=title, text=text, less=less)

    async def live(self, request: Request) -> Response:
        """Send events, from `after` or the last one that the browser had."""
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        if self.feed.is_full():
            return PlainTextResponse("too many watch already\n", 503)
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
        return StreamingResponse(self.feed.watch(number), media_type="text/event-stream")

    async def metrics(self, request: Request) -> Response:
        """The figures for Prometheus, which gives the password, with any user name, or comes through the proxy."""
        if self.door is not None and not self.proxy.name(_peer(request), dict(request.scope["headers"])):
            tried = _basic(request.headers.get("authorization", ""))
            if tried is None or await self._token(request, tried) is None:
                return PlainTextResponse("the password, as Prometheus' basic_auth has it\n", 401, headers=_WANTED)
        try:
            systems = await self.reading(page_queries.stations, pages.today(), metrics.STATIONS_MOST)
        except (QueryTimeout, DatabaseUnreachable) as why:
            return PlainTextResponse(f"the database does not answer: {why}\n", 503)
        return Response(metrics.text_of(self.server, systems), headers={"content-type": CONTENT_TYPE})

    async def login(self, request: Request) -> Response:
        """Show the form; give a token for the right password."""
        to = request.query_params.get("to", "/")
        if not to.startswith("/") or to.startswith(("//", "/\\")):
            to = "/"
        if self.door is None or not self.door.has_password:
            return RedirectResponse(to, 303)
        if request.method != "POST":
            return self._form(to, "")
        form = await _form_of(request)
        if form is None:
            return self._form(to, "That is no password.", 400)
        token = await self._token(request, form.get("password", ""))
        if token is None:
            shut = self.door.is_shut(_visitor(request))
            why = "Too many wrong passwords; wait a minute." if shut else "That is not the password."
            return self._form(to, why, 429 if shut else 403)
        answer = RedirectResponse(to, 303)
        _give(answer, token, request.scope)
        return answer

    async def _token(self, request: Request, tried: str) -> str | None:
        """Return a token for this password, None if it is wrong; only a few are checked at once."""
        assert self.door is not None
        token = self.door.token
        return await to_thread.run_sync(token, tried, _visitor(request), limiter=self._looking)

    def _form(self, to: str, why: str, status: int = 200) -> HTMLResponse:
        return self.rendered("login.html", status, to=to, why=why)

    async def logout(self, request: Request) -> Response:
        """Forget the session, here and in the browser."""
        if self.door is not None:
            self.door.forget(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer


async def _form_of(request: Request) -> dict[str, str] | None:
    """Return the values of a form by name; None for more than FORM_MOST bytes."""
    octets = b""
    async for part in request.stream():
        octets += part
        if len(octets) > FORM_MOST:
            return None
    return {name: texts[0] for name, texts in parse_qs(octets.decode("utf-8", "replace")).items()}


def _name_of(request: Request) -> str:
    """Return the name that the proxy has given this visitor, "" if there is none."""
    return request.scope.get("user", "")


def _basic(header: str) -> str | None:
    """Return the password of HTTP basic authentication; None for a missing one."""
    kind, _, credentials = header.partition(" ")
    try:
        _, _, tried = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return None
    return tried if kind.lower() == "basic" else None


def _visitor(request: Request) -> str:
    site: Site = request.app.state.site
    return site.proxy.visitor(_peer(request), dict(request.scope["headers"]))


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _give(answer: Response, token: str, scope) -> None:
    secure = scope["scheme"] == "https"
    answer.set_cookie(COOKIE, token, VALID_S, httponly=True, samesite="strict", secure=secure)


class _Guard:
    """Checks every request before the pages: host names, tokens, headers."""

    def __init__(self, app, site: Site, only_here: bool) -> None:
        self._app = app
        self._site = site
        self._only_here = only_here

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message) -> None:
            if message["type"] == "http.response.start":
                is_static = scope["path"].startswith("/static/")
                headers = {**HEADERS, "cache-control": "max-age=3600"} if is_static else HEADERS
                message["headers"] += [(name.encode(), value.encode()) for name, value in headers.items()]
                if scope.get("renewed"):
                    cookie = Response()
                    _give(cookie, scope["renewed"], scope)
                    message["headers"] += [pair for pair in cookie.raw_headers if pair[0] == b"set-cookie"]
            await send(message)

        request = Request(scope)
        if _peer(request) in self._site.proxy.addresses:
            schemes = [scope["scheme"], *request.headers.getlist("x-forwarded-proto")]
            scope["scheme"] = schemes[-1]  # the proxy's is last
        refused = self._refused(request, scope)
        await (refused or self._app)(scope, receive, with_headers)

    def _refused(self, request: Request, scope) -> Response | None:
        host = request.headers.get("host", "").lower()
        if self._only_here and host.rpartition(":")[0] not in _HERE and host not in _HERE:
            return PlainTextResponse("This page is served to this machine alone, as localhost or 127.0.0.1.\n", 421)
        if len(scope["path"]) > PATH_MOST:
            return PlainTextResponse("There is no such page.\n", 404)
        if scope["path"] not in ("/login", "/logout") and scope["method"] not in ("GET", "HEAD"):
            if scope["method"] != "POST" or not scope["path"].startswith(CHANGING):
                return PlainTextResponse("Nothing can be changed here.\n", 405)
            origin = request.headers.get("origin", "").lower()
            if origin and origin.partition("://")[2] != host:
                return PlainTextResponse("That form comes from another page.\n", 403)
        door = self._site.door
        if door is None or scope["path"].startswith(OPEN):
            return None
        token = request.cookies.get(COOKIE, "")
        name = self._site.proxy.name(_peer(request), dict(scope["headers"]))
        if name or door.knows(token):
            scope["user"] = name or ""
            scope["renewed"] = None if name else door.renewed(token)
            return None
        query = scope["query_string"].decode("latin-1")
        if "json" in query or scope["path"] == "/live/events":
            return JSONResponse({"error": "log in first"}, 401)
        if not door.has_password:
            return PlainTextResponse("These pages are reached through the proxy in front of them.\n", 401)
        to = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?to={quote(to, safe='')}", 303)


def make(
    reading: Reading,
    door: Authenticator | None = None,
    only_here: bool = True,
    shifts: Shifts = (),
    proxy: Proxy | None = None,
    rules: Collection[int] = spc.USUAL,
    placeholders: Sequence[str] | None = None,
) -> Starlette:
    """Return the application; `only_here`: it listens on the loopback.

    `shifts`, run `rules` of charts and `placeholders`, VINs that are no car's: the plant's.
    """
    site = Site(reading, door, proxy)

    @asynccontextmanager
    async def lifespan(_app):
        yield
        await site.feed.stop()
        reading.close()
        site.writing.close()
        await site.exports.close()

    routes: list = [Route(path, site.page(page, names.split())) for path, page, names in _PAGES]
    routes += [Route(path, site.change(change), methods=["POST"]) for path, change in CHANGES]
    routes += [
        Route("/live/events", site.live),
        Route("/export/{number}", site.export_page),
        Route("/metrics", site.metrics),
        Route("/login", site.login, methods=["GET", "POST"]),
        Route("/logout", site.logout, methods=["POST"]),
        Mount("/static", files(template_filters.HERE / "static")),
    ]
    handlers = dict.fromkeys((InvalidRequest, QueryTimeout, DatabaseUnreachable, 404, 500), site.trouble)
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)  # type: ignore[arg-type]
    app.add_middleware(_Guard, site=site, only_here=only_here)  # type: ignore[arg-type]
    app.state.site, app.state.shifts, app.state.rules = site, shifts, rules
    app.state.placeholders, app.state.guess_ends = placeholders, 0.0
    return app
