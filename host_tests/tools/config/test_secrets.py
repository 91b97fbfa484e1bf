"""A secret is read from where the configuration says, if only its owner can; what it holds is in no message."""

import json
import os
import pwd
import tempfile
from pathlib import Path

import pytest

from toolcart.agent.cart import config
from toolcart.tools.config import file as config_file
from toolcart.tools.config import files, runner
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.config.file import ConfigurationError
from host_tests.support.running import cart_of, toolcart, written
from host_tests.tools.config.test_config_file import GOOD, check

SECRET = "geheim-4711"


def cart(folder, password, **toolsnet):
    board = {"network": "wifi", "ssid": "Plant", "password": password}
    toolsnet = {
        "pim_host": "192.0.2.20",
        **(toolsnet or {}),
    }  # not at this machine, as for other carts: it is a board's
    station, controller = {"spool": {"path": "raw"}}, {"host": "192.0.2.1"}
    return written(folder, cart_of(station=station, controller=controller, toolsnet=toolsnet, board=board))


def secret(path, content=SECRET + "\n", mode=0o600):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def mistakes(path, read=config_file.read_whole):
    with pytest.raises(config_file.ConfigurationError) as raised:
        read(path)
    assert SECRET not in str(raised.value)
    return raised.value.mistakes


def mistake(folder, password):
    """The one mistake of a configuration with this password: place, found, allowed."""
    [wrong] = mistakes(cart(folder, password))
    assert wrong[0] == "board.password"
    return wrong[1:]


def install(path, root, code=0):
    """What `install-service` says; it writes below `root`."""
    output = toolcart("install-service", "--config", path, "--root", root, code=code).output
    assert SECRET not in output
    return output


def test_a_secret_comes_from_its_file_without_the_end_of_the_line(tmp_path):
    path = cart(tmp_path, {"file": "wifi"})
    for content in (SECRET, SECRET + "\n", SECRET + "\r\n"):
        secret(tmp_path / "wifi", content)
        assert config_file.read_to_run(path)["board"]["password"] == SECRET


def test_a_secret_that_is_written_out_is_a_mistake(tmp_path):
    value, allowed = mistake(tmp_path, SECRET)
    assert value == "***" and '{"file": NAME}' in allowed
    assert SECRET not in check(tmp_path / "cart.json", code=2)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_file_that_others_can_read_is_mistake_with_the_command_that_helps(tmp_path, mode):
    path = secret(tmp_path / "wifi", mode=mode)
    problem, allowed = mistake(tmp_path, {"file": "wifi"})
    assert f"mode {mode:04o}" in problem and f"chmod 600 {path}" in allowed


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "nothing"),
        ("\n", "nothing"),
        ("x" * 5000, "too much"),
        (b"\xff\xfe", "not UTF-8"),
        (SECRET * 9, "too much"),  # for a network
        (f"{SECRET}\nsecond\n", "more than one line"),
        (f"{SECRET}\n\n", "more than one line"),
        (f"{SECRET}\r{SECRET}", "more than one line"),
        (f"gehe\u00fcm-{SECRET}", "not ASCII"),
        (f"\ufeff{SECRET}", "byte order mark"),
        (f"{SECRET}\t", "a tab"),
        (f"{SECRET}\0", "a control character"),
    ],
)
def test_a_file_that_holds_no_secret_is_a_mistake(tmp_path, content, word):
    secret(tmp_path / "wifi", content)
    problem, allowed = mistake(tmp_path, {"file": "wifi"})
    assert f"{tmp_path / 'wifi'}" in problem and word in problem
    assert content != SECRET * 9 or "63" in allowed
    assert "good in itself" in check(tmp_path / "cart.json", code=1)


def _allowed_in_a_file(place):
    """The range of this secret that docs/configuration.md has, as it is said of a file."""
    [words] = [allowed for name, _, _, _, allowed in config.describe() if name == place]
    return words.removesuffix(" or null").replace("0 to", "1 to")


def _with_secret(folder, kind, key):
    """A configuration with a secret of the board, or of an outlet of this kind, in the file `secret`."""
    if kind == "board":
        return cart(folder, {"file": "secret"}), "board.password"
    tree = json.loads(GOOD)
    outlet = {"kind": kind, key: {"file": "secret"}, **({"user": "u"} if key == "password" else {})}
    outlet |= {"url": "http://192.0.2.9/"} if kind == "webhook" else {"host": "192.0.2.9"}
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, outlet]
    return written(folder, tree), f"stations[0].outlets[1].{key}"


PLACES = {
    ("board", "password"): "board.password",
    ("mqtt", "password"): "stations[].outlets[].password",
    ("webhook", "password"): "stations[].outlets[].password",
    ("webhook", "token"): "stations[].outlets[].token",
}


def test_each_secret_is_tried():
    places = {place for place, *_ in config.describe()}
    assert {*PLACES.values()} == {one for one in places if config_secrets.is_written(one.rsplit(".", 1)[1])}


