"""A reload is refused for what would be lost by it, never for what the agent has to do without already."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.config import path_checks, runner, socket_location
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention
from toolcart.tools.process import agent as process_agent
from toolcart.tools.process import configuration_watch
from toolcart.tools.service.unit import STATE_FOLDER, Service
from host_tests.support.running import (
    END_S,
    ENVIRONMENT,
    cart_of,
    command_of,
    run_agent,
    run_agent_while,
    station_at,
    toolcart,
    written,
)

TOOLSNET = {"kind": "toolsnet"}
FILE = {"kind": "file", "path": "lines.jsonl"}
HOOK = {"kind": "webhook", "url": "http://127.0.0.1:9/", "token": {"file": "token"}}


def edited(path, old, new):
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))


def reloaded(path, act):
    """Whether an agent takes a reload that is asked for once `act` was done, and what it said of its files before."""
    seen = []

    def goes_on(agent, lines):
        if not seen and sum(line["kind"] == "status" for line in lines) > 3:
            act()
            seen.append(agent.configured.check_and_report()["wrong"])
            agent.request_reload()
        elif seen and not agent.reload_asked:
            seen.append(agent.configured.check_and_report()["wrong"])
            return False
        return True

    _, lines = run_agent(path, goes_on)
    is_taken = any(line["kind"] == "reload" for line in lines)
    assert is_taken or len(seen) == 2
    assert is_taken == (seen[-1] == "")
    return is_taken, seen[-1]


def cart(folder, *outlets, **sections):
    return written(folder, cart_of(station={"name": "Door", "outlets": [TOOLSNET, *outlets]}, **sections))


def secret(folder, content="geheim\n"):
    path = folder / "token"
    path.write_text(content)
    path.chmod(0o600)
    return path


def fill_disk(monkeypatch):
    usage = os.statvfs_result((1024, 1024, 100000, 0, 0, 1, 1, 1, 0, 255))
    monkeypatch.setattr(path_checks.os, "statvfs", lambda _path: usage)


def test_a_full_disk_refuses_no_correction(tmp_path, monkeypatch):
    path = cart(tmp_path, FILE)

    def act():
        fill_disk(monkeypatch)
        edited(path, "Door", "Hood")

    assert reloaded(path, act) == (True, "")


def test_a_file_that_is_new_needs_its_room(tmp_path, monkeypatch):
    path = cart(tmp_path, FILE)

    def act():
        fill_disk(monkeypatch)
        edited(path, "lines.jsonl", "other.jsonl")

    is_taken, why = reloaded(path, act)
    assert not is_taken and "other.jsonl" in why


@pytest.mark.parametrize("content", [None, "two\nlines"])
def test_a_secret_that_was_never_there_refuses_no_correction(tmp_path, content):
    path = cart(tmp_path, HOOK)
    if content:
        secret(tmp_path, content)
    assert reloaded(path, lambda: edited(path, "Door", "Hood")) == (True, "")


@pytest.mark.parametrize("content", [None, "two\nlines"])
def test_a_secret_that_was_read_and_is_gone_refuses_it(tmp_path, content):
    path = cart(tmp_path, HOOK)
    secret(tmp_path)

    def act():
        (tmp_path / "token").unlink()
        if content:
            secret(tmp_path, content)
        edited(path, "Door", "Hood")

    is_taken, why = reloaded(path, act)
    assert not is_taken and "outlets[1].token" in why


def hooked_cart(folder, answer):
    """A cart whose webhook has read its secret, at a server that answers so, and does not take what waits for it."""
    server = socket.create_server(("127.0.0.1", 0))
    hook = {**HOOK, "url": f"http://127.0.0.1:{server.getsockname()[1]}/"}

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    if answer:
        threading.Thread(target=serve, daemon=True).start()
    else:
        server.close()
    secret(folder)
    return server, hook


@pytest.mark.parametrize("content", [None, "two\nlines", ""])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", b""])
def test_a_secret_that_was_read_and_is_gone_refuses_it_while_the_web_server_is_away_or_refuses_too(
    tmp_path, content, answer
):
    server, hook = hooked_cart(tmp_path, answer)
    with SimulatedPlant() as plant, server:
        plant.produce(1)
        path = written(tmp_path, cart_of(plant, station={"name": "Door", "outlets": [TOOLSNET, hook]}))
        seen = []

        def goes_on(agent, lines):
            outlets = [line["stations"][0].get("outlets", ()) for line in lines[-1:] if line["kind"] == "status"]
            is_down = any(outlet["kind"] == "webhook" and outlet["why"] for one in outlets for outlet in one)
            if not seen and is_down:
                (tmp_path / "token").unlink()
                if content is not None:
                    secret(tmp_path, content)
                edited(path, "Door", "Hood")
                seen.append(agent.configured.check_and_report()["wrong"])
                agent.request_reload()
            elif seen and not agent.reload_asked:
                return False
            elif not seen and len(lines) % 20 == 0:
                plant.produce(1)
            return True

        _, lines = run_agent(path, goes_on)
    assert "outlets[1].token" in seen[0]
    assert not [line for line in lines if line["kind"] == "reload"]


def test_a_certificate_that_was_never_there_refuses_no_correction_and_a_new_one_does(tmp_path):
    path = cart(tmp_path, toolsnet={"tls_ca": "gone.pem"})
    assert reloaded(path, lambda: edited(path, "Door", "Hood")) == (True, "")
    path = cart(tmp_path, {"kind": "mqtt", "host": "127.0.0.1", "port": 9})
    added = json.loads(path.read_text())
    added["stations"][0]["outlets"][1]["tls_ca"] = "gone.pem"
    is_taken, why = reloaded(path, lambda: path.write_text(json.dumps(added)))
    assert not is_taken and "gone.pem" in why


def test_a_spool_that_is_not_up_refuses_no_correction_of_another_station(tmp_path):
    stations = [{**station_at(7), "name": "Door"}, station_at(8, spool="gone/8.spool")]
    path = written(tmp_path, cart_of(stations=stations))
    assert reloaded(path, lambda: edited(path, "Door", "Hood")) == (True, "")
    is_taken, why = reloaded(path, lambda: edited(path, '"7.spool"', '"gone/7.spool"'))
    assert not is_taken and "gone/7.spool" in why


def told(path, act):
    """What an agent and `config check` say of the configuration after a reload that is refused."""
    said = []

    def goes_on(agent, lines):
        if not said and sum(line["kind"] == "status" for line in lines) > 3:
            act()
            said.append("")
            agent.request_reload()
        elif said and not agent.reload_asked:
            [need] = attention.of_agent({"configuration": agent.configured.check_and_report()})
            said[:] = [need, toolcart("config", "check", path, code=None).output]
            return False
        return True

    _, lines = run_agent(path, goes_on)
    assert not any(line["kind"] == "reload" for line in lines)
    return said


def _foreign_new(spool):
    spool.with_name(f"{spool.name}.new").write_text("hello")


def _folder_new(spool):
    spool.with_name(f"{spool.name}.new").mkdir()


@pytest.mark.parametrize("spoil", [_foreign_new, _folder_new])
@pytest.mark.parametrize("name", ["cart.spool", "8.spool"])
def test_what_is_in_the_way_of_a_spool_refuses_a_reload(tmp_path, spoil, name):
    path = cart(tmp_path)

    def act():
        spoil(tmp_path / name)
        path.write_text(path.read_text().replace("cart.spool", name))

    need, checked = told(path, act)
    words = f"{tmp_path / name}.new is in the way, and toolcart did not make it; move it away"
    assert words in need.words and words in checked
    assert need.label == ("RELOAD" if name == "cart.spool" else "CHANGED")


def test_a_spool_that_another_process_has_refuses_a_reload(tmp_path):
    path = cart(tmp_path)
    spool = tmp_path / "8.spool"
    with subprocess.Popen([sys.executable, "-c", HOLDS, spool], stdin=-1, stdout=-1) as other:

        def act():
            spool.write_bytes((tmp_path / "cart.spool").read_bytes())
            spool.chmod(0o600)
            other.stdin.write(b"go\n")
            other.stdin.flush()
            assert other.stdout.readline() == b"held\n"
            edited(path, "cart.spool", "8.spool")

        try:
            need, checked = told(path, act)
        finally:
            other.kill()
    words = f"{spool} is in use by another agent; stop that one first."
    assert words in need.words and words in checked


HOLDS = """
import fcntl, sys
sys.stdin.readline()
file = open(sys.argv[1], "rb")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_spool_that_was_deleted_or_replaced_refuses_a_reload_until_it_is_back(tmp_path, is_replaced):
    path, spool = cart(tmp_path), tmp_path / "cart.spool"

    def take_away():
        spool.rename(tmp_path / "away")
        if is_replaced:  # by a copy of its own, which may be older
            shutil.copyfile(tmp_path / "away", spool)

    need, _ = told(path, take_away)
    assert need.words.startswith("a reload was refused, and the agent goes on with what it has read: ")
    assert f"{spool}: the file was deleted, replaced or cut while the agent was running; put it back" in need.words
    assert spool.exists() == is_replaced
    (tmp_path / "away").rename(spool)
    assert reloaded(path, lambda: edited(path, "Door", "Hood")) == (True, "")


