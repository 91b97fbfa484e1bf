"""A configuration is read whole or every mistake is told; of which files it consists, and when one has changed."""

import json
import os
from pathlib import Path

import pytest

from toolcart.agent.cart import config
from toolcart.base import installation
from toolcart.board.linux.spool_header import NO_OWNER, Header
from toolcart.tools.config import file as config_file
from toolcart.tools.config import files, runner
from toolcart.tools.config import path_checks as config_places
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.config.file import Wrong
from toolcart.tools.flash.package import checked_config
from host_tests.support.running import cart_of, toolcart, written

GOOD = """{
  "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
  "board": {"network": "ethernet"},
  "stations": [
    {"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw"}},
    {"number": 2, "controller": {"host": "192.0.2.11"}, "spool": {"path": "raw@1024"}}
  ]
}"""


def wrong(folder, content, read=config_file.read):
    """What is wrong with a file that has this content: a tree, or the text itself."""
    path = written(folder, content)
    with pytest.raises(config_file.Wrong) as raised:
        read(path)
    return raised.value


def mistakes_of(tmp_path, old, new, read=config_file.read):
    assert GOOD.count(old) == 1
    return wrong(tmp_path, GOOD.replace(old, new), read).mistakes


def check(path, *words, code=0):
    """What `config check` says."""
    return toolcart("config", "check", path, *words, code=code).output


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"pim_port": 6575', '"pim_port": 6575, "pim_port": 6576', "toolsnet.pim_port"),
        ('"pim_port": 6575', '"pim_port": 6575, "pim_port": 6575', "toolsnet.pim_port"),
        ('"number": 2', '"number": 3, "number": 2', "stations[1].number"),
        ('"host": "192.0.2.11"', '"host": "192.0.2.12", "host": "192.0.2.11"', "stations[1].controller.host"),
        ('{"network": "ethernet"}', '{"network": "none"}, "board": {"network": "ethernet"}', "board"),
        ('"board": {', '"board": {"password": "hunter2", "password": "hunter3", ', "board.password"),
    ],
)
@pytest.mark.parametrize("read", [config_file.read, config_file.read_to_run, config_file.parse, checked_config])
def test_a_key_that_stands_twice_is_named_with_its_place(tmp_path, old, new, place, read):
    told = mistakes_of(tmp_path, old, new, read)
    assert told == [(place, "", "given more than once")]


def test_keys_that_stand_twice_are_told_together_with_all_other_mistakes(tmp_path):
    places = [place for place, *_ in mistakes_of(tmp_path, '"number": 2', '"number": 2, "number": 1, "nmae": ""')]
    assert sorted(places) == ["stations[1].nmae", "stations[1].number", "stations[1].number"]


def test_serial_line_without_pyserial_is_mistake_of_running_not_of_the_file(tmp_path, monkeypatch):
    old, new = '"controller": {"host": "192.0.2.10"}', '"controller": {"link": "3964r", "device": "/dev/ttyUSB0"}'
    path = written(tmp_path, GOOD.replace(old, new))
    assert config_file.read_to_run(path)["stations"][0]["controller"]["link"] == "3964r"
    monkeypatch.setattr(config_file, "find_spec", lambda name: None)
    [(place, found, allowed)] = mistakes_of(tmp_path, old, new, config_file.read_to_run)
    assert (place, found) == ("stations[0].controller.link", '"3964r"')
    assert installation.how_to_get("serial") in allowed
    assert config_file.read(path)
    assert installation.how_to_get("serial") in toolcart("run", "--link", "ascii", "--headless", code=2).output


def test_webhook_without_its_library_is_a_mistake_that_names_the_extra(tmp_path, monkeypatch):
    tree = json.loads(GOOD)
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "webhook", "url": "http://hook/"}]
    path = written(tmp_path, json.dumps(tree))
    assert config_file.not_runnable(config_file.read(path), tmp_path) == []
    monkeypatch.setattr(config_file, "find_spec", lambda name: None)
    [(place, found, allowed)] = config_file.not_runnable(config_file.read(path), tmp_path)
    assert (place, found) == ("stations[0].outlets[1].kind", '"webhook"')
    assert "the extra `webhook`" in allowed and installation.how_to_get("webhook") in allowed
    assert config_file.read_to_run(path), "an agent collects without it, and says why"
    checked = toolcart("config", "check", str(path), code=None).output
    assert place in checked and installation.how_to_get("webhook") in checked


def test_a_tree_of_any_depth_is_walked_without_recursion(tmp_path):
    deep = '{"a":' * 400 + '{"b": 1, "b": 2}' + "}" * 400
    assert wrong(tmp_path, deep, config_file.parse).mistakes[0][0].count(".") == 400