@pytest.mark.parametrize(("kind", "key"), PLACES)
def test_the_range_of_a_secret_is_one_whatever_is_wrong_with_its_file(tmp_path, kind, key):
    """Whoever shortens a secret as told, or writes one, is not told of another range then."""
    allowed = _allowed_in_a_file(PLACES[kind, key])
    least, most = max(1, int(allowed.split()[0])), int(allowed.split()[2])
    path, where = _with_secret(tmp_path, kind, key)
    for octets in (0, 1, least - 1, most + 1, most + 2, 2000, 4095, 4096, 4097, 5000, 200000):
        if least <= octets <= most:
            continue
        for end in ("", "\n", "\r\n"):
            secret(tmp_path / "secret", "x" * octets + end)
            words = "too much" if octets > most else "too little" if octets else "nothing"
            checked = files.check(path)
            assert not checked.mistakes
            [(at, found, expected)] = checked.lacks
            assert (at, expected) == (where, allowed), (octets, expected)
            assert found == f"{tmp_path / 'secret'} with {words} in it"
            if "outlets" in where:
                outlet = files.read_to_run(path)[0]["stations"][0]["outlets"][1]
                assert f"; expected {allowed}" in outlet["awaits"].look()
    for octets in (least, most):
        for end in ("", "\n", "\r\n"):
            secret(tmp_path / "secret", "x" * octets + end)
            assert files.check(path).all() == [], (octets, end)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("two\nlines", "more than one line"),
        ("\u00fcmlaut", "not ASCII"),
        ("\ufeffmark", "byte order mark"),
        ("a\ttab", "a tab"),
        ("a blank", "a blank"),
    ],
)
def test_a_content_that_is_no_secret_lets_the_outlet_alone_wait_and_is_tried_again(tmp_path, content, word):
    tree = json.loads(GOOD)
    outlet = {"kind": "webhook", "url": "http://192.0.2.9/", "token": {"file": "token"}}
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, outlet]
    path = written(tmp_path, tree)
    secret(tmp_path / "token", content)
    configuration, read = files.read_to_run(path)
    awaits = configuration["stations"][0]["outlets"][1]["awaits"]
    why = awaits.look()
    assert why.startswith(f"token: found {tmp_path / 'token'}") and "; expected " in why and word in why
    for output in (check(path, code=1), install(path, tmp_path / "root", code=1)):
        assert "good in itself" in output and "outlets[1].token" in output and word in output
    secret(tmp_path / "token", "still two\nlines")
    assert awaits.look() and read.changed() == []
    secret(tmp_path / "token")
    assert awaits.look() == "" and configuration["stations"][0]["outlets"][1]["token"] == SECRET
    assert read.changed() == []


def test_what_is_wrong_whatever_the_secret_is_stays_a_mistake(tmp_path):
    tree = json.loads(GOOD)
    outlet = {"kind": "webhook", "url": "http://192.0.2.9/", "token": {"file": "token"}, "user": "u"}
    outlet["password"] = {"file": "token"}
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, outlet]
    secret(tmp_path / "token")
    assert "a token, or a user with a password" in check(written(tmp_path, tree), code=2)


@pytest.mark.parametrize("value", [{}, {"file": 1}, {"file": "a", "credential": "b"}, {"fiel": "a"}])
def test_another_form_is_a_mistake_that_names_both(tmp_path, value):
    assert mistake(tmp_path, value) == ("an object", config_secrets.FORMS)


def test_a_file_that_is_missing_or_a_folder_is_a_mistake(tmp_path):
    assert "No such file" in mistake(tmp_path, {"file": "wifi"})[0]
    (tmp_path / "wifi").mkdir()
    assert "no file" in mistake(tmp_path, {"file": "wifi"})[0]


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_a_mistake(tmp_path, name):
    assert mistake(tmp_path, {"file": name})[0] == "a name that no file can have"
    for part in ({"board": {"password": {"file": name}}}, {"toolsnet": {"tls_ca": name}}):
        written(tmp_path, {**json.loads(GOOD), **part})
        with pytest.raises(ConfigurationError):
            files.read_to_run(tmp_path / "cart.json")


def test_credential_is_the_service_s_and_is_missed_only_by_who_runs(tmp_path, monkeypatch):
    path = cart(tmp_path, {"credential": "wifi"})
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert config_file.read(path) and config_file.read_to_install(path)
    [(place, problem, _)] = mistakes(path, config_file.read_to_run)
    assert (place, problem) == ("board.password", "no credential")
    [(place, _, _)] = mistakes(path, config_file.read_whole)
    assert place == "board.password"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    secret(tmp_path / "wifi", mode=0o440)  # as systemd has them
    assert config_file.read_to_run(path)["board"]["password"] == SECRET


