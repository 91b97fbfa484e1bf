"""Loads certificates and keys in PEM into a context, from regular files alone: nobody waits for a pipe or device.

OSError, of which ssl.SSLError is one, if a file cannot be opened or does not hold what it should. A key with a
passphrase is such a one.
"""

from __future__ import annotations

import ssl

from toolcart.board.linux import regular_file


def load_authorities(context: ssl.SSLContext, path: str) -> None:
    """Trust the CAs in this file."""
    with regular_file.held(path) as authorities:
        context.load_verify_locations(regular_file.name_of(authorities))


def client_context(ca: str | None) -> ssl.SSLContext:
    """Return Python's default context of a client; it trusts the CAs in this file alone (None: the system's)."""
    if ca is None:
        return ssl.create_default_context()
    with regular_file.held(ca) as authorities:
        return ssl.create_default_context(cafile=regular_file.name_of(authorities))


def load_own(context: ssl.SSLContext, certificate: str, key: str | None = None) -> None:
    """Show this certificate, whose key is in its own file or in another one."""
    with regular_file.held(certificate) as certificate_file, regular_file.held(key or certificate) as key_file:
        names = regular_file.name_of(certificate_file), regular_file.name_of(key_file)
        context.load_cert_chain(*names, password=lambda: "")
