"""Whatever command reads a configuration, the same fault of it ends it with the same exit code, as `config check`."""

import json

import pytest

from host_tests.support.running import cart_of, toolcart, written

CHIP = cart_of(
    controller={"host": "192.0.2.10"},
    station={"spool": {"path": "raw"}},
    toolsnet={"pim_host": "192.0.2.20"},
    board={"network": "wifi", "ssid": "Plant", "password": {"file": "wifi"}},
)
TEXT = json.dumps(CHIP)
MISTAKES = {
    "not there": None,
    "not JSON": "{",
    "a mistake": TEXT.replace('"pim_port"', '"pim_prot"'),
    "a secret written out": TEXT.replace('{"file": "wifi"}', '"geheim-geheim"'),
    "a mistake, and a secret that is not there": TEXT.replace('"pim_port"', '"pim_prot"'),
}
LACKS = {"not there": None, "empty": "", "two lines": "a\nb\n", "open to others": "geheim-geheim\n"}
COMMANDS = {
    "check": ("config", "check", "{config}"),
    "run": ("run", "--config", "{config}"),
    "doctor": ("doctor", "--offline", "--config", "{config}"),
    "install-service": ("install-service", "--print", "--config", "{config}"),
    "flash": ("flash", "--board", "rp2", "--port", "/dev/nothing", "--config", "{config}"),
    "mip": ("mip", "{out}", "--board", "rp2", "--config", "{config}"),
}
WITHOUT_SECRETS = {
    "web": ("web", "--port", "0", "--seconds", "0.1", "--config", "{config}"),
    "quarantine": ("quarantine", "list", "--config", "{config}"),
    "offer-again": ("spool", "offer-again", "--leave", "--config", "{config}"),
}


def ended(folder, words):
    places = {"config": folder / "cart.json", "out": folder / "out"}
    return toolcart(*[word.format(**places) for word in words], code=None)


@pytest.mark.parametrize("command", {**COMMANDS, **WITHOUT_SECRETS})
@pytest.mark.parametrize("fault", MISTAKES)
def test_a_mistake_ends_every_command_with_2(tmp_path, fault, command):
    if MISTAKES[fault] is not None:
        written(tmp_path, MISTAKES[fault])
    done = ended(tmp_path, {**COMMANDS, **WITHOUT_SECRETS}[command])
    assert done.exit_code == 2, done.output


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", LACKS)
def test_a_secret_that_cannot_be_read_here_ends_with_1(tmp_path, fault, command):
    written(tmp_path, CHIP)
    if LACKS[fault] is not None:
        (tmp_path / "wifi").write_text(LACKS[fault])
        (tmp_path / "wifi").chmod(0o644 if fault == "open to others" else 0o600)
    done = ended(tmp_path, COMMANDS[command])
    assert done.exit_code == 1 and "board.password" in done.output, done.output


@pytest.mark.parametrize("command", WITHOUT_SECRETS)
def test_a_command_that_needs_no_secret_goes_on_without_it(tmp_path, command):
    written(tmp_path, CHIP)
    assert "board.password" not in ended(tmp_path, WITHOUT_SECRETS[command]).output
