"""The certificates that a configuration names, prepared for a chip: in DER, under fixed names, checked.

Rules
1. MicroPython's mbedtls takes DER everywhere and PEM on some boards, so a board gets DER. The authorities are in one
   file, one after the other; of our own there is only one, since mbedtls reads one from DER.
2. Mistakes are reported before a board is touched: place, found, allowed (toolcart.tools.config.file).
3. OpenSSL judges: if it cannot read something, or two things do not fit together, no board will do better. What boards'
   mbedtls is built without (Edwards curves) is rejected by name, and so is a key whose signature would take longer than
   the watchdog allows: an RP2040 is said to need 23 s for a handshake with 4096-bit RSA
   (micropython/micropython#13332).
4. A private key is given to the board as it is. Nothing on a chip protects it from whoever holds the board.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shlex
import ssl
import stat
import tempfile
from pathlib import Path

from toolcart.board.linux import regular_file
from toolcart.board.linux.plurals import counted

Mistake = tuple[str, str, str]  # place, found, allowed
FILES = {"tls_ca": "tls_ca.der", "tls_certificate": "tls_own.der", "tls_key": "tls_key.der"}
MODULES = ("toolcart/board/tls.mpy",)  # loaded if toolsnet.tls_ca is set; a version without it does not have them

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_CERTIFICATE = "CERTIFICATE"
_KEYS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
_LOCKED = (b"ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")
_EDWARDS = {b"\x06\x03\x2b\x65\x70": "Ed25519", b"\x06\x03\x2b\x65\x71": "Ed448"}  # their numbers in DER (RFC 8410)
_RSA_BYTES_MOST = 1300  # of a private key in DER: 2048 bits take some 1,200, 3072 some 1,800, curves below 300
# In DER, of one file: a board reads it as a whole, and mbedtls keeps a copy. An ESP32 without PSRAM has 22,144 bytes of
# heap free, of which TLS takes 6,480 besides (docs/boards.md). These are some seven authorities of RSA, or 15 of P-256.
CERTIFICATES_BYTES_MOST = 8192
_ALLOWED = {
    "tls_ca": "a file with certificates in PEM or DER",
    "tls_certificate": "a file with one certificate in PEM or DER",
    "tls_key": "a file with the certificate's private key in PEM or DER, not locked, readable by its owner alone",
}


class CertificateError(Exception):
    """A file cannot be used on a board; `mistake` says which and why."""

    def __init__(self, setting: str, problem: str) -> None:
        self.mistake: Mistake = (f"toolsnet.{setting}", problem, _ALLOWED[setting])
        super().__init__(problem)


def for_board(folder: Path, toolsnet: dict) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return a board's files, and what its configuration calls them; none without `tls_ca`.

    What a board cannot use is a CertificateError.
    """
    if not toolsnet["tls_ca"]:
        return {}, {}
    authorities = _certificates(folder, toolsnet, "tls_ca")
    octets = b"".join(authorities)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=octets)
    except ssl.SSLError as error:
        raise CertificateError("tls_ca", f"{toolsnet['tls_ca']}: {error.reason or error}") from None
    files = {"tls_ca": octets}
    if toolsnet["tls_certificate"]:
        files |= _own_certificate(folder, toolsnet)
    return {FILES[setting]: content for setting, content in files.items()}, {key: FILES[key] for key in files}


