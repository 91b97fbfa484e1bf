"""The archive by OPC UA as clients see it: encrypted, with users, read by asyncua's client, beside a real archive."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from asyncua import Client, ua
from prometheus_client.parser import text_string_to_metric_families

from host_tests.support import node
from host_tests.support.archive import DESCRIBED, EVENT, GRAPH, RESULT, Served, place_in, result
from host_tests.support.opcua import System, client_certificate, connected, ids, learn, serving, u32, u64
from host_tests.support.opcua_nodeset import Nodesets
from tools.archive import queries
from tools.archive.opcua import figures, limits, nodesets
from tools.archive.web.users import put

DEADLINE_S = 30.0
SOON_S = 5.0  # a second, on a machine that has others to serve
FIRST = "3/1/10/20240314092653/17/1"
PASSWORD = "eleven screws"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """An archive with a result, its curve and an event, the OPC UA server beside it, and two users."""
    folder = tmp_path_factory.mktemp("opcua")
    users = str(folder / "users")
    put(users, "anna", "export", PASSWORD)
    put(users, "ben", "view", PASSWORD)
    certificate = client_certificate(folder)
    files = ["--certificate", str(folder / "server.pem"), "--key", str(folder / "server.key"), "--self-signed"]
    with Served(place_in(folder)) as archive:
        with archive.server() as station:
            for telegram in (RESULT, DESCRIBED, GRAPH, EVENT):
                assert station.ask(telegram).startswith("05")
        options = [*files, "--users-file", users, "--zone", "Europe/Berlin", "--metrics", "127.0.0.1:0"]
        with serving(folder, archive.place, *options) as process:
            yield SimpleNamespace(archive=archive, process=process, certificate=certificate)


@pytest.fixture
def plant(served):
    """The same with a station of this test alone: a minute without a telegram would end its connection."""
    with served.archive.server() as station:
        yield SimpleNamespace(station=station, **vars(served))


def as_user(plant, name="anna", password=PASSWORD):
    return connected(plant.process.url, name, password, plant.certificate)


def run(plant, does, name="anna"):
    """Call `does(client, system)` with a client that knows the types."""

    async def whole():
        async with as_user(plant, name) as client:
            if not hasattr(ua, "JoiningResultDataType"):  # they stay, and the server does too
                await learn(client)
            return await does(client, await System.of(client))

    return asyncio.run(asyncio.wait_for(whole(), DEADLINE_S * 2))


class Heard:
    """Events as they come."""

    def __init__(self):
        self.events: asyncio.Queue = asyncio.Queue()

    def event_notification(self, event):
        self.events.put_nowait((time.monotonic(), event))

    async def next(self):
        return await asyncio.wait_for(self.events.get(), DEADLINE_S)


async def listening(client, node, *types):
    heard = Heard()
    subscription = await client.create_subscription(100, heard)
    await subscription.subscribe_events(node, list(types))
    return heard


# -- the address space ---------------------------------------------------------------------------------------------


def test_every_mandatory_node_of_each_type_is_on_its_instances(plant):
    wanted = Nodesets(nodesets.FOLDER)

    async def does(client, system):
        missing, checked = [], 0
        for each, types in await instances(system):
            paths = await paths_of(client, system.namespaces, each)
            kinds = [name for name in types if name in wanted.names]
            for path in wanted.mandatory(*kinds):
                if path[:-1] in paths or len(path) == 1:
                    checked += 1
                    if path not in paths:
                        missing.append((each.nodeid.to_string(), "/".join(name for _, name in path)))
        return missing, checked

    missing, checked = run(plant, does)
    assert not missing
    assert checked > 30, "the check looked at next to nothing"


async def instances(system):
    """Every object and variable below the machines with its types and interfaces, as the nodesets name them."""

    def named(node):
        return system.namespaces[node.NamespaceIndex], f"i={node.Identifier}"

    found, waiting = [], [system.node]
    while waiting:
        node = waiting.pop()
        kinds = []
        for kind in (ua.ObjectIds.HasTypeDefinition, ua.ObjectIds.HasInterface):
            kinds += [named(each.nodeid) for each in await node.get_referenced_nodes(kind)]
        found.append((node, kinds))
        waiting += [
            each for each in await node.get_children() if each.nodeid.NamespaceIndex == node.nodeid.NamespaceIndex
        ]
    return found


async def paths_of(client, namespaces, node, above=(), depth=7):
    found = {above} if above else set()
    if depth:
        for told in await node.get_children_descriptions():
            name = (namespaces[told.BrowseName.NamespaceIndex], told.BrowseName.Name)
            if told.NodeClass == ua.NodeClass.Method:
                found.add((*above, name))
            else:
                found |= await paths_of(client, namespaces, client.get_node(told.NodeId), (*above, name), depth - 1)
    return found


def test_each_system_has_a_controller_a_tool_for_each_spindle_and_its_place_in_the_map(plant):
    async def does(client, system):
        at = {uri: index for index, uri in enumerate(system.namespaces)}
        di, base = at[nodesets.DI], at[nodesets.BASE]
        assets = await system.node.get_child([f"{base}:AssetManagement", f"{base}:Assets"])
        tools = await (await assets.get_child(f"{base}:Tools")).get_children()
        controllers = await (await assets.get_child(f"{base}:Controllers")).get_children()
        serial = await tools[0].get_child([f"{di}:Identification", f"{di}:SerialNumber"])
        interfaces = await controllers[0].get_referenced_nodes(ua.ObjectIds.HasInterface)
        name = await system.node.get_child([f"{di}:Identification", f"{base}:Name"])
        return (
            [(await tool.read_display_name()).Text for tool in tools],
            await serial.read_value(),
            [node.nodeid.Identifier for node in interfaces],
            await name.read_value(),
        )

    assert run(plant, does) == (["Spindle A"], "C3412129", [1003], "Left front")


# -- results -------------------------------------------------------------------------------------------------------


def test_a_result_has_the_values_of_the_databases_row(plant):
    async def does(client, system):
        return await system.call("GetResultById", FIRST, 0), await system.call("GetLatestResult", 0)

    (handle, found, error), (_, latest, _) = run(plant, does)
    [row] = plant.archive.rows("SELECT Torque, TorqueLow, TorqueHigh, Angle, VIN, Program, Overall FROM Result LIMIT 1")
    content = found.ResultContent[0].Value
    torque, angle = content.OverallResultValues[:2]
    assert handle > 0 and error == 0 and latest.ResultMetaData.ResultId >= FIRST
    assert (torque.MeasuredValue, torque.LowLimit, torque.HighLimit, angle.MeasuredValue) == row[:4]
    assert (found.ResultMetaData.PartId, found.ResultMetaData.InternalRecipeId) == (row[4], str(row[5]))
    assert found.ResultMetaData.ResultEvaluation == (1 if row[6] == 0 else 2)
    # 09:26:53 in Berlin's winter
    assert found.ResultMetaData.CreationTime == datetime(2024, 3, 14, 8, 26, 53, tzinfo=UTC)
    assert found.ResultMetaData.SequenceNumber == 17 and found.ResultMetaData.JobId == "7"
    assert torque.EngineeringUnits.UnitId == int.from_bytes(b"NU", "big")
    entities = {each.Name: each.EntityId for each in found.ResultMetaData.AssociatedEntities}
    assert entities["VIN"] == "WVWZZZ1KZAW123456" and entities["Tightening ID"] == "1234567"
    assert {each.Key: each.Value.Value for each in found.ResultMetaData.ExtendedMetaData}["Batch size"] == 6


def test_a_results_curve_has_the_samples_of_the_database(plant):
    async def does(client, system):
        return (await system.call("GetResultById", FIRST, 0))[1]

    content = run(plant, does).ResultContent[0].Value
    [row] = plant.archive.rows("SELECT FactorDom, FactorNom, BitShift, SampleMs, Samples FROM Graph")
    names = ("FactorDom", "FactorNom", "BitShift", "SampleMs", "Samples")
    times, values = queries.samples(dict(zip(names, row, strict=True)))
    [step] = content.Trace.StepTraces
    [trace] = step.StepTraceContent
    assert list(trace.Values) == values and len(values) > 5
    assert step.NumberOfTracePoints == len(values) and step.SamplingInterval == times[1]
    assert content.Trace.ResultId == FIRST
    assert step.StepResultId == content.StepResults[0].StepResultId


def test_what_is_no_result_of_this_system_is_an_error_and_no_result(plant):
    async def does(client, system):
        wrong = ["", "x", "3/1/11/20240314092653/17/1", FIRST[:-1] + "2", "3/1/10/20240314092653/17/1' OR 1"]
        return [await system.call("GetResultById", text, 0) for text in wrong]

    for handle, found, error in run(plant, does):
        assert (handle, found.Body, error) == (0, None, -1)


def test_a_handle_is_released_once(plant):
    async def does(client, system):
        handle = (await system.call("GetLatestResult", 0))[0]
        return [await system.call("ReleaseResultHandle", u32(handle)) for _ in range(2)]

    assert run(plant, does) == [0, -1]


# -- events --------------------------------------------------------------------------------------------------------


def test_a_new_result_is_announced_soon_after_its_commit_and_again_with_its_curve(plant):
    async def does(client, system):
        heard = await listening(client, client.nodes.server, system.type(1007))
        sent = time.monotonic()
        plant.station.send(result(50, 21, time="20240314093100"))
        assert plant.station.hear().startswith("05")
        at, event = await heard.next()
        plant.station.send(GRAPH.replace(b"20240314092653", b"20240314093100").replace(b"00017", b"00021", 1))
        assert plant.station.hear().startswith("05")
        _, again = await heard.next()
        variable = await (await system.variable("Result")).read_value()
        return at - sent, event, again, variable

    took_s, event, again, variable = run(plant, does)
    assert took_s < SOON_S
    assert event.Result.ResultMetaData.ResultId == "3/1/10/20240314093100/21/1"
    assert event.Result.ResultContent[0].Value.Trace is None
    assert again.Result.ResultMetaData.ResultId == event.Result.ResultMetaData.ResultId
    assert again.Result.ResultContent[0].Value.Trace is not None
    assert variable.ResultMetaData.ResultId == event.Result.ResultMetaData.ResultId


def test_an_alarm_of_a_station_is_an_event_of_its_joining_system(plant):
    async def does(client, system):
        heard = await listening(client, system.node, system.type(1006))
        plant.station.send(EVENT.replace("20240314093000", "20240314093500").replace("00045", "00046", 1))
        assert plant.station.hear().startswith("05")
        return (await heard.next())[1]

    event = run(plant, does)
    [row] = plant.archive.rows("SELECT Code, Level FROM Event ORDER BY EventId DESC LIMIT 1")
    assert getattr(event, "JoiningSystemEventContent/EventCode") == row[0]
    assert event.Severity == {0: 100, 1: 500, 2: 800}[row[1]]
    assert event.Message.Text == "E404" and event.SourceName == "Left front"


def test_a_filter_by_a_type_takes_its_subtypes_too(plant):
    async def does(client, system):
        heard = Heard()
        subscription = await client.create_subscription(100, heard)
        where = ua.ContentFilter(
            Elements=[
                ua.ContentFilterElement(
                    FilterOperator=ua.FilterOperator.OfType,
                    FilterOperands=[ua.LiteralOperand(Value=ua.Variant(system.type(1007).nodeid))],
                )
            ]
        )
        select = ua.SimpleAttributeOperand(
            TypeDefinitionId=ua.NodeId(ua.ObjectIds.BaseEventType),
            BrowsePath=[ua.QualifiedName("EventType", 0)],
            AttributeId=ua.AttributeIds.Value,
        )
        wanted = ua.EventFilter(SelectClauses=[select], WhereClause=where)
        await subscription.subscribe_events(system.node, evfilter=wanted)
        await system.call("RequestResults", u64(17), u64(17), datetime.now(UTC), datetime.now(UTC), 0.0)
        return (await heard.next())[1].EventType.Identifier

    assert run(plant, does) == 1035


# -- acknowledging, and having results sent again ----------------------------------------------------------------


async def again(system, method, *arguments):
    """The answer as soon as an earlier request of this session is through."""
    while (answer := await system.call(method, *arguments))[-2] == -4:
        await asyncio.sleep(0.02)
    return answer


async def requested(heard, count):
    return [(await heard.next())[1].Result.ResultMetaData.ResultId for _ in range(count)]


def test_what_was_not_acknowledged_is_sent_again_and_what_was_is_not(plant):
    async def does(client, system):
        heard = await listening(client, system.node, system.type(1035))
        before = (await again(system, "RequestUnacknowledgedResults", u32(0), 0.0))[1]
        await requested(heard, before)
        for sequence in (31, 32, 33):
            plant.station.send(result(sequence, sequence, time=f"202403141000{sequence}"))
            assert plant.station.hear().startswith("05")
        three = [f"3/1/10/202403141000{sequence}/{sequence}/1" for sequence in (31, 32, 33)]
        _, count, status, _ = await again(system, "RequestUnacknowledgedResults", u32(0), 0.0)
        first = await requested(heard, count)
        errors = await system.call("AcknowledgeResults", ids(three[0], "none", three[2]))
        _, left, _, _ = await again(system, "RequestUnacknowledgedResults", u32(0), 0.0)
        second = await requested(heard, left)
        good = await system.call("AcknowledgeResults", ids(*second))
        _, none, _, _ = await again(system, "RequestUnacknowledgedResults", u32(0), 0.0)
        return status, first, three, errors, second, good, none

    status, first, three, errors, second, good, none = run(plant, does)
    assert status == 0 and [one for one in first if one in three] == three  # among what earlier tests left
    assert errors == [[0, -1, 0], -1]
    assert second == [one for one in first if one not in (three[0], three[2])]
    assert good == [[], 0] and none == 0


def test_stored_results_are_sent_by_sequence_and_by_time_and_a_span_that_is_none_is_refused(plant):
    def at(minute):
        return datetime(2024, 3, 14, 8, minute, 0, tzinfo=UTC)

    async def does(client, system):
        heard = await listening(client, system.node, system.type(1035))
        answers = [await system.call("RequestResults", u64(17), u64(17), at(0), at(1), 0.0)]
        by_sequence = await requested(heard, 1)
        answers.append(await again(system, "RequestResults", u64(0), u64(0), at(26), at(27), 20.0))
        by_time = await requested(heard, 1)
        wrong = [
            await system.call("RequestResults", u64(18), u64(17), at(0), at(1), 0.0),
            await system.call("RequestResults", u64(0), u64(3), at(0), at(1), 0.0),
            await system.call("RequestResults", u64(0), u64(0), at(1), at(0), 0.0),
        ]
        return answers, by_sequence, by_time, [answer[1] for answer in wrong]

    answers, by_sequence, by_time, wrong = run(plant, does)
    assert by_sequence == by_time == [FIRST]
    assert [answer[:2] for answer in answers] == [[5.0, 0], [20.0, 0]]
    assert wrong == [-5, -5, -5]


def test_ids_are_filtered_by_metadata_and_a_field_that_is_not_known_is_refused(plant):
    def by(name, operator, value):
        path = [ua.QualifiedName("ResultMetaData", 0), ua.QualifiedName(name, 0)]
        field = ua.SimpleAttributeOperand(BrowsePath=path, AttributeId=ua.AttributeIds.Value)
        element = ua.ContentFilterElement(
            FilterOperator=operator, FilterOperands=[field, ua.LiteralOperand(Value=ua.Variant(value))]
        )
        return ua.ContentFilter(Elements=[element])

    async def does(client, system):
        none = ua.Variant([], ua.VariantType.ExtensionObject, is_array=True)
        equals, before = ua.FilterOperator.Equals, ua.FilterOperator.LessThan
        moment = datetime(2024, 3, 14, 8, 27, tzinfo=UTC)
        filters = [
            by("SequenceNumber", equals, 17),
            by("CreationTime", before, moment),
            by("PartId", equals, "none"),
            by("OperationMode", equals, 1),
        ]
        return [await system.call("GetResultIdListFiltered", each, none, u32(0), 0) for each in filters]

    answers = run(plant, does)
    assert [answer[1] for answer in answers] == [[FIRST], [FIRST], [], []]
    assert [answer[2] for answer in answers] == [0, 0, 0, -3]


# -- who may what --------------------------------------------------------------------------------------------------


def test_no_session_begins_over_an_open_channel_which_still_names_the_endpoints(plant):
    async def whole():
        client = Client(plant.process.url, timeout=10)
        endpoints = await client.connect_and_get_server_endpoints()
        with pytest.raises(ua.UaStatusCodeError) as refused:
            async with Client(plant.process.url, timeout=10):
                pass
        return endpoints, refused.value.code

    endpoints, code = asyncio.run(whole())
    assert {endpoint.SecurityMode for endpoint in endpoints} == {ua.MessageSecurityMode.SignAndEncrypt}
    assert code == ua.StatusCodes.BadSecurityModeInsufficient


@pytest.mark.parametrize("name, password", [("anna", "wrong"), ("carl", PASSWORD), (None, "")])
def test_who_is_not_known_does_not_come_in(plant, name, password):
    async def whole():
        with pytest.raises((ua.UaStatusCodeError, ua.UaError)):
            async with as_user(plant, name, password):
                pass

    asyncio.run(whole())


def test_a_user_who_may_view_reads_and_neither_acknowledges_nor_writes(plant):
    async def does(client, system):
        found = await system.call("GetLatestResult", 0)
        refused = []
        for call in (
            system.call("AcknowledgeResults", ids(FIRST)),
            system.call("RequestUnacknowledgedResults", u32(0), 0.0),
            (await system.variable("Result")).write_value(ua.Variant(None)),
        ):
            with pytest.raises(ua.UaStatusCodeError) as reason:
                await call
            refused.append(reason.value.code)
        return found[2], refused

    error, refused = run(plant, does, "ben")
    assert error == 0 and set(refused) == {ua.StatusCodes.BadUserAccessDenied}


def test_no_session_touches_the_subscriptions_of_another(plant):
    async def does(client, system):
        heard = Heard()
        subscription = await client.create_subscription(100, heard)
        await subscription.subscribe_events(system.node, [system.type(1035)])
        mine = subscription.subscription_id
        async with as_user(plant, "ben") as other:
            deleted = await other.uaclient.delete_subscriptions([mine])
            parameters = ua.SetPublishingModeParameters(PublishingEnabled=False, SubscriptionIds=[mine])
            with pytest.raises(ua.UaStatusCodeError) as refused:
                await other.uaclient.set_publishing_mode(parameters)
        await system.call("RequestResults", u64(17), u64(17), datetime.now(UTC), datetime.now(UTC), 0.0)
        return deleted[0].value, refused.value.code, await requested(heard, 1)

    unknown = ua.StatusCodes.BadSubscriptionIdInvalid
    assert run(plant, does) == (unknown, unknown, [FIRST])


# -- limits --------------------------------------------------------------------------------------------------------


def test_too_much_at_once_is_refused_and_the_session_goes_on(plant):
    async def does(client, system):
        refused = []
        here = ua.BrowseDescription(NodeId=system.node.nodeid)
        for wanted in (
            client.read_attributes([system.node] * (limits.NODES_MOST + 1), ua.AttributeIds.BrowseName),
            client.uaclient.browse(ua.BrowseParameters(NodesToBrowse=[here] * (limits.NODES_MOST + 1))),
        ):
            with pytest.raises(ua.UaStatusCodeError) as reason:
                await wanted
            refused.append(reason.value.code)
        subscriptions = []
        with pytest.raises(ua.UaStatusCodeError) as reason:
            for _ in range(limits.SUBSCRIPTIONS_OF_ONE_MOST + 1):
                subscriptions.append(await client.create_subscription(0.001, Heard()))
        refused.append(reason.value.code)
        fastest = subscriptions[0].parameters.RequestedPublishingInterval
        return refused, fastest, (await system.call("GetLatestResult", 0))[2]

    refused, _, error = run(plant, does)
    codes = ua.StatusCodes
    assert refused == [codes.BadTooManyOperations, codes.BadTooManyOperations, codes.BadTooManySubscriptions]
    assert error == 0


def test_a_chunk_without_an_end_ends_its_connection_and_no_other(plant):
    async def does(client, system):
        with socket.create_connection(("127.0.0.1", plant.process.port), DEADLINE_S) as hostile:
            hostile.settimeout(DEADLINE_S)
            hostile.sendall(b"HELF" + (2**31).to_bytes(4, "little"))
            sent = 0
            with pytest.raises(OSError):
                while sent < 2**26:
                    sent += hostile.send(bytes(65536))
                    await asyncio.sleep(0)
        return sent, (await system.call("GetLatestResult", 0))[2]

    sent, error = run(plant, does)
    assert sent < 2**25 and error == 0


# -- figures -------------------------------------------------------------------------------------------------------


def asked_for(plant, request):
    """What the port of the figures answers to these octets."""
    place = urlsplit(plant.process.lines[-1].rpartition(" ")[2])
    with socket.create_connection((place.hostname, place.port), DEADLINE_S) as peer:
        peer.sendall(request)
        head, _, body = peer.makefile("rb").read().partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def test_prometheus_reads_the_figures_and_what_is_connected(plant):
    async def does(_client, system):
        await system.call("GetLatestResult", 0)
        return await asyncio.to_thread(asked_for, plant, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")

    head, body = run(plant, does)
    assert head.startswith("HTTP/1.1 200 OK\r\n") and f"Content-Length: {len(body)}" in head
    found = {family.name: family.samples[0].value for family in text_string_to_metric_families(body)}
    assert set(found) == {name.removesuffix("_total") for name in figures.FAMILIES}
    assert set(figures.FAMILIES) >= {f"toolcart_opcua_{name}_total" for name in asdict(limits.Counted())}
    assert found["toolcart_opcua_joining_systems"] == 1 and found["toolcart_opcua_sessions"] >= 1
    assert found["toolcart_opcua_calls"] >= 1


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405"),
        (b"\x00\xff\r\n\r\n", "HTTP/1.1 404"),
        (b"GET /metrics HTTP/1.1\r\nX: " + bytes(figures.HEAD_BYTES * 9), ""),
    ],
)
def test_what_is_no_question_for_figures_gets_none(plant, request_, answer):
    try:
        head, body = asked_for(plant, request_)
    except ConnectionError:
        head, body = "", ""
    assert head.startswith(answer) and "toolcart_opcua" not in body and bool(head) == bool(answer)


# -- another implementation ----------------------------------------------------------------------------------------


@pytest.mark.skipif(os.environ.get("TOOLCART_LONG") != "1", reason="node-opcua learns all types first: with --long")
def test_node_opcua_reads_and_decodes_results_events_and_methods(plant, tmp_path):
    reason = node.missing()
    if reason:
        pytest.skip(reason)
    script = Path(node.__file__).with_name("opcua_reader.cjs")
    words = ["node", str(script), plant.process.url, "anna", PASSWORD, FIRST, str(tmp_path)]
    done = subprocess.run(
        words,
        env={**os.environ, "NODE_PATH": str(node.CACHE / "node_modules")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    read = json.loads(done.stdout.splitlines()[-1])
    _, found, error = read["byId"]["output"]
    [row] = plant.archive.rows("SELECT Torque, Angle FROM Result ORDER BY ResultId LIMIT 1")
    content = found["resultContent"][0]["value"]
    assert error == 0 and found["resultMetaData"]["resultId"] == FIRST
    assert [value["measuredValue"] for value in content["overallResultValues"][:2]] == list(row)
    assert found["resultMetaData"]["partId"] == "WVWZZZ1KZAW123456"
    trace = content["trace"]["stepTraces"][0]["stepTraceContent"][0]
    assert len(trace["values"]) == content["trace"]["stepTraces"][0]["numberOfTracePoints"] > 5
    assert read["latest"]["resultMetaData"]["resultId"].startswith("3/1/10/")
    assert read["event"][2]["resultMetaData"]["resultId"] == FIRST and read["event"][1] == "Left front"
    assert read["event"][3] == FIRST
    assert read["acknowledged"]["output"] == [[0, -1], -1]
    assert {"GetLatestResult", "RequestResults", "RequestUnacknowledgedResults"} <= set(read["methods"])