def test_a_reload_that_is_refused_with_its_configuration_untouched_does_not_say_that_it_was_not_read(tmp_path):
    path = cart(tmp_path)
    need, _ = told(path, lambda: os.truncate(tmp_path / "cart.spool", 8192))
    assert need.label == "RELOAD" and need.words.startswith("a reload was refused, and the agent goes on with what")
    assert "it was cut short" in need.words and need.hint.startswith("put that right first; then ")


REFUSED, WRONG = "a reload was refused: toolsnet.pim_port: missing", "a reload would be refused: toolsnet.pim_port"


def test_each_reload_that_is_refused_is_answered_and_what_is_wrong_is_said_once(tmp_path, monkeypatch):
    monkeypatch.setattr(configuration_watch, "LOOK_MS", 20)
    path = cart(tmp_path)
    figures, texts, asked, later = Figures(), [], [], []

    def goes_on(agent, lines):
        new = lines[len(later) :]
        later.extend(new)
        texts.extend(change.text for line in new for change in figures.feed(line, 0))
        if not asked and not any(WRONG in text for text in texts):
            if "pim_port" in path.read_text():
                edited(path, "pim_port", "pim_prot")
        elif len(later) > (asked[-1] if asked else 0) + 10:  # nothing is said meanwhile but the answer
            assert len([text for text in texts if REFUSED in text]) == len(asked)
            if len(asked) == 3:
                return False
            asked.append(len(later))
            agent.request_reload()
        return True

    run_agent(path, goes_on)
    assert len([text for text in texts if WRONG in text]) == 1