def _own_certificate(folder: Path, toolsnet: dict) -> dict[str, bytes]:
    certificates = _certificates(folder, toolsnet, "tls_certificate")
    if len(certificates) > 1:
        problem = (
            f"{toolsnet['tls_certificate']}: {len(certificates)} certificates; the other side has to know those in "
        )
        problem += "between"
        raise CertificateError("tls_certificate", problem)
    holder = "tls_key" if toolsnet["tls_key"] else "tls_certificate"
    content = _content(folder, toolsnet, holder)
    path = folder / toolsnet[holder]
    if any(marker in content for marker in _LOCKED):
        raise CertificateError("tls_key", f"{path}: locked with a password, which cannot be entered on a board")
    for label, key in _keys(content):
        if _fits(certificates[0], label, key):
            if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
                raise CertificateError("tls_key", f"others may read {path}; chmod 600 {shlex.quote(str(path))}")
            _refuse_edwards("tls_key", path, key)
            if len(key) > _RSA_BYTES_MOST:
                raise CertificateError(
                    "tls_key", f"{path}: an RSA key of more than 2048 bits, too slow for a board; take P-256"
                )
            return {"tls_certificate": certificates[0], "tls_key": key}
    if not toolsnet["tls_key"]:
        raise CertificateError("tls_key", f"none, and {path} holds no private key that fits")
    raise CertificateError("tls_key", f"{path}: no private key that fits {toolsnet['tls_certificate']}")


def _content(folder: Path, toolsnet: dict, setting: str) -> bytes:
    path = folder / toolsnet[setting]
    try:
        return regular_file.content_of(path)
    except OSError as error:
        raise CertificateError(setting, f"{path}: {error.strerror or error}") from None


def _certificates(folder: Path, toolsnet: dict, setting: str) -> list[bytes]:
    """Return each certificate of the file that the setting names, in DER."""
    name, content = toolsnet[setting], _content(folder, toolsnet, setting)
    certificates = [octets for label, octets in _blocks(content) if label == _CERTIFICATE]
    if not _is_pem(content):
        certificates = _split(content)
    if not certificates:
        raise CertificateError(setting, "no certificate in it")
    for octets in certificates:
        _refuse_edwards(setting, None, octets)
    size = sum(map(len, certificates))
    if size > CERTIFICATES_BYTES_MOST:
        problem = f"{name}: {counted(len(certificates), 'certificate')} of {size} bytes in DER"
        raise CertificateError(setting, f"{problem}; a board has memory for {CERTIFICATES_BYTES_MOST}")
    return certificates


def _refuse_edwards(setting: str, path: Path | None, octets: bytes) -> None:
    for mark, name in _EDWARDS.items():
        if mark in octets:
            raise CertificateError(setting, f"{path or 'a certificate'}: a key of {name}, which boards do not know")


def _keys(content: bytes) -> list[tuple[str, bytes]]:
    """Return what may be a private key, with its name in PEM; DER does not say which kind it is."""
    if _is_pem(content):
        return [(label, octets) for label, octets in _blocks(content) if label in _KEYS]
    return [(label, content) for label in _KEYS]


def _is_pem(content: bytes) -> bool:
    return b"-----BEGIN " in content


def _blocks(content: bytes) -> list[tuple[str, bytes]]:
    blocks = []
    for block in _BLOCK.finditer(content):
        try:
            blocks.append((block[1].decode(), base64.b64decode(b"".join(block[2].split()), validate=True)))
        except (binascii.Error, ValueError):
            continue  # a key with headers, or something else
    return blocks


def _split(content: bytes) -> list[bytes]:
    """Split DER into certificates: each begins with a sequence and its length (X.690, 8.1.3); none if it is not DER."""
    certificates = []
    while content:
        head = 2 + (content[1] & 0x7F if len(content) > 1 and content[1] & 0x80 else 0)
        if content[:1] != b"\x30" or len(content) < head:
            return []
        length = head + (int.from_bytes(content[2:head], "big") if head > 2 else content[1])
        if length > len(content):
            return []
        certificates.append(content[:length])
        content = content[length:]
    return certificates


def _fits(certificate: bytes, label: str, key: bytes) -> bool:
    """True if OpenSSL accepts the two together; it only reads them from files."""
    with tempfile.TemporaryDirectory(prefix="toolcart-flash-") as folder:  # nobody else can read it
        both = Path(folder, "both.pem")
        both.write_text(ssl.DER_cert_to_PEM_cert(certificate) + _pem(label, key), encoding="ascii")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(both)
        except ssl.SSLError:
            return False
    return True


def _pem(label: str, octets: bytes) -> str:
    text = base64.encodebytes(octets).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"