def test_files_of_tls_are_looked_at_before_anything_runs(tmp_path):
    path = written(tmp_path, cart_of(toolsnet={"tls_ca": "nothing.pem"}))
    assert config_file.read_to_run(path), "an agent collects without it"
    [(place, found, _)] = files.check(path).lacks
    assert place == "toolsnet.tls_ca" and found == f"{tmp_path}/nothing.pem: No such file or directory"
    said = check(path)
    assert "cannot run as it is on this machine" in said and "nothing.pem" in said


def test_time_zone_that_is_none_is_mistake_before_a_board_has_it(tmp_path):
    found = mistakes_of(tmp_path, '"ethernet"', '"ethernet", "time_zone": "garbage!!"')
    assert found[0][:2] == ("board.time_zone", '"garbage!!"') and "CET-1CEST" in found[0][2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n // no\n "b": 2}', "a comment"),
        ("", "the file is empty"),
        ("# cart\nsystem:\n  name: x\n", "YAML"),
        ("[system]\nname = 1\n", "TOML"),
        ("<config/>", "XML"),
        ('{"a": 1,\n}', "a comma behind the last entry"),
        ("{'a': 1}", "another quote"),
        ('{"a": True}', "small letters"),
        ('{"a": 07}', "begins with 0"),
        ('{"a": [1, 2', "ends too early"),
        ('{"a": 1 "b": 2}', "a comma or a closing bracket is missing"),
    ],
)
def test_what_is_no_json_is_told_in_words(tmp_path, text, said):
    [(place, found, words)] = wrong(tmp_path, text).mistakes
    assert place.startswith(("line ", "(file)")) and found == "" and said in words


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("host", "10.20.7.300", '300 is above 255: "10.20.7.300"; expected a name'),
        ("host", "10.0.0.5:4545", "a port, which is a setting of its own"),
        ("host", "http://10.0.0.5", "a URL"),
        ("host", "[fe80::1]", "in brackets"),
        ("host", " 10.0.0.5", "a blank in it"),
        ("host", "", "empty"),
        ("host", "10.0.0", "an IPv4 address has four numbers"),
        ("port", "4545", "a number in quotes"),
        ("recover", "true", "in quotes"),
        ("link", "TCP", "capital letters"),
        ("link", "rs232", 'expected one of tcp, ascii, 3964r; found "rs232"'),
    ],
)
def test_what_is_wrong_with_a_value_comes_first(tmp_path, place, value, said):
    tree = json.loads(GOOD)
    tree["stations"][0]["controller"][place] = value
    assert f"stations[0].controller.{place}  {said}" in str(wrong(tmp_path, tree))


# A spool or a file of lines that could not be written is told by `config check`, before anything runs.


def found_with(folder, path="a.spool", **station):
    tree = cart_of(station={"spool": {"path": path}, **station})
    return config_places.unusable(config.complete(tree), Path(folder))


def test_place_that_can_be_written_is_good_and_nothing_is_left_there(tmp_path):
    assert found_with(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_is_told_with_its_setting_and_what_would_do(tmp_path):
    [(place, found, allowed)] = found_with(tmp_path, ".")
    assert place == "stations[0].spool.path" and "that is a folder" in found and allowed == config_places.A_FILE


@pytest.mark.parametrize("is_there", [False, True])
def test_what_this_user_may_not_write_names_the_user(tmp_path, monkeypatch, is_there):
    def no(*_):
        raise PermissionError(13, "Permission denied")

    if is_there:
        (tmp_path / "a.spool").touch()
    monkeypatch.setattr("os.open", no)
    monkeypatch.setattr(config_places, "user_name", lambda: "anna")
    [(_, found, _)] = found_with(tmp_path)
    assert "anna may" in found


def test_files_of_lines_are_looked_at_too(tmp_path):
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "nowhere/lines"}]
    [(place, found, _)] = found_with(tmp_path, outlets=outlets)
    assert place == "stations[0].outlets[1].path" and "mkdir" in found


