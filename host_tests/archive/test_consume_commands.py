"""What is said of wrong options of `archive consume`, and TLS with a user's password on the whole way."""

import builtins
import json
import os
import ssl
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from toolcart.archive.consume import broker
from toolcart.archive.consume.batch import filters_of
from toolcart.tools.cli.main import main
from host_tests.archive.batches import line, message
from host_tests.support.archive import place_in
from host_tests.support.brokers import Mosquitto, mosquitto
from host_tests.support.running import CONSUME_DEADLINE_S, ENVIRONMENT, consume, end, until_said
from host_tests.support.tls import certificate_files


def said(tmp_path, *words):
    done = CliRunner().invoke(main, ["archive", "consume", "--database", str(place_in(tmp_path)), *map(str, words)])
    assert done.exit_code == 2
    return done.output


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret"
    file.write_text("a word\n")
    file.chmod(0o600)
    return file


def test_an_address_has_user_port_filter_and_tls():
    found = broker.address_of("mqtts://a%40b@broker:8884/plant/+/#")
    assert (found.host, found.port, found.user, found.filters) == ("broker", 8884, "a@b", ("plant/+/#",))
    assert found.tls is not None and str(found) == "mqtts://broker:8884"
    found = broker.address_of("mqtt://[::1]")
    assert (found.host, found.port, found.user, found.filters, found.tls) == ("::1", 1883, "", (), None)
    assert broker.address_of("mqtts://b").port == 8883
    for wrong in ("mqtt://", "http://b", "mqtt://u:password@b", "mqtt://b:99999", "mqtt://b:0", "b/topic"):
        with pytest.raises(broker.Wrong):
            broker.address_of(wrong)


def test_filters_that_name_no_kind_ask_for_results_and_state():
    assert filters_of(("a/+", "a/+/", "b/results", "c/#", "a/+")) == ("a/+/results", "a/+/state", "b/results", "c/#")


def test_what_is_wrong_with_the_options_is_said(tmp_path, secret):
    assert "which topics" in said(tmp_path, "mqtt://b")
    assert "a password comes from a file" in said(tmp_path, "mqtt://u:p@b/t")
    assert "needs a user" in said(tmp_path, "mqtt://b/t", "--mqtt-password-file", secret)
    secret.chmod(0o644)
    assert "chmod 600" in said(tmp_path, "mqtt://u@b/t", "--mqtt-password-file", secret)
    assert "No such file" in said(tmp_path, "mqtt://u@b/t", "--mqtt-password-file", tmp_path / "none")
    assert "TLS files need mqtts://" in said(tmp_path, "mqtt://b/t", "--mqtt-ca", secret)
    assert "TLS" in said(tmp_path, "mqtts://b/t", "--mqtt-ca", secret)
    assert "no such archive" not in said(tmp_path, "mqtt://b/t", "--database", tmp_path / "none" / "a.sqlite")


def test_pages_are_served_beside_it(tmp_path):
    words = ["mqtt://127.0.0.1:1/toolcart/#", "--web", "127.0.0.1:0", "--seconds", "0.1"]
    place = str(place_in(tmp_path))
    command = [sys.executable, "-m", "toolcart.tools.cli.main", "archive", "consume", "--database", place, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CONSUME_DEADLINE_S, env=ENVIRONMENT)
    assert done.returncode == 0 and "consumed: nothing yet" in done.stdout


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
    assert "archive-mqtt" in said(tmp_path, "mqtt://b/t")


def test_tls_and_a_password_on_the_whole_way(tmp_path, secret):
    maker = os.path.join(os.path.dirname(mosquitto()), "..", "bin", "mosquitto_passwd")
    subprocess.run([maker, "-b", "-c", str(tmp_path / "users"), "anna", "a word"], check=True, timeout=30)
    options = f"allow_anonymous false\npassword_file {tmp_path}/users"
    with Mosquitto(tmp_path, certificate_files(tmp_path), options) as one:
        url, place = f"mqtts://anna@127.0.0.1:{one.port}/toolcart/+", place_in(tmp_path)
        words = ("--mqtt-ca", tmp_path / "ca.pem")
        process = consume(place, url, *words)
        until_said(process, "the broker refuses: ")
        end(process)
        process = consume(place, url, "--mqtt-password-file", secret)
        until_said(process, "certificate verify failed")
        end(process)
        process = consume(place, url, *words, "--mqtt-password-file", secret)
        until_said(process, "connected, MQTT 5")
        assert receipt(one.port, tmp_path) == {"identity": "0000000a", "number": 1}
        end(process)


def receipt(port, folder):
    """What comes back of a batch."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    heard = []
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.tls_set_context(ssl.create_default_context(cafile=str(folder / "ca.pem")))
    client.username_pw_set("anna", "a word")
    client.on_message = lambda _client, _userdata, told: heard.append(json.loads(told.payload))
    client.on_subscribe = lambda *_: client.publish("toolcart/x/results", message(0, 1, [line(1)]), 1)
    client.connect("127.0.0.1", port)
    client.subscribe("toolcart/x/receipt", 1)
    client.loop_start()
    until_s = time.monotonic() + CONSUME_DEADLINE_S
    while not heard and time.monotonic() < until_s:
        time.sleep(0.02)
    client.disconnect()
    client.loop_stop()
    return heard[0]


def test_serve_consumes_beside_its_ports(tmp_path):
    with Mosquitto(tmp_path) as one:
        command = [
            sys.executable,
            "-m",
            "toolcart.tools.cli.main",
            "archive",
            "serve",
            "--database",
            str(place_in(tmp_path)),
        ]
        ports = ["--pim-port", "0", "--server-port", "0", "--consume", f"{one.url}/toolcart/+"]
        process = subprocess.Popen([*command, *ports], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        lines = until_said(process, "connected, MQTT 5")
        assert "PIM on" in lines[0] and "server on" in lines[0]
        end(process)
    assert process.returncode == 0
