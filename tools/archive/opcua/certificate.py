"""Makes a self-signed certificate for a server as OPC UA wants it (OPC 10000-6, 6.2.2): with the application's URI."""

from __future__ import annotations

import ipaddress
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.base import private

GOOD_FOR = timedelta(days=3652)
KEY_BITS = 2048  # Basic256Sha256 takes 2048 to 4096


def make(certificate: str, key: str, host: str) -> bool:
    """Make both files (PEM) if neither exists; True if made. OSError if only one exists, or they cannot be made."""
    if os.path.exists(certificate) or os.path.exists(key):
        Path(certificate).read_bytes()
        Path(key).read_bytes()
        return False
    secret = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Toolcart archive")])
    now = datetime.now(UTC)
    own = socket.gethostname()
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(f"urn:{own}:toolcart:archive"), x509.DNSName(own)]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(secret.public_key()), critical=False)
        .sign(secret, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    octets = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    private.make(key, octets)
    private.make(certificate, built.public_bytes(serialization.Encoding.PEM), 0o644)
    return True


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,  # it signs itself
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