def test_a_credential_that_nobody_hands_over_is_missing_as_a_file_would_be(tmp_path, monkeypatch):
    units = tmp_path / "units"
    monkeypatch.setattr(runner, "UNIT_FOLDERS", (str(units),))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    tree = json.loads(GOOD)
    hook = {"kind": "webhook", "url": "http://192.0.2.9/", "token": {"credential": "hook"}}
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, hook]
    path = written(tmp_path, tree)
    assert "outlets[1].token: found no credential; expected one that systemd hands over" in check(path, code=1)
    assert "outlets[1].token" in files.first_of(files.check(path).all()), "so a reload is refused"
    units.mkdir()
    unit = f"[Service]\nExecStart=/usr/bin/toolcart run --config {path}\nLoadCredential=hook:/etc/hook\n"
    (units / "toolcart.service").write_text(unit)
    check(path, code=0)
    (units / "toolcart.service").write_text(unit.replace("hook:", "other:"))
    check(path, code=1)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert "No such file" in check(path, code=1)
    secret(tmp_path / "hook", mode=0o440)
    check(path, code=0)


@pytest.mark.parametrize("name", ["../wifi", "", "a/b"])
def test_a_credential_s_name_leads_nowhere_else(tmp_path, monkeypatch, name):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert "no name" in mistake(tmp_path, {"credential": name})[0]


def test_the_service_is_given_its_secrets(tmp_path):
    secret(tmp_path / "wifi")
    root = tmp_path / "root"
    install(cart(tmp_path, {"file": "wifi"}), root)
    given = root / "var/lib/toolcart/wifi"
    assert given.read_text() == SECRET + "\n" and given.stat().st_mode & 0o777 == 0o600
    assert config_file.read_to_run(root / "var/lib/toolcart/config.json")["board"]["password"] == SECRET


def test_certificates_and_their_key_are_files_already_and_service_is_given_them(tmp_path):
    named = {"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": "own.key"}
    path = cart(tmp_path, "", **named)
    assert config_file.read(path)["toolsnet"]["tls_key"] == "own.key"
    for name in named.values():
        secret(tmp_path / name, name)
    install(path, tmp_path / "root")
    state = tmp_path / "root/var/lib/toolcart"
    assert {name: (state / name).read_text() for name in named.values()} == {name: name for name in named.values()}
    (tmp_path / "own.key").unlink()
    assert "own.key" in install(path, tmp_path / "root", code=1)


def test_the_unit_loads_the_credentials_that_are_named(tmp_path):
    path = cart(tmp_path, {"credential": "wifi"})
    assert "\nLoadCredential=wifi\n" in toolcart("install-service", "--config", path, "--print").output
    secret(tmp_path / "wifi")
    path = cart(tmp_path, {"file": str(tmp_path / "wifi")})
    assert "cannot read" in install(path, tmp_path / "root", code=1)


def test_the_service_s_configuration_starts_from_its_state(tmp_path):
    assert str(config_file.folder_of("/etc/toolcart/config.json")) == "/var/lib/toolcart"
    assert config_file.folder_of(tmp_path / "cart.json") == tmp_path.resolve()


@pytest.mark.parametrize("kind", ["missing", "open to others", "of nothing"])
def test_a_secret_that_cannot_be_read_here_is_no_mistake_in_the_file(tmp_path, kind):
    path = cart(tmp_path, {"file": "wifi"})
    if kind != "missing":
        secret(tmp_path / "wifi", "" if kind == "of nothing" else SECRET, 0o644 if kind == "open to others" else 0o600)
    output = check(path, code=1)
    assert "good in itself" in output and "board.password" in output and "wifi" in output
    for output in (install(path, tmp_path / "root", code=1), toolcart("run", "--config", path, code=1).output):
        assert "good in itself" in output and "board.password" in output
    assert not (tmp_path / "root/etc").exists()
    checked = files.check(path)
    assert checked.mistakes == [] and checked.configuration and "board.password" in files.first_of(checked.all())
    for value in ({"file": "a\0b"}, {"credential": "../x"}, {"fiel": "wifi"}, SECRET):
        check(cart(tmp_path, value), code=2)
        install(cart(tmp_path, value), tmp_path / "root", code=2)
        toolcart("run", "--config", path, code=2)


def test_all_that_run_goes_on_without_is_good_in_itself(tmp_path):
    tree = json.loads(GOOD)
    outlet = {"kind": "mqtt", "host": "192.0.2.9", "user": "cart", "password": {"file": "gone"}}
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, outlet]
    path = tmp_path / "cart.json"
    written(tmp_path, tree)
    assert "outlets[1].password" in check(path, code=1)
    assert config_file.read_to_run(path)["stations"][0]["outlets"][1]["awaits"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("is_own", [True, False])
def test_a_secret_that_may_not_be_read_is_cured_by_what_keeps_it(is_own):
    nobody = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "token")
        path.write_text("secret")
        path.chmod(0 if is_own else 0o600)
        os.chown(folder, nobody, -1)
        os.chown(path, nobody if is_own else 0, -1)
        os.seteuid(nobody)
        try:
            found, allowed = config_secrets.from_file(path)
        finally:
            os.seteuid(0)
    assert found == f"{path}, which nobody may not read"
    assert allowed.endswith(f": chmod 600 {path}" if is_own else f": chown nobody {path}")
