"""The command that is to let the agent's user read a file works word by word, also for a user without a name."""

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from toolcart.base.path_access import not_allowed
from toolcart.board.linux.refusal import not_readable
from toolcart.tools.config import file as config_file
from toolcart.tools.config import secrets

NOBODY = 65534
NAMELESS = 22001

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


def of_configuration(path):
    with pytest.raises(config_file.ConfigurationError) as raised:
        config_file.read(path)
    return str(raised.value)


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
