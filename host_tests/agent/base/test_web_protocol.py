"""Half a request, a body that does not come, an answer that is not read: none keeps a place; what is worked on does."""

import asyncio
import contextlib

import pytest
import uvicorn

from toolcart.base import web_protocol, web_server

LOOK_S = 0.2
PLACES = 8
DEADLINE_S = 20
WHOLE = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


async def app(scope, receive, send):
    """Answers at once, after some looks (/slow), after the body (POST), or with more than anyone keeps (/much)."""
    if scope["type"] != "http":
        return
    body = b"well"
    if scope["path"] == "/slow":
        await asyncio.sleep(4 * LOOK_S)  # what is worked on
    if scope["path"] == "/much":
        body = bytes(2**24)
    while scope["method"] == "POST" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    with contextlib.suppress(OSError):
        await send({"type": "http.response.body", "body": body})


def with_server(talk, monkeypatch):
    """Run `talk(connect, server)` beside a server that looks often."""
    monkeypatch.setattr(web_protocol, "LOOK_S", LOOK_S)

    async def run():
        listening = web_server.listen("127.0.0.1", 0, 100)
        port = listening.getsockname()[1]
        server = uvicorn.Server(web_server.config(app, PLACES))
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0)
        try:
            await asyncio.wait_for(talk(lambda: asyncio.open_connection("127.0.0.1", port), server), DEADLINE_S)
        finally:
            server.should_exit = True
            await serving

    asyncio.run(run())


async def ended(reader):
    """Wait until the other side has closed or reset it, and return what it said."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "half",
    [b"", b"GET / HTTP/1.1\r\nhost: ", WHOLE + b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nx"],
    ids=["nothing", "header", "second", "body"],
)
def test_half_a_request_is_reset(monkeypatch, half):
    async def talk(connect, _server):
        reader, writer = await connect()
        writer.write(half)
        answer = await ended(reader)
        assert answer.count(b"well") == half.count(WHOLE)
        writer.close()

    with_server(talk, monkeypatch)


def test_octets_now_and_then_keep_no_place(monkeypatch):
    async def talk(connect, _server):
        reader, writer = await connect()
        gone = asyncio.create_task(ended(reader))
        while not gone.done():
            with contextlib.suppress(ConnectionError):
                writer.write(b"x")
            await asyncio.wait([gone], timeout=LOOK_S / 4)
        writer.close()

    with_server(talk, monkeypatch)


def test_an_answer_that_is_not_read_is_reset(monkeypatch):
    async def talk(connect, server):
        _, writer = await connect()
        writer.transport.pause_reading()
        writer.write(WHOLE.replace(b"/ ", b"/much ", 1))
        while not server.server_state.connections:
            await asyncio.sleep(0)
        while server.server_state.connections:
            await asyncio.sleep(0)
        writer.transport.abort()

    with_server(talk, monkeypatch)


def test_what_is_worked_on_may_take_long(monkeypatch):
    async def talk(connect, _server):
        reader, writer = await connect()
        writer.write(WHOLE.replace(b"/ ", b"/slow ", 1))
        assert b"200 OK" in await reader.readuntil(b"well")
        writer.close()

    with_server(talk, monkeypatch)


def test_one_address_has_half_of_the_places_at_most(monkeypatch):
    async def talk(connect, server):
        kept = [await connect() for _ in range(PLACES)]
        refused = [asyncio.create_task(ended(reader)) for reader, _ in kept]
        await asyncio.wait(refused, return_when=asyncio.FIRST_COMPLETED)
        assert len(server.server_state.connections) <= PLACES // 2
        for _, writer in kept:
            writer.close()

    with_server(talk, monkeypatch)
