"""What `toolcart flash` makes of certificates: DER under names of their own, or a mistake with setting and file."""

import datetime
import json
import os
import ssl
import subprocess
from dataclasses import replace

import pytest

from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_OTHER
from toolcart.tools.config import board_certificates, files
from toolcart.tools.config import file as config_file
from toolcart.tools.flash import package
from host_tests.support.running import toolcart
from host_tests.support.tls import OURS, THEIRS, der
from host_tests.tools.flash.fake_board import PICO, FakeBoard
from host_tests.tools.flash.test_flash_tool import CART, run

trustme = pytest.importorskip("trustme")


def write(folder, name, content, mode=0o600):
    (folder / name).write_bytes(content)
    (folder / name).chmod(mode)
    return name


@pytest.fixture
def made(tmp_path):
    """The part `toolsnet` of a configuration, whose files lie in the folder."""
    own = OURS.issue_cert("cart-7")
    write(tmp_path, "ca.pem", OURS.cert_pem.bytes())
    write(tmp_path, "own.pem", own.cert_chain_pems[0].bytes())
    write(tmp_path, "own.key", own.private_key_pem.bytes())
    return {"tls_ca": "ca.pem", "tls_name": None, "tls_certificate": "own.pem", "tls_key": "own.key"}


def mistake(folder, toolsnet, **other):
    with pytest.raises(board_certificates.CertificateError) as wrong:
        board_certificates.for_board(folder, {**toolsnet, **other})
    place, value, allowed = wrong.value.mistake
    assert allowed and b"PRIVATE KEY" not in value.encode()
    return place.removeprefix("toolsnet."), value


def test_all_is_brought_as_der_from_pem_as_from_der(tmp_path, made):
    octets = {name: der((tmp_path / name).read_bytes()) for name in ("ca.pem", "own.pem", "own.key")}
    files, named = board_certificates.for_board(tmp_path, made)
    assert named == {"tls_ca": "tls_ca.der", "tls_certificate": "tls_own.der", "tls_key": "tls_key.der"}
    assert list(files.values()) == list(octets.values()) and set(files) == set(named.values())
    for name, content in octets.items():
        write(tmp_path, name, content)
    assert board_certificates.for_board(tmp_path, made)[0] == files


def test_without_tls_there_is_nothing_and_without_our_certificate_only_the_authorities(tmp_path, made):
    assert board_certificates.for_board(tmp_path, {**made, "tls_ca": None}) == ({}, {})
    files, named = board_certificates.for_board(tmp_path, {**made, "tls_certificate": None, "tls_key": None})
    assert list(files) == ["tls_ca.der"] and list(named) == ["tls_ca"]


def test_all_authorities_of_a_file_are_brought(tmp_path, made):
    both = OURS.cert_pem.bytes() + b"words between\n" + THEIRS.cert_pem.bytes()
    write(tmp_path, "ca.pem", both)
    files, _ = board_certificates.for_board(tmp_path, made)
    assert files["tls_ca.der"] == der(OURS.cert_pem.bytes()) + der(THEIRS.cert_pem.bytes())
    write(tmp_path, "ca.pem", files["tls_ca.der"])
    assert board_certificates.for_board(tmp_path, made)[0] == files


def test_a_key_in_the_certificate_s_file_becomes_a_file(tmp_path, made):
    both = (tmp_path / "own.key").read_bytes() + (tmp_path / "own.pem").read_bytes()
    write(tmp_path, "both.pem", both)
    files, named = board_certificates.for_board(tmp_path, {**made, "tls_certificate": "both.pem", "tls_key": None})
    assert files == board_certificates.for_board(tmp_path, made)[0] and named["tls_key"] == "tls_key.der"


def test_keys_of_every_kind_are_known(tmp_path, made):
    for kind in (trustme.KeyType.RSA, trustme.KeyType.ECDSA):
        own = OURS.issue_cert("cart-7", key_type=kind)
        write(tmp_path, "own.pem", own.cert_chain_pems[0].bytes())
        key = own.private_key_pem.bytes()
        for content in (key, der(key)):
            write(tmp_path, "own.key", content)
            assert board_certificates.for_board(tmp_path, made)[0]["tls_key.der"] == der(key)


