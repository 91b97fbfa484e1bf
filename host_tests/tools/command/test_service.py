"""The service is shut in, watched and installed in one step each; sd_notify speaks systemd's protocol."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from toolcart.agent.base.ticks import TICKS_MAX
from toolcart.agent.cart import app
from toolcart.base import installation
from toolcart.board.linux.notify import Notifier, Supervision
from toolcart.tools.service import commands, safe_install
from toolcart.tools.service.archive import ArchiveService
from toolcart.tools.service.unit import STATE_FOLDER, Service
from host_tests.support.running import ENVIRONMENT, cart_of, command_of, run_agent, running, toolcart, written
from lab.packaging.debian import REPORT_TIMER, report_unit

CART = cart_of()
DEADLINE_S = 30


@pytest.fixture
def cart(tmp_path):
    return written(tmp_path, CART)


@pytest.fixture
def manager(tmp_path):
    """A socket as systemd has it: its address, and a function that returns what came."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(DEADLINE_S)
        yield address, lambda: listener.recv(1000).decode()


def lines_of(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def install(root, *words, code=0):
    """What `install-service` says that writes below this folder."""
    return toolcart("install-service", *words, "--root", root, code=code).output


def state_of(root):
    """The service's folder there, made."""
    state = root / STATE_FOLDER.lstrip("/")
    state.mkdir(parents=True, exist_ok=True)
    return state


def verified(unit):
    """What systemd has to say of a unit's file."""
    verify = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=DEADLINE_S)
    return [line for line in verify.stderr.splitlines() if "toolcart" in line]


needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


# -- the unit ------------------------------------------------------------------------------------------------------


def test_the_unit_may_write_to_its_state_only():
    unit = lines_of(Service("/opt/toolcart").text())
    assert unit["ProtectSystem"] == "strict" and unit["StateDirectory"] == "toolcart"
    assert unit["DynamicUser"] == "yes" and unit["CapabilityBoundingSet"] == ""


def test_devices_are_closed_but_for_the_serial_lines_of_the_configuration():
    assert "PrivateDevices=yes" in Service("/opt/toolcart").text()
    text = Service("/opt/toolcart", ("/dev/ttyUSB0",)).text()
    assert "DeviceAllow=/dev/ttyUSB0 rw" in text and "PrivateDevices" not in text


@needs_systemd
@pytest.mark.parametrize(
    "text_for", [lambda program: Service(program).text(), lambda program: ArchiveService(program).text(), report_unit]
)
def test_systemd_accepts_the_unit_and_finds_it_shut_in(text_for, tmp_path):
    unit = tmp_path / "toolcart-test.service"
    unit.write_text(text_for(sys.executable))
    assert verified(unit) == []
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    security = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert security.returncode == 0, security.stdout[-300:]


# -- the archive's -------------------------------------------------------------------------------------------------


def install_archive(root, *words, code=0):
    return toolcart("install-service", "--archive", "--root", root, *words, code=code).output


def test_an_archive_is_installed_with_its_options(tmp_path):
    install_archive(tmp_path, "--", "--host", "0.0.0.0", "--tell-host", "10.0.0.5", "--password-file", "my $password")
    text = (tmp_path / "etc/systemd/system/toolcart-archive.service").read_text()
    assert 'archive serve --host 0.0.0.0 --tell-host 10.0.0.5 --password-file "my $$password" $TOOLCART' in text
    unit = lines_of(text)
    assert unit["Restart"] == "on-failure" and "RestartPreventExitStatus" not in unit
    assert unit["DynamicUser"] == "yes" and unit["WorkingDirectory"] == "/var/lib/toolcart-archive"
    assert (tmp_path / "var/lib/toolcart-archive").stat().st_mode & 0o777 == 0o700


@needs_systemd
def test_report_has_the_archives_user_and_folder_and_a_timer(tmp_path):
    report, archive = lines_of(report_unit("/usr/bin/toolcart")), lines_of(ArchiveService("/usr/bin/toolcart").text())
    assert report["User"] == "toolcart-archive" == archive["StateDirectory"] == report["StateDirectory"]
    (tmp_path / "toolcart-archive-report.service").write_text(report_unit(sys.executable))
    timer = tmp_path / "toolcart-archive-report.timer"
    timer.write_text(REPORT_TIMER)
    assert verified(timer) == []


def test_options_of_an_archive_that_cannot_be_read_install_nothing(tmp_path):
    assert "No such option" in install_archive(tmp_path, "--", "--hots", "0.0.0.0", code=2)
    assert not (tmp_path / "etc").exists()
    assert "[Service]" in install_archive(tmp_path, "--print") and not (tmp_path / "etc").exists()
    assert "--config FILE for the agent" in install_archive(tmp_path, "--config", "x", code=2)