def test_a_refused_reload_is_answered_at_once(tmp_path):
    path = cart(tmp_path)
    lasts = []

    def goes_on(agent, lines):
        statuses = [line["agent"]["configuration"] for line in lines if line["kind"] == "status"]
        if agent.every_ms < 3_600_000 and statuses:
            agent.every_ms = 3_600_000  # one more state, and no other for long
            lasts.append(len(statuses) + 1)
        elif lasts and len(statuses) == lasts[0] and len(lasts) == 1:
            edited(path, "pim_port", "pim_prot")
            lasts.append(0)
            agent.request_reload()
        return not any(one and one["refused"] for one in statuses)

    run_agent(path, goes_on)


def test_what_refused_a_reload_and_is_lived_with_now_refuses_none_any_more(tmp_path, monkeypatch):
    monkeypatch.setattr(configuration_watch, "LOOK_MS", 20)
    figures, texts, asked = Figures(), [], []
    with SimulatedPlant() as plant:
        path = written(tmp_path, cart_of(plant, station={"name": "Door", "outlets": [TOOLSNET, FILE]}))

        def goes_on(agent, lines):
            texts.extend(change.text for line in lines[-1:] for change in figures.feed(line, 0))
            if not asked and (tmp_path / FILE["path"]).exists():
                (tmp_path / FILE["path"]).unlink()
                (tmp_path / FILE["path"]).mkdir()
                asked.append(agent.request_reload())
            elif len(asked) == 1 and any(text.startswith("a reload was refused, and") for text in texts):
                asked.append(plant.produce(1))  # nothing is cured: the outlet finds it
            elif len(asked) == 2 and "nothing refuses a reload any more" in texts:
                asked.append(agent.request_reload())
            elif not asked and len(lines) % 20 == 0:
                plant.produce(1)
            return True

        _, lines = run_agent(path, goes_on)
    assert len(asked) == 3 and any(line["kind"] == "reload" for line in lines)
    assert not any("the configuration is again" in text for text in texts)
    toolcart("config", "check", path, code=1)


def ran_either(*words):
    """The exit code of `toolcart` as a process, and what it says."""
    options = {"env": ENVIRONMENT, "capture_output": True, "text": True, "timeout": END_S}
    done = subprocess.run(command_of(*words), **options)
    return done.returncode, done.stdout + done.stderr


