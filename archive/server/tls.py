"""TLS for stations and pages: a certificate with its key, and the CA that a station's certificate has to be from."""

from __future__ import annotations

import os
import shlex
import ssl
import stat
from dataclasses import dataclass

from toolcart.base import tls_files

HANDSHAKE_S = 5.0  # until it is done a connection has no place


class TlsFilesError(Exception):
    """The files cannot be used; the text says why."""


@dataclass(frozen=True)
class Tls:
    """Files in PEM; `ca` is None where stations need no certificate."""

    certificate: str
    key: str
    ca: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return a server's context, TLS 1.2 or later; TlsFilesError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        named = self.key
        try:
            if stat.S_IMODE(os.stat(self.key).st_mode) & 0o077:
                raise TlsFilesError(f"{self.key}: others may read it; chmod 600 {shlex.quote(str(self.key))}")
            named = f"{self.certificate}, {self.key}"
            tls_files.load_own(context, self.certificate, self.key)
            if self.ca:
                named = self.ca
                tls_files.load_authorities(context, self.ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except ssl.SSLError:
            raise TlsFilesError(f"{named}: no certificate in PEM with its key, without a passphrase") from None
        except OSError as error:
            raise TlsFilesError(f"{named}: {error.strerror}") from None
        return context