@pytest.mark.parametrize(
    ("name", "as_spool", "as_lines"),
    [
        ("text", "it is not a spool", "it holds something else than the agent's lines"),
        ("damaged", "it has a damaged header", "it holds something else than the agent's lines"),
        ("empty", "it is an empty file that toolcart did not make", ""),
        ("link", "that is a link, which the agent does not follow", ""),
        ("pipe", "that is a device, pipe or socket", "that is a device, pipe or socket"),
        (
            "other",
            "it belongs to station 8 of system 1 (type 3), not to station 1 of system 1 (type 3)",
            "it holds something else than the agent's lines",
        ),
        (
            "cut",
            "it was cut short: it has 4096 bytes, and was made with 69632",
            "it holds something else than the agent's lines",
        ),
        ("spool", "", "it holds something else than the agent's lines"),
        ("linked", "it has 2 names (hard links)", "it holds something else than the agent's lines"),
        ("lines", "it is not a spool", ""),
    ],
)
def test_what_is_there_already_has_to_be_what_the_agent_takes(tmp_path, name, as_spool, as_lines):
    contents = {"text": b"Dear ToolsNet", "damaged": b"toolcart", "empty": b"", "lines": b'{"schema":2}\n'}
    contents["cut"] = Header(16, 4096, 16, NO_OWNER, bytes(16)).page()
    contents["spool"] = contents["cut"] + bytes(16 * 4096)
    contents["linked"] = contents["spool"]
    contents["other"] = Header(16, 4096, 16, (3, 1, 8), bytes(16)).page()
    for file, content in contents.items():
        (tmp_path / file).write_bytes(content)
    (tmp_path / "link").symlink_to("lines")
    (tmp_path / "backup").hardlink_to(tmp_path / "linked")
    os.mkfifo(tmp_path / "pipe")
    as_outlet = [{"kind": "toolsnet"}, {"kind": "file", "path": name}]
    for told, found in ((as_spool, found_with(tmp_path, name)), (as_lines, found_with(tmp_path, outlets=as_outlet))):
        assert [said for _, said, _ in found] == ([f"{name}: {told}"] if told else [])


def test_config_check_says_it_and_json_has_it_beside_the_mistakes(tmp_path):
    cart = written(tmp_path, cart_of(station={"spool": {"path": "/proc/nothere"}}))
    said = check(cart)
    assert "cannot run as it is on this machine" in said
    assert "found /proc/nothere: no file can be made in /proc" in said
    told = json.loads(check(cart, "--json"))
    assert told["good"] and [one["place"] for one in told["cannot_run_yet"]] == ["stations[0].spool.path"]
    written(tmp_path, cart_of())
    assert ": good, 1 station; checked as " in check(cart)


# A secret is read from where the configuration says, if only its owner can; what it holds is in no message.

SECRET = "geheim-4711"


def cart(folder, password, **toolsnet):
    board = {"network": "wifi", "ssid": "Plant", "password": password}
    return written(folder, cart_of(station={"spool": {"path": "raw"}}, toolsnet=toolsnet, board=board))


def secret(path, content=SECRET + "\n", mode=0o600):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def mistakes(path, read=config_file.read):
    with pytest.raises(config_file.Wrong) as raised:
        read(path)
    assert SECRET not in str(raised.value)
    return raised.value.mistakes


def mistake(folder, password):
    """The one mistake of a configuration with this password: place, found, allowed."""
    [found] = mistakes(cart(folder, password))
    assert found[0] == "board.password"
    return found[1:]


def install(path, root, code=0):
    """What `install-service` says; it writes below `root`."""
    said = toolcart("install-service", "--config", path, "--root", root, code=code).output
    assert SECRET not in said
    return said


def test_a_secret_comes_from_its_file_without_the_end_of_the_line(tmp_path):
    path = cart(tmp_path, {"file": "wifi"})
    for content in (SECRET, SECRET + "\n", SECRET + "\r\n"):
        secret(tmp_path / "wifi", content)
        assert config_file.read_to_run(path)["board"]["password"] == SECRET


def test_a_secret_that_is_written_out_is_a_mistake(tmp_path):
    found, allowed = mistake(tmp_path, SECRET)
    assert found == "***" and '{"file": NAME}' in allowed
    assert SECRET not in check(tmp_path / "cart.json", code=2)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_file_that_others_can_read_is_mistake_with_the_command_that_helps(tmp_path, mode):
    path = secret(tmp_path / "wifi", mode=mode)
    found, allowed = mistake(tmp_path, {"file": "wifi"})
    assert f"mode {mode:04o}" in found and f"chmod 600 {path}" in allowed


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "nothing"),
        ("\n", "nothing"),
        ("x" * 5000, "too much"),
        (b"\xff\xfe", "not UTF-8"),
        (SECRET * 9, "***"),  # more than a network takes
    ],
)
def test_a_file_that_holds_no_secret_is_a_mistake(tmp_path, content, word):
    secret(tmp_path / "wifi", content)
    found, allowed = mistake(tmp_path, {"file": "wifi"})
    assert word in found and (word != "***" or "63" in allowed)


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
        with pytest.raises(Wrong):
            files.read_to_run(tmp_path / "cart.json")


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


