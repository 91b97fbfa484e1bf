"""An archive that this user may not use: the file or folder that is closed is named, and what opens it does."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolcart.archive.database import database
from host_tests.support.archive import RESULT, place_in, reported

NOBODY = pwd.getpwnam("nobody").pw_uid
LEAVES_BOTH = (
    "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit(); os._exit(0)"
)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@contextmanager
def as_nobody():
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return reported(place_in(tmp_path_factory.mktemp("kept")), RESULT)


@pytest.fixture
def place(kept):
    """An archive of nobody's with the files that a process leaves that was killed, in a folder of nobody's."""
    with tempfile.TemporaryDirectory() as folder:
        place = f"{folder}/a.sqlite"
        shutil.copy(kept, place)
        subprocess.run([sys.executable, "-c", LEAVES_BOTH, place, "UPDATE TNMapStation SET Name = 'x'"], check=True)
        Path(f"{place}.lock").touch()
        for name in ("", "a.sqlite", "a.sqlite-wal", "a.sqlite-shm", "a.sqlite.lock"):
            os.chown(Path(folder, name), NOBODY, 0)
            os.chmod(Path(folder, name), 0o600 if name else 0o755)
        yield place


def tried(place, writes):
    """Use it as nobody; what is said, "" if that does."""
    with as_nobody():
        try:
            if writes:
                with database.writing(place):
                    return ""
            engine = database.connect(place, writes=False)
            engine.dispose()
        except database.DatabaseUnusable as wrong:
            return str(wrong)
    return ""


# What is closed, as seen from the archive's file: its end, whose it is, its mode; and who does not get in.
CLOSED = [
    ("", 0, 0o600, "both"),
    ("", 0, 0o644, "writer"),
    ("", NOBODY, 0, "both"),
    ("", NOBODY, 0o400, "writer"),
    ("-wal", 0, 0o600, "both"),
    ("-wal", NOBODY, 0, "both"),
    ("-wal", NOBODY, 0o400, "writer"),
    ("-shm", 0, 0o600, "both"),
    ("-shm", 0, 0o644, "writer"),
    (".lock", 0, 0o600, "writer"),
    (".lock", NOBODY, 0o400, "writer"),
]


@pytest.mark.parametrize(("end", "owner", "mode", "who"), CLOSED)
@pytest.mark.parametrize("writes", [False, True])
def test_the_file_that_is_closed_is_named_with_what_opens_it(place, end, owner, mode, who, writes):
    os.chown(place + end, owner, -1)
    os.chmod(place + end, mode)
    said = tried(place, writes)
    if who == "writer" and not writes:
        assert said == ""
        return
    cure = f"chmod u+rw {place}{end}" if owner == NOBODY else f"chown nobody {place}{end}"
    assert f"{place}{end}, " in said and f"`{cure}`" in said, said
    assert not re.search(r"belongs to nobody", said)
    subprocess.run(cure, shell=True, check=True)
    assert tried(place, writes) == ""


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize(("owner", "mode"), [(0, 0o755), (NOBODY, 0o555), (0, 0o700), (NOBODY, 0o600)])
def test_the_folder_that_is_closed_is_named_with_what_opens_it(kept, place, owner, mode, writes):
    for end in ("-wal", "-shm"):
        os.unlink(place + end)
    shutil.copy(kept, place)
    folder = os.path.dirname(place)
    os.chown(folder, owner, -1)
    os.chmod(folder, mode)
    said = tried(place, writes)
    assert re.search(f"nobody may not (make files in|enter) {folder}, ", said), said
    if owner == NOBODY:
        assert f"`chmod u+rwx {folder}`" in said
        subprocess.run(["chmod", "u+rwx", folder], check=True)
        assert tried(place, writes) == ""
    else:
        assert "belongs to root" in said and "chown" not in said


def test_who_may_make_no_archive_in_a_folder_learns_whose_it_is(place):
    folder = os.path.dirname(place)
    os.chown(folder, 0, -1)
    assert f"nobody may not make files in {folder}, which belongs to root" in tried(f"{folder}/new.sqlite", True)
    assert not os.path.exists(f"{folder}/new.sqlite")