def test_what_systemd_asks_before_a_reload_fails_for_what_the_agent_would_refuse_alone(tmp_path):
    path = written(tmp_path, cart_of(toolsnet={"tls_ca": "gone.pem"}, station={"name": "Door"}))
    ended = {}

    def act():
        def asked(name):
            ended[name] = ran_either("config", "check", "--reload", path)

        edited(path, "Door", "Hood")
        asked("lived with")
        ended["check"] = ran_either("config", "check", path)
        edited(path, "cart.spool", "gone/cart.spool")
        asked("lacking")
        edited(path, "pim_port", "pim_prot")
        asked("wrong")

    run_agent_while(path, act)
    assert {name: code for name, (code, _) in ended.items()} == {"lived with": 0, "check": 1, "lacking": 1, "wrong": 2}
    assert "gone/cart.spool" in ended["lacking"][1] and "pim_prot" in ended["wrong"][1]
    command = f"config check --reload {STATE_FOLDER}/config.json"
    first, _ = [line for line in Service("/x/toolcart").text().splitlines() if line.startswith("ExecReload=")]
    assert first.endswith(command)
    assert ran_either("config", "check", "--reload", path)[0] == 2, "no agent"


@pytest.mark.parametrize("is_changed", [False, True])
@pytest.mark.parametrize("is_there", [False, True])
def test_what_the_agent_alone_knows_fails_what_systemd_asks_before_a_reload(tmp_path, is_changed, is_there):
    """Nothing is wrong with the files: the spool is not the one that the agent has."""
    path, spool = cart(tmp_path), tmp_path / "cart.spool"
    ended = []

    def act():
        spool.rename(tmp_path / "away")
        if is_there:
            shutil.copyfile(tmp_path / "away", spool)
        if is_changed:
            edited(path, "Door", "Hood")
        ended.append(ran_either("config", "check", "--reload", path))
        ended.append(ran_either("config", "check", "--reload", "--json", path))

    run_agent_while(path, act)
    (code, words), (code_of_json, report) = ended
    why = f"{spool}: the file was deleted, replaced or cut while the agent was running"
    assert code == code_of_json == 1 and why in words, words
    assert why in json.loads(report)["cannot_run_yet"][0]["allowed"]


def test_what_the_agent_would_meet_only_in_reading_fails_what_systemd_asks_too(tmp_path, monkeypatch):
    path = cart(tmp_path)

    def refuse(_path):
        raise ValueError("no such\nfile")

    monkeypatch.setattr(process_agent, "read_to_run", refuse)
    asked = []

    def act():
        asked.append(socket_location.reload_faults(path))

    run_agent_while(path, act)
    assert asked == [[("(file)", "", "no such file")]]


def test_what_systemd_asks_is_of_the_file_that_the_agent_has():
    assert "--as does not go with it" in toolcart("config", "check", "a", "--as", "b", "--reload", code=2).stderr


def test_a_serial_device_that_is_away_refuses_no_correction_and_a_new_one_that_is_not_there_does(tmp_path):
    pytest.importorskip("serial")
    line = {"link": "ascii", "device": "/dev/ttyNONE"}
    path = written(tmp_path, cart_of(station={"name": "Door", "controller": line}))
    assert reloaded(path, lambda: edited(path, "Door", "Hood")) == (True, "")
    with SimulatedPlant() as plant:
        path = written(tmp_path, cart_of(plant, station={"name": "Door"}))
        changed = json.loads(path.read_text())
        changed["stations"][0]["controller"] = line
        ready = []

        def goes_on(agent, lines):
            stations = [one["stations"][0] for one in lines[-1:] if one["kind"] == "status"]
            if not ready and [one for one in stations if one["mounted"] and one["controller"]["state"] == "ready"]:
                path.write_text(json.dumps(changed))
                ready.append(agent.configured.check_and_report()["wrong"])
            return not ready

        run_agent(path, goes_on)
    assert "found /dev/ttyNONE: No such file or directory" in ready[0]


def test_a_clock_that_may_not_be_set_refuses_no_reload_and_is_told_by_config_check(tmp_path, monkeypatch):
    path = cart(tmp_path, FILE)
    monkeypatch.setattr(runner, "unit_of", lambda _: ("toolcart", {}))

    def act():
        changed = json.loads(path.read_text())
        changed["toolsnet"]["clock"] = "set"
        path.write_text(json.dumps(changed))

    assert reloaded(path, act) == (True, "")
    assert "toolsnet.clock: " in toolcart("config", "check", path, code=1).output