BROKER = {"kind": "mqtt", "host": "b", "user": "u", "password": {"file": "secret"}, "tls_ca": "b.pem"}
FILES_TREE = cart_of(toolsnet={"tls_ca": "ca.pem"}, station={"outlets": [{"kind": "toolsnet"}, BROKER]})
NAMED = ("cart.json", "secret", "ca.pem", "b.pem")


@pytest.fixture
def cart_files(tmp_path):
    for name in NAMED:
        written(tmp_path, FILES_TREE if name == "cart.json" else name, name)
    (tmp_path / "secret").chmod(0o600)
    return tmp_path / "cart.json"


@pytest.mark.parametrize("name", NAMED)
def test_each_file_that_is_named_counts_by_its_content(cart_files, name):
    read, path = files.Files(cart_files), cart_files.parent / name
    path.touch()
    assert read.changed() == []
    before, state = path.read_text(), read.state()
    path.write_text(before + " ")
    assert read.changed() == [str(path)] and read.state() != state
    path.write_text(before)
    assert read.changed() == [] and read.state() == state
    path.unlink()
    assert read.changed() == [str(path)]


def test_a_secret_counts_as_read_once_it_can_be_used(cart_files):
    secret = cart_files.parent / "secret"
    secret.chmod(0o644)
    read = files.Files(cart_files)
    secret.chmod(0o600)
    assert read.changed() == []
    secret.write_text("another")
    assert read.changed() == [str(secret)]


def test_the_digest_is_of_the_configuration_alone(cart_files):
    read = files.Files(cart_files)
    (cart_files.parent / "secret").write_text("another")
    assert read.digest == files.Files(cart_files).digest and len(read.digest) == 64
    cart_files.write_text("{}")
    assert read.digest != files.Files(cart_files).digest
    assert files.Files(cart_files.parent / "none.json").digest == ""


def test_a_file_that_is_written_while_it_is_read_is_read_again(cart_files, tmp_path, monkeypatch):
    real, count = files.config_file.read_to_run, []

    def reads(path):
        if not count:
            count.append(1)
            written(tmp_path, cart_of(station={"spool": {"path": "b.spool"}}))
            return {"old": True}
        return real(path)

    monkeypatch.setattr(files.config_file, "read_to_run", reads)
    configuration, read = files.read_to_run(cart_files)
    assert configuration["stations"][0]["spool"]["path"] == "b.spool" and read.changed() == []


def test_what_is_no_configuration_has_itself_alone(cart_files):
    for text in ("[]", "{", '{"stations": 7}', '{"stations": [7, {"outlets": [1]}]}'):
        cart_files.write_text(text)
        with pytest.raises(Wrong):
            files.read_to_run(cart_files)


# -- the user that runs it -----------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path, monkeypatch):
    """Unit folders of this test alone; returns what writes a unit into the first or second of them."""
    folders = [tmp_path / "etc", tmp_path / "usr"]
    monkeypatch.setattr(runner, "UNIT_FOLDERS", tuple(map(str, folders)))

    def put(text, folder=1, name="toolcart.service"):
        path = folders[folder] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return put


def unit(cart_files, *lines):
    return "\n".join(["[Service]", f"ExecStart=/usr/bin/toolcart run --plain --config {cart_files}", *lines, ""])


def test_the_unit_that_names_the_configuration_says_who_runs_it(cart_files, units):
    assert runner.unit_of(cart_files) is None
    units(unit(cart_files, "User=nobody", "SupplementaryGroups=tty 7"))
    name, settings = runner.unit_of(cart_files)
    user = runner.user_of(cart_files)
    assert name == "toolcart" and settings["User"] == ["nobody"] and user.name == "nobody" and 7 in user.groups
    assert runner.unit_of(cart_files.parent / "other.json") is None
    units("[Service]\nUser=\nUser=daemon\n", name="toolcart.service.d/user.conf")
    assert runner.user_of(cart_files).name == "daemon", "as in docs/watching.md"
    units(unit("/other.json"), folder=0)
    assert runner.unit_of(cart_files) is None, "the one in /etc hides the package's"


