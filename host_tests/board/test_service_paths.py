"""What a process of a service says of paths that its unit keeps from it, or empties: it is seen in its mounts."""

import errno
import os

import pytest

from toolcart.base.path_access import obstacle
from toolcart.board.linux import mounts, service
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.board.linux.lines import LineFile
from toolcart.board.linux.tls import TlsUnusable, context_of
from toolcart.tools.config import secrets
from host_tests.support.unseen import hide

SEEN = """\
22 1 254:0 / / ro,relatime shared:1 - ext4 /dev/root rw
23 22 254:0 {state} {state} rw,relatime - ext4 /dev/root rw
24 22 0:22 /systemd/inaccessible/dir {hidden} ro,nosuid,noexec - tmpfs tmpfs rw,mode=755
25 22 254:0 /tmp/systemd-private-0fa-toolcart.service-Xy/tmp {private} rw - ext4 /dev/root rw
"""
HIDDEN = "the service toolcart cannot see {}, by its unit (ProtectHome= or InaccessiblePaths=)"
PRIVATE = "the service toolcart has a {} of its own, which is deleted whenever it ends (PrivateTmp=)"
RUNTIME = "{} is of the service toolcart alone, and is deleted when it ends or the machine restarts (RuntimeDirectory=)"
WORDS = {"hidden": HIDDEN, "private": PRIVATE, "runtime": RUNTIME}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Folders of a service's process, by what they are to it."""
    found = {name: tmp_path / name for name in ("state", "other", *WORDS)}
    for folder in found.values():
        folder.mkdir()
    (tmp_path / "mountinfo").write_text(SEEN.format(**found))
    (tmp_path / "cgroup").write_text("0::/system.slice/toolcart.service\n")
    monkeypatch.setattr(mounts, "MOUNTS", str(tmp_path / "mountinfo"))
    monkeypatch.setattr(service, "GROUP", str(tmp_path / "cgroup"))
    monkeypatch.setenv("STATE_DIRECTORY", str(found["state"]))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(found["runtime"]))
    return found


@pytest.fixture(params=sorted(WORDS))
def lost(request, folders):
    """A folder that the service is kept from, and the words for it."""
    folder = folders[request.param]
    return folder, WORDS[request.param].format(folder)


def test_a_path_that_the_unit_keeps_from_the_service_is_told_by_its_mounts(folders, lost):
    folder, words = lost
    assert service.kept_from(folder / "nowhere" / "a.spool") == words
    (folders["other"] / "link").symlink_to(folder / "a.spool")
    assert service.kept_from(folders["other"] / "link") == words, "it is where the link leads"
    assert service.kept_from(folders["other"] / "a") == service.kept_from(folders["state"] / "a") == ""
    assert service.kept_from(f"{folder}s") == ""
    assert service.instead() == f"a file below {folders['state']}"


@pytest.mark.parametrize("what", ["no service", "no state folder"])
def test_who_is_of_no_such_service_is_kept_from_nothing(lost, tmp_path, monkeypatch, what):
    if what == "no service":
        (tmp_path / "cgroup").write_text("0::/user.slice/session-2.scope\n")
    else:
        monkeypatch.delenv("STATE_DIRECTORY")
    assert service.kept_from(lost[0] / "a") == ""


def test_a_check_in_the_confinement_of_a_service_speaks_of_that_one(lost, monkeypatch, tmp_path):
    (tmp_path / "cgroup").write_text("0::/system.slice/run-u7.service\n")
    monkeypatch.setenv(service.CHECKED, "toolcart")
    assert service.kept_from(lost[0] / "a") == lost[1]


def test_an_agents_spool_and_an_outlets_file_are_refused_there_and_nothing_is_made(lost, folders):
    folder, words = lost
    with pytest.raises(FlashUnusable) as refused:
        FileFlash(str(folder / "a.spool"), 65536)
    assert str(refused.value) == f"{folder}/a.spool: {words}; name a file below {folders['state']} in spool.path"
    lines = LineFile(str(folder / "x.jsonl"), 4096, 1)
    assert not lines.open()
    assert (lines.why, lines.cure) == (words, f"name a file below {folders['state']}")
    assert os.listdir(folder) == []
    assert LineFile(str(folders["state"] / "x.jsonl"), 4096, 1).open()


def test_no_owner_is_named_for_what_the_unit_hides(folders, monkeypatch):
    """There is an empty folder of root's, which nobody may enter, in place of what is hidden."""
    folder = folders["hidden"]
    hide(monkeypatch, folder, errno.EACCES)
    assert obstacle(folder / "a.spool") == HIDDEN.format(folder)
    assert secrets.from_file(folder / "pw")[0] == f"{folder}/pw: {HIDDEN.format(folder)}"


def test_a_secret_and_a_certificate_that_the_service_does_not_find_name_its_unit(lost):
    folder, words = lost
    assert secrets.from_file(folder / "pw")[0] == f"{folder}/pw: {words}"
    with pytest.raises(TlsUnusable) as unusable:
        context_of(str(folder), {"tls_ca": "ca.pem", "tls_certificate": "", "tls_key": ""})
    assert unusable.value.reason == f"{folder}/ca.pem: {words}"
