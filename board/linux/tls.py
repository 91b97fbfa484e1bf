"""A TCP connection with TLS on Linux: to a tunnel in front of a PIM, which itself has no TLS.

Rules
1. The other side's certificate is checked only against the given authorities, and its name against the host or the
   configured name. If it does not pass, that counts as a connection that could not be opened.
2. It is open when the handshake is done; until then it is opening, and the limit for opening applies.
3. Nothing waits: the handshake goes on whenever the port is looked at.
4. A handshake that the other side ends or resets, whatever came before, is an end or a reset like any other: a server
   that stops says no more. That it has no TLS is said of octets that are none, or of no version that both know.
5. With TLS 1.3 the other side refuses our certificate, or its lack, after the handshake: by an alert, which may
   come behind a reset, or by an end before anything has come. An error number of TLS is none of the system's.
6. Certificates and key are read when a connection is first wanted. If they cannot be used that connection fails, and
   `detail` says why, until they cannot be used for another reason; the next attempt reads them again. Once they are
   good they are kept.
"""

import contextlib
import errno
import os
import re
import shlex
import ssl
import stat

from toolcart.agent.link.port import (
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_ENDED,
    WHY_NO_FILES,
    WHY_NO_TLS,
    WHY_NOT_TRUSTED,
    WHY_RESET,
    WHY_TLS_BROKEN,
    WHY_TLS_ENDED,
    WHY_TLS_REFUSED,
)
from toolcart.board.linux import regular_file, service
from toolcart.board.linux.refusal import not_readable
from toolcart.board.linux.tcp import TcpPort

CPYTHON_ONLY = True

# OpenSSL's word for an alert of the other side's (RFC 8446, 6.2), and what it says of one that it has no word for
_ALERT = re.compile("(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_]+)")
_UNNAMED = "[SSL]_UNKNOWN_ERROR"
_NUMBERS = {
    **{name.removeprefix("ALERT_DESCRIPTION_"): int(alert) for name, alert in ssl.AlertDescription.__members__.items()},
    "DECRYPTION_FAILED": 21,  # these Python's ssl lacks
    "NO_CERTIFICATE": 41,
    "EXPORT_RESTRICTION": 60,
    "INAPPROPRIATE_FALLBACK": 86,
    "MISSING_EXTENSION": 109,
    "CERTIFICATE_REQUIRED": 116,
    "NO_APPLICATION_PROTOCOL": 120,
}
_NO_VERSION = ("PROTOCOL_VERSION",)
# Behind the handshake: what we sent came damaged
_CAME_DAMAGED = (
    *_NO_VERSION,
    "UNEXPECTED_MESSAGE",
    "BAD_RECORD_MAC",
    "DECRYPTION_FAILED",
    "RECORD_OVERFLOW",
    "DECODE_ERROR",
)
_ENDS = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # without a word, and with close_notify
_DAMAGES = ("BAD_SIGNATURE", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "DIGEST_CHECK_FAILED")  # only TLS can have them

# By OpenSSL's word: the certificate is read, and refused all the same; a key of another certificate
_OF_THE_CERTIFICATE = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK")
_OF_ANOTHER = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")
_OCTETS_MOST = 1 << 20  # of a certificate's or key's file that are looked at: one of any size may lie there


class TlsUnusable(ValueError):
    """A file that `setting` names cannot be used; `reason` says why."""

    def __init__(self, setting, reason):
        ValueError.__init__(self, "%s: %s" % (setting, reason))
        self.setting = setting
        self.reason = reason


class TlsPort(TcpPort):
    """One TLS client connection (toolcart.agent.link.port).

    `name` must be in the other side's certificate; None: the host. `make_context` returns the context, or raises
    TlsUnusable.
    """

    NOT_NOW = (ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError)

    def __init__(self, make_context, name=None):
        TcpPort.__init__(self)
        self.detail = ""  # which file could not be used last, and why
        self._make_context = make_context
        self._context: ssl.SSLContext | None = None
        self._name = name
        self._host = ""
        self._shaking: ssl.SSLSocket | None = None  # TCP is connected, the handshake is going on
        self._has_read = False  # since the handshake

    def open(self, host, number, /):
        self._host = self._name or host
        if self._context is None:
            try:
                self._context = self._make_context()
            except TlsUnusable as wrong:
                self.close()
                self._why, self.why_code, self.detail = WHY_NO_FILES, 0, str(wrong)
                return
        TcpPort.open(self, host, number)

    def close(self):
        self._shaking = None
        TcpPort.close(self)

    def readinto(self, buf, n):
        count = TcpPort.readinto(self, buf, n)
        if count > 0:
            self._has_read = True
        elif count == PORT_LOST and self._state == PORT_OPEN and self._why == WHY_ENDED and not self._has_read:
            self._why = WHY_TLS_ENDED
        return count

    def _look_at_connect(self, sock):
        if self._shaking is None and self._context is not None:
            TcpPort._look_at_connect(self, sock)
            if self._state != PORT_OPEN:
                return
            self._state = PORT_OPENING
            try:
                self.sock = self._shaking = self._context.wrap_socket(
                    sock, server_hostname=self._host, do_handshake_on_connect=False
                )
            except OSError:  # it was reset meanwhile, whatever ssl says
                self._why, self.why_code = WHY_RESET, errno.ECONNRESET
                self.close()
                return
            except ValueError:  # not a name that a certificate could have
                self._why = WHY_NOT_TRUSTED
                self.close()
                return
        if self._shaking is not None:
            self._shake(self._shaking)

    def _shake(self, sock):
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self.wants_out = False
        except ssl.SSLWantWriteError:
            self.wants_out = True
        except ssl.SSLCertVerificationError as error:
            self._why, self.why_code = WHY_NOT_TRUSTED, error.verify_code
            self.close()
        except OSError as error:
            self._lost(error)
            self.close()
        else:
            self._shaking = None
            self.wants_out = self._has_read = False
            self._state = PORT_OPEN

    def _lost(self, error):
        if not isinstance(error, ssl.SSLError):
            TcpPort._lost(self, error)
            if self._state == PORT_OPEN and self._why == WHY_RESET and not self._has_read:
                self._why = WHY_TLS_ENDED
                alert = self._last_alert()
                if alert is not None:
                    self._judge(alert)
            return PORT_LOST
        self._judge(error)
        return PORT_LOST

    def _last_alert(self):
        """Return what came in front of a reset, if that is an alert."""
        try:
            if self.sock is not None:
                self.sock.recv(1)
        except ssl.SSLError as alert:
            return None if isinstance(alert, self.NOT_NOW) else alert
        except OSError:
            pass
        return None

    def _judge(self, error):
        """Note why TLS has failed."""
        words = error.reason or str(error).upper().replace(" ", "_")  # Python does not know each of OpenSSL's
        found = _ALERT.search(words)
        alert = found.group(1).strip("_") if found else ""
        self.why_code = 0
        shakes = self._shaking is not None
        if isinstance(error, _ENDS):
            self._why = WHY_ENDED if shakes or self._has_read else WHY_TLS_ENDED
        elif (alert or _UNNAMED in words) and alert not in (_NO_VERSION if shakes else _CAME_DAMAGED):
            self._why, self.why_code = WHY_TLS_REFUSED, _NUMBERS.get(alert, 0)
        elif shakes and words not in _DAMAGES:
            self._why = WHY_NO_TLS
        else:
            self._why = WHY_TLS_BROKEN


