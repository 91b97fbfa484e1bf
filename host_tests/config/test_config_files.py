"""Which files a configuration consists of, when one has changed, and as whom root looks at them."""

import json
import os

import pytest

from toolcart.tools.config import files, runner
from toolcart.tools.config.file import Wrong

TREE = {
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575, "tls_ca": "ca.pem"},
    "stations": [
        {
            "number": 1,
            "controller": {"host": "192.0.2.10"},
            "spool": {"path": "a.spool"},
            "outlets": [
                {"kind": "toolsnet"},
                {"kind": "mqtt", "host": "b", "user": "u", "password": {"file": "secret"}, "tls_ca": "b.pem"},
            ],
        }
    ],
}
NAMED = ("cart.json", "secret", "ca.pem", "b.pem")


@pytest.fixture
def cart(tmp_path):
    for name in NAMED:
        (tmp_path / name).write_text(json.dumps(TREE) if name == "cart.json" else name)
    (tmp_path / "secret").chmod(0o600)
    return tmp_path / "cart.json"


@pytest.mark.parametrize("name", NAMED)
def test_each_file_that_is_named_counts_by_its_content(cart, name):
    read, path = files.Files(cart), cart.parent / name
    path.touch()
    assert read.changed() == []
    before, state = path.read_text(), read.state()
    path.write_text(before + " ")
    assert read.changed() == [str(path)] and read.state() != state
    path.write_text(before)
    assert read.changed() == [] and read.state() == state
    path.unlink()
    assert read.changed() == [str(path)]


def test_a_secret_counts_as_read_once_it_can_be_used(cart):
    secret = cart.parent / "secret"
    secret.chmod(0o644)
    read = files.Files(cart)
    secret.chmod(0o600)
    assert read.changed() == []
    secret.write_text("another")
    assert read.changed() == [str(secret)]


def test_the_digest_is_of_the_configuration_alone(cart):
    read = files.Files(cart)
    (cart.parent / "secret").write_text("another")
    assert read.digest == files.Files(cart).digest and len(read.digest) == 64
    cart.write_text("{}")
    assert read.digest != files.Files(cart).digest
    assert files.Files(cart.parent / "none.json").digest == ""


def test_a_file_that_is_written_while_it_is_read_is_read_again(cart, monkeypatch):
    real, count = files.config_file.read_to_run, []

    def reads(path):
        if not count:
            count.append(1)
            cart.write_text(json.dumps(TREE).replace("a.spool", "b.spool"))
            return {"old": True}
        return real(path)

    monkeypatch.setattr(files.config_file, "read_to_run", reads)
    configuration, read = files.read_to_run(cart)
    assert configuration["stations"][0]["spool"]["path"] == "b.spool" and read.changed() == []


def test_what_is_no_configuration_has_itself_alone(cart):
    for text in ("[]", "{", '{"stations": 7}', '{"stations": [7, {"outlets": [1]}]}'):
        cart.write_text(text)
        with pytest.raises(Wrong):
            files.read_to_run(cart)


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


def unit(cart, *lines):
    return "\n".join(["[Service]", f"ExecStart=/usr/bin/toolcart run --plain --config {cart}", *lines, ""])


def test_the_unit_that_names_the_configuration_says_who_runs_it(cart, units):
    assert runner.unit_of(cart) is None
    units(unit(cart, "User=nobody", "SupplementaryGroups=tty 7"))
    name, settings = runner.unit_of(cart)
    user = runner.user_of(cart)
    assert name == "toolcart" and settings["User"] == ["nobody"] and user.name == "nobody" and 7 in user.groups
    assert runner.unit_of(cart.parent / "other.json") is None
    units("[Service]\nUser=\nUser=daemon\n", name="toolcart.service.d/user.conf")
    assert runner.user_of(cart).name == "daemon", "as in docs/watching.md"
    units(unit("/other.json"), folder=0)
    assert runner.unit_of(cart) is None, "the one in /etc hides the package's"


def test_a_dynamic_user_is_the_one_that_owns_the_folder(cart, units):
    units(unit(cart, "DynamicUser=yes"))
    assert runner.user_of(cart).uid == cart.parent.stat().st_uid
    units(unit(cart, "User=who-is-that"))
    assert runner.user_of(cart).uid == cart.parent.stat().st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_root_is_the_user_for_a_while_and_root_again_whatever_happens(cart, units):
    units(unit(cart, "User=nobody"))
    user = runner.user_of(cart)
    with pytest.raises(RuntimeError), runner.acting_as(user) as acting:
        assert acting == user and os.geteuid() == user.uid and os.getegid() == user.gid
        raise RuntimeError
    assert (os.geteuid(), os.getegid()) == (0, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_user_that_cannot_read_this_program_is_not_acted_as(cart, units, monkeypatch, tmp_path):
    units(unit(cart, "User=nobody"))
    tmp_path.chmod(0o700)
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    with runner.acting_as(runner.user_of(cart)) as acting:
        assert acting.uid == 0 and os.geteuid() == 0
