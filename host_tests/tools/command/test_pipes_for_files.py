"""A pipe in place of a file that an operator names: no command waits for it, and the running agent goes on."""

import os
from pathlib import Path

import pytest

from toolcart.board.linux.regular_file import NO_FILE
from host_tests.support.no_wait import waits_for_nobody
from host_tests.support.quarantine import spool_with
from host_tests.support.running import cart_of, run_agent, station_at, toolcart, written
from host_tests.support.tls import certificate_files

TLS = {"tls_ca": "ca.pem", "tls_certificate": "certificate.pem", "tls_key": "key.pem"}
NAMED = (*TLS.values(), "token")
HOOK = {"kind": "webhook", "url": "https://127.0.0.1:9/x", "token": {"file": "token"}, **TLS}


@pytest.fixture(autouse=True)
def no_wait():
    with waits_for_nobody(60):
        yield


@pytest.fixture
def cart(tmp_path):
    """A cart with a secret and files for TLS."""
    certificate_files(tmp_path)
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o600)
    station = station_at(7) | {"outlets": [{"kind": "toolsnet"}, HOOK]}
    return written(tmp_path, cart_of(stations=[station], toolsnet=TLS))


def pipe_for(path):
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("name", NAMED)
def test_no_command_waits_for_a_file_that_the_configuration_names(cart, name):
    pipe_for(cart.parent / name)
    checked = toolcart("config", "check", cart, code=1).output
    words = "which is no file" if name == "token" else NO_FILE
    assert f"{cart.parent / name}" in checked and words in checked
    if name != "token":
        key = next(key for key, value in TLS.items() if value == name)
        assert f"toolsnet.{key}" in checked and f"stations[0].outlets[1].{key}" in checked
    assert words in toolcart("doctor", "--offline", "--config", cart, code=1).output


@pytest.mark.parametrize("name", NAMED)
def test_a_running_agent_goes_on_and_refuses_a_reload(cart, name):
    seen = []

    def goes_on(agent, lines):
        if not seen and lines[-1]["kind"] == "status":
            assert not agent.configured.check_and_report()["wrong"]
            pipe_for(cart.parent / name)
            seen.append(agent.configured.check_and_report())
            agent.request_reload()
        elif seen and not agent.reload_asked:
            seen.append(agent.configured.check_and_report())
            return False
        return True

    run_agent(cart, goes_on)
    for report in seen:
        assert report["changed"] == [str(cart.parent / name)] and str(cart.parent / name) in report["wrong"]
    assert [report["refused"] for report in seen] == [False, True]


def test_orders_and_starts_wait_for_no_list_of_orders(tmp_path):
    spool = spool_with(tmp_path, b"no frame")
    path = Path(f"{spool}.orders")
    os.mkfifo(path)
    cart = written(tmp_path, cart_of(number=7, station={"spool": {"path": str(spool)}}))
    for words in (["quarantine", "retry", "1"], ["quarantine", "offer-again", "--from", "1", "--yes"]):
        done = toolcart(*words, "--config", cart, code=None)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    lines = []

    def goes_on(agent, seen):
        lines[:] = seen
        return seen[-1]["kind"] != "status"

    run_agent(cart, goes_on)
    assert any(line["kind"] == "note" and NO_FILE in line["text"] for line in lines), lines


@pytest.mark.parametrize("option", ["--tls-certificate", "--tls-key", "--tls-ca", "--password-file"])
def test_an_archive_waits_for_none_of_its_files(tmp_path, option):
    files = certificate_files(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    options = {"--tls-certificate": files["certificate"], "--tls-key": files["key"], option: str(pipe)}
    words = ["archive", "serve", "--database", tmp_path / "archive", "--web", "127.0.0.1:0"]
    done = toolcart(*words, *[word for pair in options.items() for word in pair], code=None)
    assert done.exit_code not in (0, 1) and NO_FILE in done.output, done.output


def test_the_page_waits_for_no_token(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert NO_FILE in toolcart("web", "--token-file", tmp_path / "pipe", code=2).output