def test_authorities_of_no_use_are_reported(tmp_path, made):
    assert mistake(tmp_path, made, tls_ca="gone.pem") == ("tls_ca", f"{tmp_path}/gone.pem: No such file or directory")
    half = OURS.cert_pem.bytes()[:400]
    cut = der(OURS.cert_pem.bytes())[:-1]
    for content in (b"", b"no certificate", b"\x30", b"\x30\x82\x01", half, cut, b"\x30\x00" + cut):
        write(tmp_path, "odd.pem", content)
        assert mistake(tmp_path, made, tls_ca="odd.pem")[0] == "tls_ca"
    write(tmp_path, "odd.pem", b"\x30\x03\x02\x01\x07")  # DER, and no certificate
    assert mistake(tmp_path, made, tls_ca="odd.pem")[1].startswith("odd.pem: ")


def test_certificates_and_keys_of_no_use_are_reported(tmp_path, made):
    chain = OURS.create_child_ca().issue_cert("cart-7")
    write(tmp_path, "chain.pem", b"".join(block.bytes() for block in chain.cert_chain_pems))
    assert mistake(tmp_path, made, tls_certificate="chain.pem")[1].startswith("chain.pem: 2 certificates")
    assert mistake(tmp_path, made, tls_key="gone.key")[0] == "tls_key"
    write(tmp_path, "wrong.key", THEIRS.issue_cert("x").private_key_pem.bytes())
    assert "no private key that fits own.pem" in mistake(tmp_path, made, tls_key="wrong.key")[1]
    assert "no private key that fits" in mistake(tmp_path, made, tls_key="ca.pem")[1]
    (tmp_path / "own.pem").chmod(0o644)
    nowhere = f"none, and {tmp_path / 'own.pem'} holds no private key that fits"
    assert mistake(tmp_path, made, tls_key=None) == ("tls_key", nowhere)
    assert "no private key that fits" in mistake(tmp_path, made, tls_key="own.pem")[1]
    for words in (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED"):
        write(tmp_path, "locked.key", words)
        assert "locked with a password" in mistake(tmp_path, made, tls_key="locked.key")[1]


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_key_that_others_may_read_is_reported(tmp_path, made):
    (tmp_path / "own.key").chmod(0o640)
    assert f"chmod 600 {tmp_path}/own.key" in mistake(tmp_path, made)[1]


def test_keys_that_mbedtls_has_not_on_boards_are_reported_by_name(tmp_path, made):
    for number, name in ((b"\x70", "Ed25519"), (b"\x71", "Ed448")):
        marked = b"\x30\x07\x06\x05" + b"\x06\x03\x2b\x65" + number
        write(tmp_path, "edwards.der", marked)
        assert name in mistake(tmp_path, made, tls_ca="edwards.der")[1]


def test_a_key_that_a_board_computes_too_long_with_is_reported(tmp_path, made):
    from cryptography import x509  # trustme brings it
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, 3072)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cart-7")])
    now = datetime.datetime.now(datetime.timezone.utc)
    request = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + datetime.timedelta(1))
    write(tmp_path, "own.pem", request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    write(tmp_path, "own.key", key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    assert "more than 2048 bits" in mistake(tmp_path, made)[1]


# -- the version, and the board ------------------------------------------------------------------------------------


@pytest.fixture
def cart(tmp_path, made):
    path = tmp_path / "cart.json"
    path.write_text(json.dumps({**CART, "toolsnet": {**CART["toolsnet"], **made}}))
    write(tmp_path, "wifi.password", b"geheim-4711\n")
    return path


@pytest.mark.parametrize("setting", ["tls_ca", "tls_certificate"])
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_more_certificates_than_a_board_has_memory_for_are_refused(tmp_path, made, setting, form):
    """400 were good, and what they were to be compared with in the board's heap."""
    one = OURS.cert_pem.bytes() if form == "PEM" else der(OURS.cert_pem.bytes())
    each = len(der(OURS.cert_pem.bytes()))
    most = board_certificates.CERTIFICATES_BYTES_MOST // each
    write(tmp_path, "many.pem", one * (most + 1))
    words = f"many.pem: {most + 1} certificates of {each * (most + 1)} bytes in DER; a board has memory for 8192"
    assert mistake(tmp_path, made, **{setting: "many.pem"}) == (setting, words)
    write(tmp_path, "many.pem", one * most)
    if setting == "tls_ca":
        assert (
            len(board_certificates.for_board(tmp_path, {**made, "tls_ca": "many.pem"})[0]["tls_ca.der"]) == each * most
        )


def test_check_flash_and_mip_refuse_too_many_authorities(cart, tmp_path):
    write(tmp_path, "ca.pem", OURS.cert_pem.bytes() * 400)
    assert [place for place, *_ in files.check(cart).lacks] == ["toolsnet.tls_ca"]
    board = FakeBoard()
    assert run(board, cart) == EXIT_OTHER and board.files == {}
    for words in (("config", "check", cart), ("mip", tmp_path / "folder", "--board", "rp2", "--config", cart)):
        done = toolcart(*words, code=EXIT_OTHER)
        assert "a board has memory for 8192" in done.stdout + done.stderr


def test_only_a_version_with_tls_carries_it_and_its_certificates(cart, tmp_path):
    version = package.build("rp2", "armv6m", cart)
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(CART))
    without = package.build("rp2", "armv6m", plain)
    assert set(version.files) - set(without.files) == {*board_certificates.FILES.values(), *board_certificates.MODULES}
    section = json.loads(version.files["config.json"])["toolsnet"]
    assert [section[name] for name in board_certificates.FILES] == list(board_certificates.FILES.values())
    frozen = package.build("rp2", "armv6m", cart, package.core_digest("rp2"))
    assert set(frozen.files) == {"config.json", *board_certificates.FILES.values()}


@pytest.mark.parametrize("content", [b"no certificate", None])
def test_a_certificate_of_no_use_here_is_told_alike_by_every_command(cart, tmp_path, capsys, content):
    (tmp_path / "ca.pem").unlink()
    if content is not None:
        write(tmp_path, "ca.pem", content)
    with pytest.raises(config_file.CannotRunHere) as wrong:
        package.checked_config(cart, "rp2")
    [mistake] = wrong.value.mistakes
    assert mistake[0] == "toolsnet.tls_ca" and files.check(cart).lacks == [mistake]
    toolcart("config", "check", cart, code=EXIT_OTHER)
    board = FakeBoard()
    assert run(board, str(cart)) == EXIT_OTHER and not board.held
    assert f"{config_file.sentence(*mistake[1:])}" in capsys.readouterr().err


def test_der_is_good_for_every_command(cart, tmp_path):
    write(tmp_path, "ca.pem", der((tmp_path / "ca.pem").read_bytes()))
    assert package.checked_config(cart, "rp2") and files.check(cart).lacks == []


def test_firmware_without_tls_is_refused_with_file_and_place_before_anything_is_changed(cart, capsys):
    board = FakeBoard(replace(PICO, free_bytes=1 << 22))
    assert run(board, str(cart)) == EXIT_CONFIGURATION
    told = capsys.readouterr().err
    assert f"{cart}: 1 mistake\n  toolsnet.tls_ca  found" in told and "no module tls\nNothing was changed" in told
    assert board.files == {}


def test_the_private_key_is_in_no_output(cart, tmp_path, capsys):
    board = FakeBoard(replace(PICO, free_bytes=1 << 22, has_tls=True))
    run(board, str(cart), dry_run=True)
    output = capsys.readouterr()
    key = (tmp_path / "own.key").read_text().splitlines()[1]
    assert key not in output.out + output.err and "tls_key.der" in output.err


def test_what_openssl_makes_is_taken(tmp_path, made):
    """The line of docs/boards.md, where the program is there."""
    try:
        subprocess.run(
            ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", str(tmp_path / "ec.key")], check=True
        )
        subprocess.run(
            ["openssl", "req", "-new", "-x509", "-key", str(tmp_path / "ec.key"), "-subj", "/CN=cart-7"]
            + ["-out", str(tmp_path / "ec.pem")],
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl here")
    (tmp_path / "ec.key").chmod(0o600)
    files, _ = board_certificates.for_board(tmp_path, {**made, "tls_certificate": "ec.pem", "tls_key": "ec.key"})
    assert ssl.DER_cert_to_PEM_cert(files["tls_own.der"]) == (tmp_path / "ec.pem").read_text()
