"""Signatures: what minisign makes is accepted here and the other way round; whatever is changed is refused."""

import base64
import os
import shutil
import subprocess

import pytest

from tools.update.minisign import PublicKey, SecretKey, Wrong, verify

OCTETS = b"a package" * 100
MINISIGN = os.environ.get("MINISIGN") or shutil.which("minisign")
with_minisign = pytest.mark.skipif(not MINISIGN, reason="Debian's minisign is not here (or $MINISIGN)")
DEADLINE_S = 60


@pytest.fixture
def key():
    return SecretKey.new()


@pytest.fixture
def keys(key):
    return {"plant.pub": PublicKey.read(key.public().text(), "plant.pub")}


def minisign(folder, *words, wants=0):
    done = subprocess.run([MINISIGN, *words], cwd=folder, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == wants, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_what_is_signed_is_accepted_and_its_comment_with_it(key, keys):
    assert verify(OCTETS, key.sign(OCTETS, "version 3"), "x.minisig", keys) == ("plant.pub", "version 3")


def test_a_secret_key_is_read_as_it_was_written(key):
    assert SecretKey.read(key.text(), "k.key") == key


def test_every_changed_bit_of_a_signature_is_refused(key, keys):
    lines = key.sign(OCTETS, "version 3").splitlines()
    for which in (1, 3):
        octets = base64.b64decode(lines[which])
        for bit in range(len(octets) * 8):
            changed = bytearray(octets)
            changed[bit // 8] ^= 1 << bit % 8
            text = "\n".join([*lines[:which], base64.b64encode(changed).decode(), *lines[which + 1 :]])
            with pytest.raises(Wrong):
                verify(OCTETS, text, "x.minisig", keys)


def test_a_refusal_says_why(key, keys):
    good = key.sign(OCTETS, "version 3")
    cases = {
        "the file is damaged, or is not the one": (OCTETS + b".", good),
        "the comment in x.minisig was changed": (OCTETS, good.replace("version 3", "version 4")),
        "x.minisig was made with key": (OCTETS, SecretKey.new().sign(OCTETS, "version 3")),
        "is no signature of minisign": (OCTETS, "PGP"),
    }
    for words, (octets, signature) in cases.items():
        with pytest.raises(Wrong, match=words):
            verify(octets, signature, "x.minisig", keys)


def test_a_stranger_with_the_number_of_our_key_is_refused(key, keys):
    stranger = SecretKey(key.number, SecretKey.new().seed)
    with pytest.raises(Wrong, match="does not fit"):
        verify(OCTETS, stranger.sign(OCTETS, "version 3"), "x.minisig", keys)


@pytest.mark.parametrize("text", ["", "x", "untrusted comment: x\n", "RWQ=\n", "Ä" * 56, "A" * 56])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(Wrong, match=r"k\.pub is no public key"):
        PublicKey.read(text, "k.pub")
    with pytest.raises(Wrong, match=r"k\.key is no secret key"):
        SecretKey.read(text, "k.key")


@with_minisign
def test_minisign_accepts_what_is_signed_here_and_refuses_it_changed(tmp_path, key):
    (tmp_path / "k.pub").write_text(key.public().text())
    (tmp_path / "file").write_bytes(OCTETS)
    (tmp_path / "file.minisig").write_text(key.sign(OCTETS, "version 3"))
    assert "version 3" in minisign(tmp_path, "-V", "-p", "k.pub", "-m", "file")
    (tmp_path / "file").write_bytes(OCTETS + b".")
    minisign(tmp_path, "-V", "-p", "k.pub", "-m", "file", wants=1)
    (tmp_path / "k.key").write_text(key.text())
    minisign(tmp_path, "-S", "-s", "k.key", "-m", "file")
    minisign(tmp_path, "-V", "-p", "k.pub", "-m", "file")


@with_minisign
def test_what_minisign_signs_is_accepted_and_its_secret_key_signs_here(tmp_path):
    minisign(tmp_path, "-G", "-W", "-p", "k.pub", "-s", "k.key")
    (tmp_path / "file").write_bytes(OCTETS)
    minisign(tmp_path, "-S", "-s", "k.key", "-m", "file", "-t", "version 3")
    public = PublicKey.read((tmp_path / "k.pub").read_text(), "k.pub")
    signature = (tmp_path / "file.minisig").read_text()
    assert verify(OCTETS, signature, "x.minisig", {"k.pub": public}) == ("k.pub", "version 3")
    secret = SecretKey.read((tmp_path / "k.key").read_text(), "k.key")
    assert secret.public() == public
    (tmp_path / "file.minisig").write_text(secret.sign(OCTETS, "ours"))
    assert "ours" in minisign(tmp_path, "-V", "-p", "k.pub", "-m", "file")
