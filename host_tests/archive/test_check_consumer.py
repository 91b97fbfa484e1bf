"""`python -m lab.consumers.check` and the consumers of consumers.md: right ones pass, each wrong one is seen."""

import builtins
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolcart.archive.consume import broker
from toolcart.archive.consume.topics import filters_of
from toolcart.base.sources import ROOT
from host_tests.archive.batches import Peer, line, message
from host_tests.support.archive import place_in, run, serving_in
from host_tests.support.brokers import Mosquitto, free_port, mosquitto, need_amqtt
from host_tests.support.combinations import some
from host_tests.support.consumer_model import Model
from host_tests.support.consumers import consuming, until_printed
from host_tests.support.running import ran, running, wait_for
from host_tests.support.tls import certificate_files
from lab.consumers.check import main

PAGE = (ROOT / "docs/library/consumers.md").read_text(encoding="utf-8")
DEADLINE_S = 30.0
ALSO = pytest.mark.long("another broker")
COUNT = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT COUNT(*) FROM result').fetchone()[0])"


def block(language, index=0):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[index]


@contextmanager
def consumer(folder, port, change=lambda text: text):
    """The page's consumer, changed; it has subscribed."""
    program, place = Path(folder, "consumer.py"), Path(folder, "results.sqlite")
    changed = change(block("python"))
    subscribing = "client.on_subscribe = lambda *_: print('subscribed', flush=True)\n"
    program.write_text(wrong("client.loop_forever()", subscribing + "client.loop_forever()")(changed))
    command = [sys.executable, str(program), str(port), str(place)]
    log = open(Path(folder, "told"), "ab")
    process = subprocess.Popen(command, stderr=log, stdout=log)
    try:
        wait_for("it subscribes", lambda: b"subscribed" in Path(folder, "told").read_bytes())
        yield place
    finally:
        process.kill()
        process.wait(10)
        log.close()