def test_a_dynamic_user_is_the_one_that_owns_the_folder(cart_files, units):
    units(unit(cart_files, "DynamicUser=yes"))
    assert runner.user_of(cart_files).uid == cart_files.parent.stat().st_uid
    units(unit(cart_files, "User=who-is-that"))
    assert runner.user_of(cart_files).uid == cart_files.parent.stat().st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_root_is_the_user_for_a_while_and_root_again_whatever_happens(cart_files, units):
    units(unit(cart_files, "User=nobody"))
    user = runner.user_of(cart_files)
    with pytest.raises(RuntimeError), runner.acting_as(user) as acting:
        assert acting == user and os.geteuid() == user.uid and os.getegid() == user.gid
        raise RuntimeError
    assert (os.geteuid(), os.getegid()) == (0, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_user_that_cannot_read_this_program_is_not_acted_as(cart_files, units, monkeypatch, tmp_path):
    units(unit(cart_files, "User=nobody"))
    tmp_path.chmod(0o700)
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    with runner.acting_as(runner.user_of(cart_files)) as acting:
        assert acting.uid == 0 and os.geteuid() == 0


def lines_to(*paths, keep=2):
    """An outlet of a station for each file."""
    return [{"kind": "file", "name": f"f{index}", "path": path, "keep": keep} for index, path in enumerate(paths)]


def clashes(folder, outlets, spools=("7.spool",), **more):
    """The mistakes of stations with these spools, of which the first has these outlets beside ToolsNet."""
    stations = [
        {"number": 7 + index, "controller": {"host": f"192.0.2.{index + 1}"}, "spool": {"path": path}}
        for index, path in enumerate(spools)
    ]
    stations[0]["outlets"] = [{"kind": "toolsnet"}, *outlets]
    tree = {"toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575, **more}, "stations": stations}
    path = written(folder, tree, "cart.1")
    try:
        config_file.read(path)
    except Wrong as found:
        return found.mistakes
    return []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.jsonl", "./a.jsonl"),
        ("a.jsonl", "./a.jsonl.1"),
        ("a.jsonl", "sub/../a.jsonl.2"),
        ("a.jsonl", "same/a.jsonl.1"),
        ("a.jsonl.1", "a.jsonl"),
        ("a.jsonl", "link"),
        ("a.jsonl", "hard"),
        ("a.jsonl", "hard of 1"),
        ("same/sub/b.jsonl", "sub/b.jsonl.2"),
        ("link", "a.jsonl"),
    ],
)
@pytest.mark.parametrize("is_there", [False, True])
def test_two_outlets_write_into_no_file_of_each_other(tmp_path, first, second, is_there):
    (tmp_path / "sub").mkdir()
    (tmp_path / "same").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to("a.jsonl")
    if is_there or "hard" in second:
        for name, other in (("a.jsonl", "hard"), ("a.jsonl.1", "hard of 1")):
            (tmp_path / name).write_bytes(b"")
            os.link(tmp_path / name, tmp_path / other)
    (place, found, allowed), *more = clashes(tmp_path, lines_to(first, second))
    assert place == "stations[0].outlets[2].path" and more == [] and found.startswith(second)
    assert allowed == "another file than stations[0].outlets[1].path"


def test_what_is_only_alike_is_no_clash(tmp_path):
    assert clashes(tmp_path, lines_to("a.jsonl", "a.jsonl.3", "b.jsonl")) == []
    assert clashes(tmp_path, lines_to("a.jsonl", "a.jsonl.1", keep=0)) == []
    assert clashes(tmp_path, lines_to("7.spool.1", "7.spool.orders2", "7.sock")) == []


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("7.spool", "stations[0].spool.path"),
        ("./7.spool.orders", "stations[0].spool.path"),
        ("sub/../7.spool.sock", "stations[0].spool.path"),
        ("7.spool.new", "stations[0].spool.path"),
        ("8.spool", "stations[1].spool.path"),
        ("./8.spool.orders", "stations[1].spool.path"),
        ("cart.1", "this configuration"),
        ("same/cart.1", "this configuration"),
        ("cart", "this configuration"),
        ("./ca.pem", "toolsnet.tls_ca"),
        ("hook.token", "a secret"),
    ],
)
def test_an_outlet_writes_into_nothing_else_that_the_agent_has(tmp_path, path, other):
    (tmp_path / "sub").mkdir()
    (tmp_path / "same").symlink_to(tmp_path)
    (tmp_path / "ca.pem").write_text("")
    (tmp_path / "hook.token").write_text("secret\n")
    (tmp_path / "hook.token").chmod(0o600)
    hook = {"kind": "webhook", "url": "https://hook/", "token": {"file": "hook.token"}}
    outlets = [*lines_to(path, keep=1), hook]
    ((place, told, allowed),) = clashes(tmp_path, outlets, ("7.spool", "8.spool"), tls_ca="ca.pem")
    assert {place, allowed.removeprefix("another file than ")} == {"stations[0].outlets[1].path", other}
    assert path in told