# -- installing ----------------------------------------------------------------------------------------------------


def test_print_shows_the_unit_and_writes_nothing(cart, tmp_path):
    assert "[Service]" in install(tmp_path, "--config", cart, "--print")
    assert not (tmp_path / "etc").exists()


def test_files_are_written_below_root_and_secrets_are_for_the_service_only(cart, tmp_path):
    install(tmp_path, "--config", cart)
    config = state_of(tmp_path) / "config.json"
    assert json.loads(config.read_text()) == CART
    assert config.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "etc/systemd/system/toolcart.service").is_file()
    assert (tmp_path / "etc/systemd/system/toolcart.service").stat().st_mode & 0o7777 == 0o644


@pytest.fixture
def precious(tmp_path):
    """A file that only root may change."""
    file = tmp_path / "shadow"
    file.write_text("root's own")
    yield file
    assert file.read_text() == "root's own"


def test_no_link_in_the_service_s_folder_is_followed(cart, tmp_path, precious):
    state = state_of(tmp_path)
    for name in ("config.json.new", "config.json"):
        (state / name).symlink_to(precious)
    install(tmp_path, "--config", cart)
    assert not (state / "config.json").is_symlink() and json.loads((state / "config.json").read_text()) == CART
    assert sorted(p.name for p in state.iterdir()) == ["config.json"]


def test_a_link_that_comes_back_at_once_is_not_followed(cart, tmp_path, precious, monkeypatch):
    state, real = state_of(tmp_path), os.open

    def late(name, *arguments, **named):
        if name == "config.json.new":
            (state / name).symlink_to(precious)
        return real(name, *arguments, **named)

    monkeypatch.setattr(safe_install.os, "open", late)
    assert "File exists" in install(tmp_path, "--config", cart, code=1)


def test_a_second_run_leaves_a_file_that_the_service_can_read(cart, tmp_path, monkeypatch):
    install(tmp_path, "--config", cart)
    state = state_of(tmp_path)
    given = []
    if os.geteuid() == 0:
        os.chown(state, 64123, 64124)  # as systemd does for a dynamic user
    else:
        monkeypatch.setattr(safe_install.os, "geteuid", lambda: -1)
        monkeypatch.setattr(safe_install.os, "fchown", lambda _, *owner: given.append(owner))
    config = state / "config.json"
    config.chmod(0o000)
    install(tmp_path, "--config", cart)
    owner = config.stat()
    if given:
        assert given[0] == (os.getuid(), os.getgid())
    else:
        assert (owner.st_uid, owner.st_gid) == (64123, 64124)
    assert owner.st_mode & 0o7777 == 0o600 and state.stat().st_mode & 0o7777 == 0o700


def test_the_folder_of_a_dynamic_user_is_found_behind_systemd_s_link(cart, tmp_path):
    state = tmp_path / STATE_FOLDER.lstrip("/")
    for target in ("private/toolcart", "/var/lib/private/toolcart"):
        private = state.parent / "private" / "toolcart"
        private.mkdir(parents=True, exist_ok=True)
        state.symlink_to(target)
        install(tmp_path, "--config", cart)
        assert json.loads((private / "config.json").read_text()) == CART
        (private / "config.json").unlink()
        state.unlink()


def test_any_other_link_in_place_of_the_folder_is_refused(cart, tmp_path):
    state = tmp_path / STATE_FOLDER.lstrip("/")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    state.parent.mkdir(parents=True)
    for target in (elsewhere, "private/other", "../../elsewhere"):
        state.symlink_to(target)
        assert "which systemd did not make" in install(tmp_path, "--config", cart, code=1)
        state.unlink()
    (state.parent / "private").symlink_to(elsewhere)
    state.symlink_to("private/toolcart")
    install(tmp_path, "--config", cart, code=1)
    assert list(elsewhere.iterdir()) == []


def test_what_is_installed_is_what_was_checked(cart, tmp_path, monkeypatch):
    real = commands.problems

    def later(*arguments):
        cart.write_text("something else by now")
        return real(*arguments)

    monkeypatch.setattr(commands, "problems", later)
    install(tmp_path, "--config", cart)
    assert json.loads((state_of(tmp_path) / "config.json").read_text()) == CART


def test_a_wrong_configuration_installs_nothing(tmp_path):
    path = tmp_path / "cart.json"
    path.write_text("{}")
    install(tmp_path, "--config", path, code=2)
    assert not (tmp_path / "etc").exists()


