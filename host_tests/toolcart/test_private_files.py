"""toolcart/base/private_files.py: what only its owner may read is written whole, and never readable by others."""

import os
import stat

import pytest

from toolcart.base import private_files


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_its_owners_alone_whatever_lay_there_before(tmp_path):
    file, part = tmp_path / "kept", tmp_path / "kept.part"
    for path in (file, part):  # an old one, and the rest of a write that was cut off
        path.write_text("old", encoding="utf-8")
        path.chmod(0o644)
    private_files.put(file, "naïve")
    assert private_files.text_of(file) == "naïve" and mode_of(file) == 0o600
    assert not part.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "kept"
    private_files.put(file, "old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        private_files.put(file, "new")
    assert private_files.text_of(file) == "old"


def test_a_new_file_takes_no_other_ones_place(tmp_path):
    private_files.make(tmp_path / "a.key", b"1")
    private_files.make(tmp_path / "a.pub", b"2", 0o644)
    assert mode_of(tmp_path / "a.key") == 0o600 and mode_of(tmp_path / "a.pub") & 0o600 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("a.key", "link"):
        with pytest.raises(FileExistsError):
            private_files.make(tmp_path / name, b"3")
    assert (tmp_path / "a.key").read_bytes() == b"1" and not (tmp_path / "elsewhere").exists()


def test_what_others_may_read_is_not_read(tmp_path):
    file = tmp_path / "token"
    file.write_bytes(b"secret")
    file.chmod(0o640)
    with pytest.raises(private_files.PrivateFileError, match="chmod 600"):
        private_files.text_of(file)
    assert private_files.text_of(file, handed=True) == "secret"
    file.chmod(0o600)
    file.write_bytes(b"\xff")
    with pytest.raises(private_files.PrivateFileError, match="is no text"):
        private_files.text_of(file)