def tried(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def checked(port, *words, wait_s="1"):
    url = f"mqtt://127.0.0.1:{port}/toolcart/check/9999"
    done = tried(url, "--wait", wait_s, "--json", *words)
    findings = [json.loads(one) for one in done.output.splitlines() if one.startswith("{")]
    return done, {one["name"]: one for one in findings}


def until_it_answers(port):
    wait_for("it answers", lambda: checked(port, wait_s="0.5")[1].get("first", {}).get("right"))


# The page's consumer speaks MQTT 3.1.1 to both. The check's own connection finds to that at amqtt after 5 s of silence,
# as host_tests/archive/test_consume.py shows of the same class.
@pytest.mark.parametrize("broker", ["Mosquitto", pytest.param("amqtt", marks=ALSO)])
def test_the_page_s_consumer_is_right(broker, tmp_path):
    kind = Mosquitto if broker == "Mosquitto" else need_amqtt()
    with kind(tmp_path) as one, consumer(tmp_path, one.port) as place:
        done, findings = checked(one.port, "--count", f'{sys.executable} -c "{COUNT}" {place}', wait_s="4")
    assert done.exit_code == 0, [one for one in findings.values() if not one["right"]]
    assert len(findings) > 20 and all(one["right"] is not False for one in findings.values())
    assert findings["database"]["right"] is True and findings["restart"]["right"] is None


def wrong(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("old", "new", "name"),
    some(
        [
            (", retain=True", "", "retained"),
            ('head["after"] <= have < head["last"]', 'have < head["last"]', "gap"),
            ('if line["number"] > have]', 'if line["number"] > head["after"]]', "overlap"),
            ('head["count"] == len(lines) and ', "", "a batch with a line too few"),
            ('head["schema"] == 1 and ', "", "an unknown schema"),
            (" and numbers[-1] <= head", " and head", "a number beyond the last"),
            (
                "        assert all(one < other for one, other in zip(numbers, numbers[1:]))\n",
                "",
                "numbers that do not ascend",
            ),
            (
                '(message.topic.removesuffix("/results"), head["identity"])',
                '(message.topic.removesuffix("/results"), "x")',
                "first",
            ),
            (' AND identity = ?", key)', '", key[:1])', "new spool, gap"),
            ('"number": have}', '"number": head["last"]}', "gap"),
            ("/receipt", "/receipts", "first"),
            ("except Exception as wrong:", "except ImportError as wrong:", "an empty message"),
        ],
        2,
    ),
)
def test_each_wrong_consumer_is_seen(old, new, name, tmp_path):
    refused = []
    for wait_s in ("0.4", "3", "10"):  # where the machine is slow, a right answer may come later
        folder = tmp_path / wait_s  # a consumer of its own: what one has stored may make the next run go wrong earlier
        folder.mkdir()
        with Mosquitto(folder) as one, consumer(folder, one.port, wrong(old, new)):
            done, findings = checked(one.port, wait_s=wait_s)
        refused = [finding for finding in findings.values() if finding["right"] is False]
        if refused and refused[0]["name"] == name:
            break
    assert done.exit_code == 1 and refused[0]["name"] == name, refused


def test_a_consumer_that_stores_twice_is_seen_in_its_database(tmp_path):
    twice = wrong(
        'INSERT INTO result VALUES (?, ?, ?, ?)", new)', 'INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?)", new[1:])'
    )
    with Mosquitto(tmp_path) as one, consumer(tmp_path, one.port, twice) as place:
        done, findings = checked(one.port, "--count", f'{sys.executable} -c "{COUNT}" {place}', wait_s="4")
    assert done.exit_code == 1 and findings["database"]["right"] is False


def test_a_restart_is_tried_by_the_command_that_is_given(tmp_path):
    marks = tmp_path / "marks"
    with Mosquitto(tmp_path) as one, consumer(tmp_path, one.port):
        done, findings = checked(one.port, "--restart", f"touch {marks}", wait_s="4")
    assert done.exit_code == 0 and findings["restart"]["right"] is True and marks.exists()


def test_what_cannot_be_tried_is_reported(tmp_path):
    for url, words in (
        (f"mqtt://127.0.0.1:{free_port()}", "refused"),
        ("http://127.0.0.1", "mqtt://user@host"),
        ("mqtt://127.0.0.1/toolcart/+/results", "without wildcards"),
    ):
        done = tried(url)
        assert done.exit_code == 2 and words in done.output


# -- the page's other consumers --------------------------------------------------------------------------------------


@st.composite
def drawn(draw):
    after = draw(st.integers(0, 9))
    last = after + draw(st.integers(1, 5))
    numbers = [number for number in range(after + 1, last + 1) if draw(st.booleans())]
    return draw(st.sampled_from("ab")), after, last, numbers


@pytest.fixture(scope="module")
def table(databases):
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(databases(), autocommit=True) as connection:
        done = re.search(r"`done (\(.*?\)\))`", PAGE, re.DOTALL)[1]
        result = re.search(r"`result (\(.*?\)\))`", PAGE, re.DOTALL)[1]
        connection.execute(f"CREATE TABLE done {done}")
        connection.execute(f"CREATE TABLE result {result}")
        connection.cursor_factory = psycopg.RawCursor
        yield connection


def stated(connection, identity, after, last, numbers):
    """What the page's statement says; every value goes as text, whose type the statement alone decides."""
    values = ("b", identity, str(after), str(last), json.dumps([line(number) for number in numbers]))
    [(number,)] = connection.execute(block("sql"), values).fetchall()
    return number


@example([("a", 0, 1, []), ("a", 0, 1, [1])])
@example([("a", 0, 2, [2]), ("a", 0, 3, [1, 2, 3])])
@settings(deadline=None, max_examples=40, database=None)
@given(st.lists(drawn(), max_size=12))
def test_the_page_s_statement_keeps_the_contract(table, batches):
    table.execute("TRUNCATE done, result")
    model = Model()
    for identity, after, last, numbers in batches:
        number = stated(table, identity, after, last, numbers)
        assert number == model.take("b", identity, after, last, numbers)[0]
    stored_rows = table.execute("SELECT topic, identity, number FROM result").fetchall()
    assert sorted(stored_rows) == sorted(model.stored)


@pytest.mark.parametrize("have", [0, 5])
def test_two_consumers_at_once_store_a_batch_once(table, have):
    psycopg = pytest.importorskip("psycopg")
    last = 2**32 - 1
    table.execute("TRUNCATE done, result")
    if have:
        stated(table, "a", 0, have, [have])
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = $1::int"
    with psycopg.connect(table.info.dsn, cursor_factory=psycopg.RawCursor) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SET statement_timeout = 30000")
        with table.transaction():
            assert stated(table, "a", have, last, [last - 1]) == last
            second = pool.submit(stated, other, "a", have, last, [last - 1, last])
            with psycopg.connect(table.info.dsn, autocommit=True, cursor_factory=psycopg.RawCursor) as looking:
                pid = (str(other.info.backend_pid),)
                wait_for("it waits for the first", lambda: looking.execute(waiting, pid).fetchone())
        assert second.result(DEADLINE_S) == last
    rows = table.execute("SELECT number FROM result WHERE number > $1::bigint", (str(have),)).fetchall()
    assert rows == [(last - 1,)]


def test_the_page_s_functions_for_node_red_do_the_same():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt install nodejs")
    first, second = block("js"), block("js", 1)
    program = f"""
        const first = (msg) => {{ {first} }}, second = (msg) => {{ {second} }};
        const told = JSON.parse(require("fs").readFileSync(0)).map((payload) => {{
            try {{
                const msg = first({{ topic: "a/b/results", payload }});
                return [msg.params, second({{ ...msg, payload: [{{ number: "9" }}] }})];
            }} catch (wrong) {{ return String(wrong); }}
        }});
        console.log(JSON.stringify(told));
    """
    good = message(3, 5, [line(4), line(5)]).decode()
    bad = ["", "{", message(3, 5, [line(5), line(4)]).decode(), message(3, 5, [line(4)], count=2).decode()]
    bad += [message(3, 5, [line(6)]).decode(), message(3, 5, [], schema=2).decode()]
    done = subprocess.run(
        [node, "-e", program], input=json.dumps([good, *bad]), capture_output=True, text=True, timeout=60, check=True
    )
    outputs = json.loads(done.stdout)
    params, receipt = outputs[0]
    assert params[:4] == ["a/b", "0000000a", 3, 5] and json.loads(params[4]) == [line(4), line(5)]
    assert receipt["topic"] == "a/b/receipt" and receipt["qos"] == 1 and receipt["retain"] is True
    assert json.loads(receipt["payload"]) == {"identity": "0000000a", "number": 9}
    assert all(isinstance(one, str) for one in outputs[1:]), outputs[1:]


def test_the_command_consumes_and_ends_by_a_signal(tmp_path):
    place = tmp_path / "a.sqlite"
    with Mosquitto(tmp_path) as one, consuming(place, f"{one.url}/toolcart/+/+") as process:
        until_it_answers(one.port)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert "connected, MQTT 5" in output and "consumed: batches stored" in output


def output_of(tmp_path, *words):
    return run("consume", "--database", place_in(tmp_path), *words, code=2).output


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret"
    file.write_text("a word\n")
    file.chmod(0o600)
    return file


def test_an_address_has_user_port_filter_and_tls():
    address = broker.address_of("mqtts://a%40b@broker:8884/plant/+/#")
    assert (address.host, address.port, address.user, address.filters) == ("broker", 8884, "a@b", ("plant/+/#",))
    assert address.tls is not None and str(address) == "mqtts://broker:8884"
    address = broker.address_of("mqtt://[::1]")
    assert (address.host, address.port, address.user, address.filters, address.tls) == ("::1", 1883, "", (), None)
    assert broker.address_of("mqtts://b").port == 8883
    for wrong in ("mqtt://", "http://b", "mqtt://u:password@b", "mqtt://b:99999", "mqtt://b:0", "b/topic"):
        with pytest.raises(broker.BrokerSettingsError):
            broker.address_of(wrong)


def test_filters_that_name_no_kind_ask_for_results_and_state():
    assert filters_of(("a/+", "a/+/", "b/results", "c/#", "a/+")) == ("a/+/results", "a/+/state", "b/results", "c/#")


def test_what_is_wrong_with_the_options_is_reported(tmp_path, secret):
    assert "which topics" in output_of(tmp_path, "mqtt://b")
    assert "a password comes from a file" in output_of(tmp_path, "mqtt://u:p@b/t")
    assert "needs a user" in output_of(tmp_path, "mqtt://b/t", "--mqtt-password-file", secret)
    secret.chmod(0o644)
    assert "chmod 600" in output_of(tmp_path, "mqtt://u@b/t", "--mqtt-password-file", secret)
    assert "No such file" in output_of(tmp_path, "mqtt://u@b/t", "--mqtt-password-file", tmp_path / "none")
    assert "TLS files need mqtts://" in output_of(tmp_path, "mqtt://b/t", "--mqtt-ca", secret)
    assert "TLS" in output_of(tmp_path, "mqtts://b/t", "--mqtt-ca", secret)
    assert "no such archive" not in output_of(tmp_path, "mqtt://b/t", "--database", tmp_path / "none" / "a.sqlite")
    assert "--password-file FILE       The pages' password" in run("consume", "--help").output


def test_pages_are_served_beside_it(tmp_path):
    words = ("--web", "127.0.0.1:0", "--seconds", "0.1")
    done = ran("archive", "consume", "--database", place_in(tmp_path), "mqtt://127.0.0.1:1/toolcart/#", *words)
    assert "consumed: nothing yet" in done.stdout


def test_without_the_library_it_says_what_brings_it(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("paho", "toolcart.archive.consume.broker"))]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def no_paho(name, *more):
        if name.startswith("paho"):
            raise ImportError(name=name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", no_paho)
    monkeypatch.delattr("toolcart.archive.consume.broker", raising=False)
    assert "archive-mqtt" in output_of(tmp_path, "mqtt://b/t")


def test_tls_and_a_password_on_the_whole_way(tmp_path, secret):
    maker = os.path.join(os.path.dirname(mosquitto()), "..", "bin", "mosquitto_passwd")
    subprocess.run([maker, "-b", "-c", str(tmp_path / "users"), "anna", "a word"], check=True, timeout=30)
    options = f"allow_anonymous false\npassword_file {tmp_path}/users"
    with Mosquitto(tmp_path, certificate_files(tmp_path), options) as one:
        url, place = f"mqtts://anna@127.0.0.1:{one.port}/toolcart/+", place_in(tmp_path)
        words, password = ("--mqtt-ca", tmp_path / "ca.pem"), ("--mqtt-password-file", secret)
        for some, reason in ((words, "the broker refuses: "), (password, "certificate verify failed")):
            with consuming(place, url, *some) as process:
                until_printed(process, reason)
        with consuming(place, url, *words, *password) as process:
            until_printed(process, "connected, MQTT 5")
            with Peer(one.port, ssl.create_default_context(cafile=tmp_path / "ca.pem"), "a word") as peer:
                peer.send(message(0, 1, [line(1)]))
                assert peer.wait(1)[1] == {"identity": "0000000a", "number": 1}


def test_serve_consumes_beside_its_ports(tmp_path):
    with Mosquitto(tmp_path) as one:
        with running(*serving_in(tmp_path, "--consume", f"{one.url}/toolcart/+")) as process:
            lines = until_printed(process, "connected, MQTT 5")
            assert "PIM on" in lines[0] and "server on" in lines[0]
    assert process.returncode == 0
