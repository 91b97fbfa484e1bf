"""Which file systems do not last: the mount that covers a path, whatever lies below it and however it is spelled."""

import pytest

from toolcart.board.linux import mounts as linux_mounts

MOUNTS = r"""22 1 254:0 / / rw - ext4 /dev/root rw
23 22 0:20 / /run rw shared:2 - tmpfs tmpfs rw
24 22 0:21 / /mnt/a\040card rw - ext4 /dev/sda1 rw
25 22 0:22 / /srv rw - ext4 /dev/sdb1 rw
26 25 0:23 / /srv rw - overlay none rw,lowerdir=/x
27 22 0:24 / /mnt rw - ramfs none rw
"""


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/mnt/a card/7.spool", ""),
        ("/srv/7.spool", "overlay"),
    ],
)
def test_the_innermost_mount_that_is_seen_counts(tmp_path, monkeypatch, path, word):
    listed = tmp_path / "mountinfo"
    listed.write_text(MOUNTS)
    monkeypatch.setattr(linux_mounts, "MOUNTS", str(listed))
    monkeypatch.setattr(linux_mounts.os.path, "exists", lambda _: True)
    monkeypatch.setattr(linux_mounts.os.path, "realpath", lambda given: given)
    told = linux_mounts.fleeting(path)
    assert word in told and bool(told) == bool(word)


def test_without_a_list_nothing_is_said(monkeypatch):
    monkeypatch.setattr(linux_mounts, "MOUNTS", "/nothing")
    assert linux_mounts.fleeting("/run") == ""
