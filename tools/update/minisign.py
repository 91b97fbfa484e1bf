"""Signatures in minisign's format: minisign's are verified here, and minisign verifies ours.

Rules
1. Ed25519 over BLAKE2b-512 of the file ("ED"). The older form "Ed" is rejected: it signs the file itself.
2. The trusted comment is signed as well, together with the signature.
3. Only minisign can use a secret key with a password; one without (`minisign -G -W`) is read here.

    public key   "Ed"  8 key's number  32 key
    signature    "ED"  8 key's number  64 signature                      (each in Base64, behind a line of comment)
    secret key   "Ed"  2 kdf, 0 without password  "B2"  48 salt and limits  8 number  32 seed  32 key  32 zero
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from os import urandom
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

UNTRUSTED = "untrusted comment: "
TRUSTED = "trusted comment: "
SIGNATURE_BYTES_MAX = 4096  # minisign's comments have 1,024 bytes at most
NO_PASSWORD = b"\0\0"


class Wrong(Exception):
    """Something is not a key or signature, or does not fit; str() says what and why."""


@dataclass(frozen=True)
class PublicKey:
    """Whom we trust: `number` says which key made a signature."""

    number: bytes
    octets: bytes

    @classmethod
    def read(cls, text: str, name: str) -> PublicKey:
        """Read a key from its file's text, or from its one line."""
        lines = [line for line in text.splitlines() if line and not line.startswith(UNTRUSTED)]
        octets = _decoded(lines[0] if len(lines) == 1 else "", 42, name, "public key")
        if octets[:2] != b"Ed":
            raise Wrong(f"{name} is no public key of minisign")
        return cls(octets[2:10], octets[10:])

    def text(self) -> str:
        """Return the text of the key's file."""
        return f"{UNTRUSTED}minisign public key {_hex(self.number)}\n{_line(b'Ed' + self.number + self.octets)}\n"

    def accepts(self, signature: bytes, octets: bytes) -> bool:
        """True if this key made the signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.octets).verify(signature, octets)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SecretKey:
    """A key that signs."""

    number: bytes
    seed: bytes

    @classmethod
    def new(cls) -> SecretKey:
        """Make a new key."""
        return cls(urandom(8), urandom(32))

    @classmethod
    def read(cls, text: str, name: str) -> SecretKey:
        """Read the file of a key without a password."""
        octets = _decoded((text.splitlines() + ["", ""])[1], 158, name, "secret key")
        if octets[2:4] != NO_PASSWORD:
            raise Wrong(f"{name} has a password: sign with `minisign -S -m FILE`, which asks for it")
        key = cls(octets[54:62], octets[62:94])
        if octets[:2] != b"Ed" or octets[94:126] != key.public().octets:
            raise Wrong(f"{name} is no secret key of minisign, or is damaged")
        return key

    def text(self) -> str:
        """Return the text of the key's file."""
        return f"{UNTRUSTED}minisign secret key, without a password\n{_line(self._octets())}\n"

    def public(self) -> PublicKey:
        """Return the key with which others verify."""
        public = self._private().public_key()
        return PublicKey(self.number, public.public_bytes(Encoding.Raw, PublicFormat.Raw))  # Debian 12's has no shorter

    def sign(self, octets: bytes, comment: str) -> str:
        """Return the text of the signature file for a file with these bytes."""
        signature = self._private().sign(hashlib.blake2b(octets).digest())
        both = self._private().sign(signature + comment.encode())
        lines = (f"{UNTRUSTED}signature by toolcart", _line(b"ED" + self.number + signature))
        return "\n".join([*lines, TRUSTED + comment, _line(both)]) + "\n"

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def _octets(self) -> bytes:
        pair = self.seed + self.public().octets
        return b"Ed" + NO_PASSWORD + b"B2" + bytes(48) + self.number + pair + bytes(32)


def verify(octets: bytes, signature: str, name: str, keys: dict[str, PublicKey]) -> tuple[str, str]:
    """Return the trusted key's name and the trusted comment; Wrong if none of these keys has signed these bytes."""
    lines = signature.splitlines()
    if len(lines) != 4 or not lines[0].startswith(UNTRUSTED) or not lines[2].startswith(TRUSTED):
        raise Wrong(f"{name} is no signature of minisign: it has four lines, two of them comments")
    signed, both = _decoded(lines[1], 74, name, "signature"), _decoded(lines[3], 64, name, "signature")
    if signed[:2] != b"ED":
        raise Wrong(f"{name} has the older form of minisign's signatures: sign with minisign 0.9 or later")
    comment = lines[2].removeprefix(TRUSTED)
    key_name = next((name for name, key in keys.items() if key.number == signed[2:10]), None)
    if key_name is None:
        raise Wrong(f"{name} was made with key {_hex(signed[2:10])}; trusted are {_names(keys)}")
    key = keys[key_name]
    if not key.accepts(signed[10:], hashlib.blake2b(octets).digest()):
        raise Wrong(f"{name} does not fit: the file is damaged, or is not the one that {key_name} signed")
    if not key.accepts(both, signed[10:] + comment.encode()):
        raise Wrong(f"the comment in {name} was changed after {key_name} signed it")
    return key_name, comment


def trusted(folder: Path) -> dict[str, PublicKey]:
    """Return the keys in a folder, by the names of their files (*.pub)."""
    return {path.name: PublicKey.read(text_of(path), str(path)) for path in sorted(folder.glob("*.pub"))}


def text_of(path: Path) -> str:
    """Return the text of a key or a signature; Wrong if it is too long, not text, or cannot be read."""
    try:
        with path.open("rb") as file:
            octets = file.read(SIGNATURE_BYTES_MAX + 1)
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}") from None
    try:
        if len(octets) <= SIGNATURE_BYTES_MAX:
            return octets.decode()
    except UnicodeDecodeError:
        pass
    raise Wrong(f"{path} is no text of at most {SIGNATURE_BYTES_MAX} bytes, so no key or signature")


def _decoded(line: str, length: int, name: str, what: str) -> bytes:
    try:
        octets = b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if len(octets) != length:
        raise Wrong(f"{name} is no {what} of minisign")
    return octets


def _line(octets: bytes) -> str:
    return b64encode(octets).decode()


def _hex(number: bytes) -> str:
    return number[::-1].hex().upper()  # as minisign says it


def _names(keys: dict[str, PublicKey]) -> str:
    return ", ".join(f"{name} ({_hex(key.number)})" for name, key in keys.items())
