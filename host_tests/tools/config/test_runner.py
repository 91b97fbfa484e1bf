"""The user that a service runs as, found from its unit; what a check does as that user, and that it is itself again."""

import os

import pytest

from toolcart.tools.config import file as config_file
from toolcart.tools.config import runner
from toolcart.tools.config.file import ConfigurationError
from host_tests.support.running import written


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
    units(unit(cart_files, "User=nobody", "User=", "Group="))
    assert runner.user_of(cart_files).uid == cart_files.parent.stat().st_uid, "an empty one takes back the others"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_root_is_the_user_for_a_while_and_root_again_whatever_happens(cart_files, units, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "find_spec", lambda _name: None)  # whoever may read the Python of the tests
    monkeypatch.setattr(runner.sysconfig, "get_path", lambda _name: str(tmp_path / "none"))
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
        assert acting.uid == 0 and os.geteuid() == 0 and acting.words == "root, as nobody cannot read this program"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("part", ["encodings", "lib-dynload"])
def test_a_user_that_cannot_read_python_itself_is_not_acted_as(cart_files, units, monkeypatch, tmp_path, part):
    units(unit(cart_files, "User=nobody"))
    (tmp_path / "home" / part).mkdir(parents=True)
    (tmp_path / "home").chmod(0o700)
    monkeypatch.setattr(runner.sysconfig, "get_path", lambda _name: str(tmp_path / "home"))
    with runner.acting_as(runner.user_of(cart_files)) as acting:
        assert acting.uid == 0 and os.geteuid() == 0 and acting.words == "root, as nobody cannot read this program"


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
    except ConfigurationError as error:
        return error.mistakes
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
    (place, value, allowed), *more = clashes(tmp_path, lines_to(first, second))
    assert place == "stations[0].outlets[2].path" and more == [] and value.startswith(second)
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
    ((place, value, allowed),) = clashes(tmp_path, outlets, ("7.spool", "8.spool"), tls_ca="ca.pem")
    assert {place, allowed.removeprefix("another file than ")} == {"stations[0].outlets[1].path", other}
    assert path in value
