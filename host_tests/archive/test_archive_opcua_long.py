"""The archive by OPC UA under kills, under clients that take more than their part, and on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from asyncua import ua

from host_tests.support.archive import GRAPH, RESULT, Served, place_in, result
from host_tests.support.opcua import System, connected, ids, learn, serving, u32, u64
from tools.archive.opcua import limits

pytestmark = [
    pytest.mark.skipif(os.environ.get("TOOLCART_LONG") != "1", reason="each start loads all types: with --long"),
    pytest.mark.xdist_group("postgresql"),
]
DEADLINE_S = 120.0
KILLS = 4
BATCH = 20


class Collecting:
    """ResultIds as they come."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def event_notification(self, event) -> None:
        self.ids.append(getattr(event, "Result/ResultMetaData/ResultId"))


async def until(condition, what: str) -> None:
    for _ in range(int(DEADLINE_S * 20)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not in time: {what}")


def by_id() -> ua.EventFilter:
    path = [ua.QualifiedName(name, 0) for name in ("Result", "ResultMetaData", "ResultId")]
    select = ua.SimpleAttributeOperand(
        TypeDefinitionId=ua.NodeId(ua.ObjectIds.BaseEventType), BrowsePath=path, AttributeId=ua.AttributeIds.Value
    )
    return ua.EventFilter(SelectClauses=[select])


def send(station, count, first):
    """Results with sequences from `first` on; their ResultIds."""
    sent = []
    for sequence in range(first, first + count):
        stamp = f"20240315{sequence // 3600 % 24:02d}{sequence // 60 % 60:02d}{sequence % 60:02d}"
        station.send(result(sequence % 99999, sequence, time=stamp))
        assert station.hear().startswith("05")
        sent.append(f"3/1/10/{stamp}/{sequence}/1")
    return sent


def test_nothing_is_lost_by_kills_of_the_server_while_a_client_stores_results(tmp_path):
    """The client acknowledges what it has stored, and asks for the rest after each kill."""
    dice = random.Random(20261124)
    stored: list[str] = []

    async def one_life(process, archive_sends, kills):
        async with connected(process.url) as client:
            await learn(client)
            system = await System.of(client)
            heard = Collecting()
            subscription = await client.create_subscription(50, heard)
            await subscription.subscribe_events(system.node, evfilter=by_id(), queuesize=0)
            await system.call("RequestUnacknowledgedResults", u32(0), 0.0)
            archive_sends()
            at_least = dice.randrange(1, BATCH)
            await until(lambda: len(set(heard.ids)) >= at_least, "events")
            part = list(dict.fromkeys(heard.ids))
            stored.extend(part)
            assert (await system.call("AcknowledgeResults", ids(*part)))[1] == 0
            if kills:
                process.kill()
                return
            _, left, status, _ = await system.call("RequestUnacknowledgedResults", u32(0), 0.0)
            while left or status:
                await asyncio.sleep(0.3)
                part = list(dict.fromkeys(heard.ids))
                stored.extend(part)
                await system.call("AcknowledgeResults", ids(*part))
                _, left, status, _ = await system.call("RequestUnacknowledgedResults", u32(0), 0.0)

    with Served(place_in(tmp_path)) as archive, archive.server() as station:
        first = send(station, 1, 1)
        with serving(tmp_path, archive.place) as process:
            sent: list[str] = []
            for life in range(KILLS + 1):

                def sends(life=life):
                    sent.extend(send(station, BATCH, 100 + BATCH * life))

                try:
                    asyncio.run(asyncio.wait_for(one_life(process, sends, life < KILLS), DEADLINE_S * 3))
                except (ConnectionError, ua.UaError, asyncio.CancelledError):
                    assert life < KILLS, "only a kill may end a session"
                if life < KILLS:
                    process.process.wait()
                    process.start()
    assert set(sent) <= set(stored) and not set(first) & set(stored)


def test_clients_that_take_more_than_their_part_are_bounded_and_counted(tmp_path):
    async def greedy(process, station):
        clients = []
        refused = 0
        async with connected(process.url) as good:
            await learn(good)
            system = await System.of(good)
            for _ in range(limits.SESSIONS_MOST + 20):
                context = connected(process.url)
                try:
                    await context.__aenter__()
                    clients.append(context)
                except (ua.UaError, ConnectionError, TimeoutError):
                    refused += 1
            slow = Collecting()
            subscription = await good.create_subscription(limits.SLOWEST_MS, slow)
            await subscription.subscribe_events(system.node, evfilter=by_id(), queuesize=0)
            await subscription.set_publishing_mode(False)
            await asyncio.to_thread(send, station, limits.WAITING_MOST + 200, 10000)
            await asyncio.sleep(3)
            answer = (await system.call("GetLatestResult", 0))[2]
            for context in clients:
                await context.__aexit__(None, None, None)
        return refused, answer

    async def deaf(process):
        """Ask for much, and read nothing of it."""
        async with connected(process.url) as client:
            here = ua.BrowseDescription(NodeId=ua.NodeId(ua.ObjectIds.Server), ResultMask=63)
            wanted = ua.BrowseParameters(NodesToBrowse=[here] * 400)
            client.uaclient.protocol.transport.pause_reading()
            asking = [asyncio.create_task(client.uaclient.browse(wanted)) for _ in range(60)]
            await asyncio.wait(asking, timeout=15)
            client.uaclient.protocol.transport.resume_reading()
            await asyncio.gather(*asking, return_exceptions=True)

    with Served(place_in(tmp_path)) as archive, archive.server() as station:
        send(station, 1, 1)
        with serving(tmp_path, archive.place) as process:
            refused, answer = asyncio.run(asyncio.wait_for(greedy(process, station), DEADLINE_S * 4))
            with suppress(ConnectionError, ua.UaError, TimeoutError):
                asyncio.run(asyncio.wait_for(deaf(process), DEADLINE_S))
            lines = " ".join(process.stop())
    assert answer == 0 and refused >= 20
    assert "refused sessions" in lines or "refused connections" in lines
    assert "overflowed 2" in lines and "ended unread 1" in lines


def test_postgresql_answers_as_sqlite_does(databases, tmp_path):
    async def asked(process):
        async with connected(process.url) as client:
            await learn(client)
            system = await System.of(client)
            heard = Collecting()
            subscription = await client.create_subscription(50, heard)
            await subscription.subscribe_events(system.node, [system.type(1035)], evfilter=by_id())
            by_name = await system.call("GetResultById", "3/1/10/20240314092653/17/1", 0)
            none = ua.Variant([], ua.VariantType.ExtensionObject, is_array=True)
            listed = await system.call("GetResultIdListFiltered", ua.ContentFilter(), none, u32(10), 0)
            now = datetime.now(UTC)
            status = await system.call("RequestResults", u64(17), u64(18), now, now, 0.0)
            await until(lambda: len(heard.ids) >= 2, "results that were requested")
            good = await system.call("AcknowledgeResults", ids(*listed[1]))
            return by_name, listed, status, heard.ids, good

    with Served(databases()) as archive, archive.server() as station:
        for telegram in (RESULT, GRAPH, result(43, 18, time="20240314092753")):
            station.send(telegram)
            assert station.hear().startswith("05")
        with serving(tmp_path, archive.place) as process:
            by_name, listed, status, sent, good = asyncio.run(asyncio.wait_for(asked(process), DEADLINE_S))
    assert by_name[2] == 0 and by_name[1].ResultContent[0].Value.Trace is not None
    assert len(listed[1]) == 2 and status[1] == 0 and good == [[], 0]
    assert sent == ["3/1/10/20240314092653/17/1", "3/1/10/20240314092753/18/1"]