def test_what_the_service_cannot_reach_is_reported():
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "a.jsonl"}, {"kind": "file", "path": "/data/b.jsonl"}]
    configuration = {"stations": [{"spool": {"path": "/data/cart.spool"}, "outlets": outlets}]}
    problems = commands.problems(configuration, "/home/pi/.local/bin/toolcart")
    assert (
        "home folder" in problems[0]
        and "/data/cart.spool" in problems[1]
        and "/data/b.jsonl" in problems[2]
        and len(problems) == 3
    )
    for program in ("/tmp/venv/bin/toolcart", "/var/tmp/venv/bin/toolcart"):
        [problem] = commands.problems({"stations": []}, program)
        assert "PrivateTmp" in problem and installation.how_to_install_for_all() in problem
    assert commands.problems({"stations": []}, "/usr/local/bin/toolcart") == []


# -- sd_notify -----------------------------------------------------------------------------------------------------


def test_nothing_is_sent_without_a_manager_or_to_one_that_went_away(tmp_path):
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        assert Notifier(environment).send("READY=1") is False


def test_ready_and_status_are_datagrams(manager):
    address, received = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready()
    notifier.status("two\nlines")
    assert received() == "READY=1" and received() == "STATUS=two lines"


def test_a_name_with_an_at_sign_is_abstract():
    name = f"toolcart-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        listener.settimeout(DEADLINE_S)
        Notifier({"NOTIFY_SOCKET": "@" + name}).feed()
        assert listener.recv(100) == b"WATCHDOG=1"


def test_a_watchdog_of_another_process_is_not_ours():
    environment = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}
    assert Notifier(environment).watchdog_ms == 0
    assert Notifier({**environment, "WATCHDOG_PID": str(os.getpid())}).watchdog_ms == 60000


def test_it_is_fed_twice_in_its_time_and_only_while_everything_moves():
    statuses = []
    notifier = SimpleNamespace(watchdog_ms=60000, status=statuses.append)
    notifier.ready, notifier.feed = (lambda: statuses.append("ready")), (lambda: statuses.append("feed"))
    alive = SimpleNamespace(reason="", may_feed=lambda now: not alive.reason)
    now = TICKS_MAX - 1000
    supervision = Supervision(notifier, alive, now)
    assert supervision.on_turn(now, lambda: "fine") == 30000
    assert statuses == ["ready", "feed", "fine"]
    alive.reason = "station 1 does not move"
    now = (now + 30000) & TICKS_MAX
    supervision.on_turn(now, lambda: "fine")
    assert statuses[3:] == ["not fed: station 1 does not move"]


def test_agent_as_service_says_ready_is_fed_and_says_that_it_stops(cart, manager):
    address, received = manager
    environment = {**ENVIRONMENT, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"}
    with running(*command_of("run", "--plain", "--config", cart), env=environment) as agent:
        assert received() == "READY=1"
        messages = [received() for _ in range(6)]
        assert messages.count("WATCHDOG=1") == 3
        assert any("1 of 1 stations" in line for line in messages)
        agent.send_signal(signal.SIGTERM)
        while received() != "STOPPING=1":
            pass
        assert agent.wait(DEADLINE_S) == 0


def without_a_spool(cart, monkeypatch, heal):
    """The lines that an agent tells whose spool cannot be used at first; `heal` is called once it has said so."""
    cart.write_text(cart.read_text().replace("cart.spool", "disk/cart.spool"))
    monkeypatch.setattr(app, "MOUNT_RETRY_MS", 50)

    def goes_on(agent, lines):
        if heal and [line for line in lines if line["kind"] == "spool"]:
            heal.pop()()
        return not agent.app.stations[0].mounted

    return run_agent(cart, goes_on)


def test_a_service_without_a_spool_uses_a_disk_that_comes_back(cart, manager, monkeypatch, tmp_path):
    address, received = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    def heal():
        time.sleep(0.3)  # some attempts more
        (tmp_path / "other").mkdir()
        (tmp_path / "other").rename(tmp_path / "disk")

    code, lines = without_a_spool(cart, monkeypatch, [heal])
    assert code == 0 and lines[-1]["stations"][0]["mounted"]
    spoken = [line["text"] for line in lines if line["kind"] == "spool"]
    assert len(spoken) == 1 and "disk: No such file or directory" in spoken[0]
    assert received() == "READY=1" and received() == "WATCHDOG=1"
    assert received() == f"STATUS=no spool can be used: {spoken[0]}"


def test_by_hand_a_bad_spool_is_an_exit_code(cart, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert without_a_spool(cart, monkeypatch, [])[0] == 3
