"""The command that is to let the agent's user read a file works word by word, also for a user without a name."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from toolcart.base.path_access import not_allowed
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.board.linux.refusal import not_readable
from toolcart.tools.config import file as config_file
from toolcart.tools.config import runner, secrets
from toolcart.tools.doctor import agent as doctor_agent
from toolcart.tools.doctor import local
from toolcart.tools.status import without_socket
from host_tests.support.running import cart_of

NOBODY = 65534
NAMELESS = 22001

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


def of_configuration(path):
    with pytest.raises(config_file.ConfigurationError) as raised:
        config_file.read(path)
    return str(raised.value)


def reports_of(folder, user, is_agents=True):
    """What status, doctor and the agent's own start say of the spool of this folder's configuration, to this user."""
    config, path = str(Path(folder, "cart.json")), Path(folder, "cart.spool")
    os.seteuid(user)
    try:
        status = without_socket.found(config + ".sock", "nobody answers")
        [agent] = doctor_agent.examine(config, None, None, [path])
        spool = local._file("spool", path, {"owner": (3, 1, 1)}, agent=runner.user_of(config).uid)
        said = [" ".join(status), f"{agent.words} {agent.hint}", f"{spool.words} {spool.hint}"]
        if is_agents:
            with pytest.raises(FlashUnusable) as refused:
                FileFlash(str(path), 65536, owner=(3, 1, 1))
            said.append(str(refused.value))
    finally:
        os.seteuid(0)
    return said


@contextlib.contextmanager
def spool_of(user):
    """A folder with a configuration and its spool; folder and spool belong to this user."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        Path(folder, "cart.json").write_text(json.dumps(cart_of(number=1)))
        path = Path(folder, "cart.spool")
        FileFlash(str(path), 65536, owner=(3, 1, 1)).close()
        for name in (folder, path):
            os.chown(name, user, -1)
        yield folder, path


@pytest.mark.parametrize("is_root", [False, True])
@pytest.mark.parametrize(("owner", "mode"), [(0, 0o600), (NOBODY, 0), (NOBODY, 0o200), (0, 0), (NAMELESS, 0o600)])
@pytest.mark.parametrize("user", [NOBODY, 22002])
def test_a_spool_that_the_agents_user_may_not_open_has_a_cure_that_can_be_typed(
    monkeypatch, user, owner, mode, is_root
):
    monkeypatch.setattr(linux_refusal.os, "getuid", lambda: 0 if is_root else user)
    owner = user if owner == NOBODY else owner
    with spool_of(user) as (folder, path):
        os.chown(path, owner, -1)
        path.chmod(mode)
        name, whose = linux_refusal.user_name(user), linux_refusal.user_name(owner)
        reports = reports_of(folder, user)
        for said in reports:
            words = f"{name} may not open {path}, which belongs to {whose} and has mode {mode:03o}"
            assert words in said, said
            assert "Its agent's user" not in said and "Only its agent's user" not in said, said
            [cure] = re.findall(r"`((?:sudo )?ch[^`]*)`", said)
            assert ("sudo" in cure) == (not is_root and owner != user), cure
            assert (f"run the agent as {whose}" in said.lower()) == (owner != user), said
        subprocess.run(cure.replace("sudo ", ""), shell=True, check=True)
        os.seteuid(user)
        try:
            FileFlash(str(path), 65536, owner=(3, 1, 1)).close()
        finally:
            os.seteuid(0)


def test_who_is_not_the_agents_user_hears_who_that_is(monkeypatch):
    monkeypatch.setattr(linux_refusal.os, "getuid", lambda: NAMELESS)
    with spool_of(NOBODY) as (folder, path):
        for said in reports_of(folder, NAMELESS, is_agents=False):
            assert f"user {NAMELESS} may not open {path}, which belongs to nobody and has mode 600" in said
            assert "sk as nobody, the user of its agent, or with sudo" in said and "chown" not in said, said


VOICES = {
    "configuration": of_configuration,
    "secret": lambda path: " ".join(secrets.from_file(path)),
    "certificate": lambda path: not_readable(str(path)),
    "archive": lambda path: not_allowed(path, write=False),
}


@pytest.mark.parametrize("name", ["cart.json", "a cart's $x.json"])
@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize(
    ("user", "owner", "mode"),
    [(NOBODY, 0, 0o600), (NOBODY, NOBODY, 0), (NAMELESS, 0, 0o600), (NAMELESS, NAMELESS, 0), (NAMELESS, 22002, 0o600)],
)
def test_the_command_that_is_named_can_be_given_as_it_stands(voice, user, owner, mode, name):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, name)
        path.write_text("{}")
        os.chown(path, owner, -1)
        path.chmod(mode)
        os.seteuid(user)
        try:
            said = VOICES[voice](path)
        finally:
            os.seteuid(0)
        [cure] = re.findall(rf"ch(?:own|mod) \S+ {re.escape(shlex.quote(str(path)))}", said)
        subprocess.run(cure, shell=True, check=True)
        os.seteuid(user)
        try:
            assert path.read_text() == "{}"
        finally:
            os.seteuid(0)


def test_a_secret_that_others_may_read_is_closed_by_the_command_that_is_named():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "the broker's password")
        path.write_text("secret")
        path.chmod(0o644)
        _, allowed = secrets.from_file(path)
        subprocess.run(allowed[allowed.index("chmod") :], shell=True, check=True)
        assert secrets.from_file(path) == "secret"
