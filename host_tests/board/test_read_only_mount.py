"""What is said of a file on a mount which is read-only while its file system is not: no card is to blame."""

import errno
import os

import pytest

from toolcart.board.linux import mounts, service
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.board.linux.lines import LineFile

EROFS = OSError(errno.EROFS, os.strerror(errno.EROFS))
OF_A_CARD = "a card that wears out"


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Mounts as the process sees them; given whether the root's mount is `ro`, and whether its file system is."""

    def put(mount, file_system):
        listed = tmp_path / "mountinfo"
        listed.write_text(
            f"22 1 254:0 / / {mount},relatime shared:1 - ext4 /dev/root {file_system},errors=remount-ro\n"
            f"23 22 254:0 /state {tmp_path}/state rw,relatime - ext4 /dev/root {file_system}\n"
        )
        monkeypatch.setattr(mounts, "MOUNTS", str(listed))

    return put


@pytest.fixture
def as_service(tmp_path, monkeypatch):
    (tmp_path / "state").mkdir()
    (tmp_path / "cgroup").write_text("0::/system.slice/toolcart-7.service\n")
    monkeypatch.setattr(service, "GROUP", str(tmp_path / "cgroup"))
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/state")
    monkeypatch.setattr(os, "getuid", lambda: 1000)


def said(path):
    return linux_refusal.advice_for(EROFS, str(path))


def test_what_the_unit_keeps_a_service_from_writing_is_said_with_what_allows_it(tmp_path, seen, as_service):
    seen("ro", "rw")
    folder = tmp_path / "results"
    folder.mkdir()
    words = said(folder / "x.jsonl")
    assert words == (
        f"its file system can be written, but not by the service toolcart-7: name a file below {tmp_path}/state, or "
        f"put ReadWritePaths={folder} under [Service] with `sudo systemctl edit toolcart-7`, then "
        "`sudo systemctl restart toolcart-7`"
    )
    assert linux_refusal.of_number(errno.EROFS, str(folder / "x.jsonl")) == words, "of an outlet's file"
    (tmp_path / "link").symlink_to(folder / "y.jsonl")
    assert said(tmp_path / "link") == words, "where it would be made"
    assert linux_refusal.advice(linux_refusal.refusal_of(errno.EROFS), str(folder), pid=1) != words, (
        "who only asks about another process has other mounts than that"
    )
    odd = tmp_path / "50 % {full}"
    odd.mkdir()
    assert f'ReadWritePaths="{tmp_path}/50 %% {{full}}" under' in said(odd / "x")


def test_what_the_unit_lets_a_service_write_is_seen_as_at_its_start(seen, as_service, tmp_path):
    seen("ro", "rw")
    mounted = (tmp_path / "mountinfo").read_text().replace("/state rw", "/state ro")
    (tmp_path / "mountinfo").write_text(mounted)
    assert said(tmp_path / "state" / "a.spool").endswith(
        "it sees it as at its start; `sudo systemctl restart toolcart-7`"
    )


@pytest.mark.parametrize(("mount", "file_system"), [("rw", "ro"), ("ro", "ro"), ("rw", "rw")])
def test_a_file_system_that_is_read_only_itself_is_that_of_a_card_in_a_service_too(
    seen, as_service, mount, file_system
):
    seen(mount, file_system)
    assert OF_A_CARD in said("/srv/x.jsonl")


def test_a_mount_that_no_service_made_read_only_is_to_be_mounted_writable(tmp_path, seen, monkeypatch):
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    seen("ro", "rw")
    words = said(tmp_path / "x")
    assert OF_A_CARD not in words and "remount,rw" in words and "container" in words


def test_an_agent_says_so_of_a_spool_and_of_an_outlet_s_file(tmp_path, seen, as_service, monkeypatch):
    seen("ro", "rw")

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FlashUnusable) as raised:
        FileFlash(str(tmp_path / "a.spool"), 64 * 1024)
    words = f"its file system can be written, but not by the service toolcart-7: name a file below {tmp_path}/state"
    assert f"Read-only file system; {words}" in str(raised.value)
    file = LineFile(str(tmp_path / "x.jsonl"), 1000, 1)
    assert not file.open() and file.why == "Read-only file system"
    assert file.cure.startswith("its file system can be written, but not by the service toolcart-7")
