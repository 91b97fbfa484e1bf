"""A secret is read from where the configuration says, if only its owner can; what it holds is in no message."""

import json

import pytest
from click.testing import CliRunner

from toolcart.tools.cli.main import main
from toolcart.tools.config import file as config_file
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.service import commands

SECRET = "geheim-4711"


def cart(folder, password, **toolsnet):
    tree = {
        "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575, **toolsnet},
        "board": {"network": "wifi", "ssid": "Plant", "password": password},
        "stations": [{"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw"}}],
    }
    path = folder / "cart.json"
    path.write_text(json.dumps(tree))
    return path


def secret(path, content=SECRET + "\n", mode=0o600):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def mistakes(path, read=config_file.read):
    with pytest.raises(config_file.Wrong) as raised:
        read(path)
    assert SECRET not in str(raised.value)
    return raised.value.mistakes


def test_a_secret_comes_from_its_file_without_the_end_of_the_line(tmp_path):
    path = cart(tmp_path, {"file": "wifi"})
    for content in (SECRET, SECRET + "\n", SECRET + "\r\n"):
        secret(tmp_path / "wifi", content)
        assert config_file.read_to_run(path)["board"]["password"] == SECRET


def test_a_secret_that_is_written_out_is_a_mistake(tmp_path):
    [(place, found, allowed)] = mistakes(cart(tmp_path, SECRET))
    assert (place, found) == ("board.password", "***") and '{"file": NAME}' in allowed
    told = CliRunner().invoke(main, ["config", "check", str(tmp_path / "cart.json")])
    assert told.exit_code == 2 and SECRET not in told.output


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_file_that_others_can_read_is_mistake_with_the_command_that_helps(tmp_path, mode):
    path = secret(tmp_path / "wifi", mode=mode)
    [(place, found, allowed)] = mistakes(cart(tmp_path, {"file": "wifi"}))
    assert place == "board.password" and f"mode {mode:04o}" in found and f"chmod 600 {path}" in allowed


@pytest.mark.parametrize(
    ("content", "word"), [("", "nothing"), ("\n", "nothing"), ("x" * 5000, "too much"), (b"\xff\xfe", "not UTF-8")]
)
def test_a_file_that_holds_no_secret_is_a_mistake(tmp_path, content, word):
    secret(tmp_path / "wifi", content)
    [(_, found, _)] = mistakes(cart(tmp_path, {"file": "wifi"}))
    assert word in found


@pytest.mark.parametrize("value", [{}, {"file": 1}, {"file": "a", "credential": "b"}, {"fiel": "a"}])
def test_another_form_is_a_mistake_that_names_both(tmp_path, value):
    [(place, found, allowed)] = mistakes(cart(tmp_path, value))
    assert (place, found) == ("board.password", "an object") and allowed == config_secrets.FORMS


def test_a_file_that_is_missing_or_a_folder_is_a_mistake(tmp_path):
    [(_, found, _)] = mistakes(cart(tmp_path, {"file": "wifi"}))
    assert "No such file" in found
    (tmp_path / "wifi").mkdir()
    [(_, found, _)] = mistakes(cart(tmp_path, {"file": "wifi"}))
    assert "no file" in found


def test_a_secret_of_the_wrong_size_is_told_without_it(tmp_path):
    secret(tmp_path / "wifi", SECRET * 9)
    [(place, found, allowed)] = mistakes(cart(tmp_path, {"file": "wifi"}))
    assert (place, found) == ("board.password", "***") and "63" in allowed


def test_credential_is_the_service_s_and_is_missed_only_by_who_runs(tmp_path, monkeypatch):
    path = cart(tmp_path, {"credential": "wifi"})
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert config_file.read(path) and config_file.read_to_install(path)
    [(place, found, _)] = mistakes(path, config_file.read_to_run)
    assert (place, found) == ("board.password", "no credential")
    [(place, _, _)] = mistakes(path, config_file.read_whole)
    assert place == "board.password"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    secret(tmp_path / "wifi", mode=0o440)  # as systemd has them
    assert config_file.read_to_run(path)["board"]["password"] == SECRET


@pytest.mark.parametrize("name", ["../wifi", "", "a/b"])
def test_a_credential_s_name_leads_nowhere_else(tmp_path, monkeypatch, name):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    [(_, found, _)] = mistakes(cart(tmp_path, {"credential": name}))
    assert "no name" in found


def test_the_service_is_given_its_secrets(tmp_path):
    secret(tmp_path / "wifi")
    root = tmp_path / "root"
    words = ["--config", str(cart(tmp_path, {"file": "wifi"})), "--root", str(root)]
    done = CliRunner().invoke(commands.install_service, words)
    assert done.exit_code == 0 and SECRET not in done.output, done.output
    given = root / "var/lib/toolcart/wifi"
    assert given.read_text() == SECRET + "\n" and given.stat().st_mode & 0o777 == 0o600
    assert config_file.read_to_run(root / "var/lib/toolcart/config.json")["board"]["password"] == SECRET


def test_certificates_and_their_key_are_files_already_and_service_is_given_them(tmp_path):
    named = {"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": "own.key"}
    path = cart(tmp_path, "", **named)
    assert config_file.read(path)["toolsnet"]["tls_key"] == "own.key"
    for name in named.values():
        secret(tmp_path / name, name)
    words = ["--config", str(path), "--root", str(tmp_path / "root")]
    done = CliRunner().invoke(commands.install_service, words)
    assert done.exit_code == 0, done.output
    state = tmp_path / "root/var/lib/toolcart"
    assert {name: (state / name).read_text() for name in named.values()} == {name: name for name in named.values()}
    (tmp_path / "own.key").unlink()
    gone = CliRunner().invoke(commands.install_service, words)
    assert gone.exit_code == 1 and "own.key" in gone.output


def test_the_unit_loads_the_credentials_that_are_named(tmp_path):
    words = ["--config", str(cart(tmp_path, {"credential": "wifi"})), "--print"]
    assert "\nLoadCredential=wifi\n" in CliRunner().invoke(commands.install_service, words).output
    secret(tmp_path / "wifi")
    words = ["--config", str(cart(tmp_path, {"file": str(tmp_path / "wifi")})), "--root", str(tmp_path / "root")]
    done = CliRunner().invoke(commands.install_service, words)
    assert done.exit_code == 1 and "cannot read" in done.output


def test_the_service_s_configuration_starts_from_its_state(tmp_path):
    assert str(config_file.folder_of("/etc/toolcart/config.json")) == "/var/lib/toolcart"
    assert config_file.folder_of(tmp_path / "cart.json") == tmp_path.resolve()
