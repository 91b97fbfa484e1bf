"""A TCP connection with TLS on Linux: to a tunnel in front of a PIM, which itself has no TLS.

Rules
1. The other side's certificate is checked only against the given authorities, and its name against the host or the
   configured name. If it does not pass, that counts as a connection that could not be opened.
2. It is open when the handshake is done; until then it is opening, and the limit for opening applies.
3. Nothing waits: the handshake goes on whenever the port is looked at.
4. Certificates and key are read when a connection is first wanted. If they cannot be used that connection fails, and
   `detail` says why; the next attempt reads them again. Once they are good they are kept.
"""

import os
import ssl
import stat

from toolcart.agent.link.port import PORT_OPEN, PORT_OPENING, WHY_NO_FILES, WHY_NO_TLS, WHY_NOT_TRUSTED
from toolcart.board.linux.tcp import TcpPort

CPYTHON_ONLY = True


class TlsUnusable(ValueError):
    """A file that `setting` names cannot be used; `reason` says why."""

    def __init__(self, setting, reason):
        ValueError.__init__(self, "%s: %s" % (setting, reason))
        self.setting = setting
        self.reason = reason


class TlsPort(TcpPort):
    """One TLS client connection (agent.link.port). `name` must be in the other side's certificate; None: the host.

    `make_context` returns the context, or raises TlsUnusable.
    """

    NOT_NOW = (ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError)

    def __init__(self, make_context, name=None):
        TcpPort.__init__(self)
        self.detail = ""  # which file cannot be used, and why
        self._make_context = make_context
        self._context = None
        self._name = name
        self._host = ""
        self._shakes = False  # TCP is connected, the handshake is going on

    def open(self, host, number):
        self._host = self._name or host
        self.detail = ""
        if self._context is None:
            try:
                self._context = self._make_context()
            except TlsUnusable as wrong:
                self.close()
                self._why, self.why_code, self.detail = WHY_NO_FILES, 0, str(wrong)
                return
        TcpPort.open(self, host, number)

    def close(self):
        self._shakes = False
        TcpPort.close(self)

    def _look_at_connect(self):
        if not self._shakes:
            TcpPort._look_at_connect(self)
            if self._state != PORT_OPEN:
                return
            self._state = PORT_OPENING
            self._shakes = True
            try:
                self.sock = self._context.wrap_socket(  # type: ignore - made before it opened
                    self.sock, server_hostname=self._host, do_handshake_on_connect=False
                )
            except (OSError, ValueError):  # ValueError: not a name that a certificate could have
                self._why = WHY_NO_TLS
                self.close()
                return
        self._shake()

    def _shake(self):
        try:
            self.sock.do_handshake()  # type: ignore
        except ssl.SSLWantReadError:
            self.wants_out = False
        except ssl.SSLWantWriteError:
            self.wants_out = True
        except ssl.SSLCertVerificationError as error:
            self._why, self.why_code = WHY_NOT_TRUSTED, error.verify_code
            self.close()
        except ssl.SSLError:
            self._why = WHY_NO_TLS
            self.close()
        except OSError as error:
            self._lost(error)
            self.close()
        else:
            self._shakes = self.wants_out = False
            self._state = PORT_OPEN


def context_of(folder, toolsnet):
    """Return the context for connections; TlsUnusable if a file cannot be used. Without tls_ca the system's is used."""
    paths = {}
    for key in ("tls_ca", "tls_certificate", "tls_key"):
        paths[key] = os.path.join(folder, toolsnet[key]) if toolsnet[key] else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if paths["tls_ca"]:
            context.load_verify_locations(paths["tls_ca"])
        else:
            context.set_default_verify_paths()
    except OSError as error:
        raise TlsUnusable("tls_ca", "%s: %s" % (paths["tls_ca"], _why(error))) from None
    if paths["tls_certificate"]:
        _keep_secret(paths["tls_key"] or paths["tls_certificate"])
        try:
            context.load_cert_chain(paths["tls_certificate"], paths["tls_key"], password=_no_password)
        except (OSError, ValueError) as error:
            raise TlsUnusable("tls_certificate", "%s: %s" % (paths["tls_certificate"], _why(error))) from None
    return context


def _no_password():
    """Raise ValueError: an agent that starts by itself cannot ask for a password."""
    raise ValueError("the key is locked with a password; give one that is not")


def _keep_secret(path):
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise TlsUnusable("tls_key", "%s: %s" % (path, _why(error))) from None
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise TlsUnusable("tls_key", "others may read %s; chmod 600 %s" % (path, path))


def _why(error):
    if isinstance(error, ssl.SSLError):
        return "no certificate or key in PEM that fits (%s)" % (error.reason or error)
    return getattr(error, "strerror", None) or str(error)