def context_of(folder, toolsnet):
    """Return the context for connections; TlsUnusable if a file cannot be used. Without tls_ca the system's is used."""
    paths = {}
    for key in ("tls_ca", "tls_certificate", "tls_key"):
        paths[key] = os.path.join(folder, toolsnet[key]) if toolsnet[key] else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if paths["tls_ca"]:
        with _held("tls_ca", paths["tls_ca"]) as authorities:
            try:
                context.load_verify_locations(regular_file.name_of(authorities))
            except OSError as error:
                raise TlsUnusable("tls_ca", "%s: %s" % (paths["tls_ca"], _why(error, "certificate"))) from None
    else:
        context.set_default_verify_paths()
    if paths["tls_certificate"]:
        setting = "tls_key" if paths["tls_key"] else "tls_certificate"  # where the key is
        _load_own(context, paths["tls_certificate"], setting, paths[setting])
    return context


def _load_own(context, certificate, key_setting, key):
    """Load the certificate and its key; TlsUnusable with the setting that is at fault."""
    with _held("tls_certificate", certificate) as certificate_file, _held(key_setting, key) as key_file:
        if not _has_key(key_file):
            if _has_certificate(certificate_file):  # else that is said
                raise _no_key(key_setting, key)
        elif stat.S_IMODE(os.fstat(key_file).st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise TlsUnusable(key_setting, "others may read %s; chmod 600 %s" % (key, shlex.quote(key)))
        try:
            names = regular_file.name_of(certificate_file), regular_file.name_of(key_file)
            context.load_cert_chain(*names, password=_no_password)
        except ssl.SSLError as error:
            if error.reason in _OF_THE_CERTIFICATE or not _has_certificate(certificate_file):
                raise TlsUnusable("tls_certificate", "%s: %s" % (certificate, _why(error, "certificate"))) from None
            why = "not the key of %s" % certificate if error.reason in _OF_ANOTHER else _why(error, "private key")
            raise TlsUnusable(key_setting, "%s: %s" % (key, why)) from None
        except (OSError, ValueError) as error:
            raise TlsUnusable(key_setting, "%s: %s" % (key, getattr(error, "strerror", None) or error)) from None


def _no_key(setting, path):
    """Return the fault of a file without any private key; with `tls_key` missing, that of the certificate's."""
    if setting == "tls_key":
        return TlsUnusable(setting, "%s: no private key in PEM" % path)
    return TlsUnusable("tls_key", "none, and %s holds no private key" % path)


def _has_key(descriptor):
    """True if there is a private key in this file, of any kind, whether it can be used or not."""
    return b"PRIVATE KEY-----" in _octets(descriptor)


def _octets(descriptor):
    return os.pread(descriptor, _OCTETS_MOST, 0)


def _has_certificate(descriptor):
    """True if each certificate in this file can be read: what OpenSSL blames then is not the certificate."""
    try:
        text = _octets(descriptor).decode("ascii", "ignore")  # people put names beside certificates
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError):
        return False
    return True


def _no_password():
    """Raise ValueError: an agent that starts by itself cannot ask for a password."""
    raise ValueError("the key is locked with a password; give one that is not")


@contextlib.contextmanager
def _held(setting, path):
    """Yield the descriptor of the open file; TlsUnusable."""
    with contextlib.ExitStack() as stack:
        try:
            descriptor = stack.enter_context(regular_file.held(path))
        except PermissionError:
            mode = "600" if setting == "tls_key" else "u+r"
            raise TlsUnusable(setting, "%s, which %s" % (path, not_readable(path, mode))) from None
        except (OSError, ValueError) as error:
            why = service.kept_from(path) or getattr(error, "strerror", None) or str(error)
            raise TlsUnusable(setting, "%s: %s" % (path, why)) from None
        yield descriptor


def _why(error, what):
    """Say that there is no such thing in a file."""
    if isinstance(error, ssl.SSLError):
        return "no %s in PEM that can be used%s" % (what, " (%s)" % error.reason if error.reason else "")
    return getattr(error, "strerror", None) or str(error)
