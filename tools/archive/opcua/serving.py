"""Serves an archive over OPC UA until Ctrl-C or SIGTERM."""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from cryptography import x509

from tools.archive.opcua import figures, limits, nodesets
from tools.archive.opcua.access import CHANGES, Access
from tools.archive.opcua.feed import Feed
from tools.archive.opcua.limits import Counted
from tools.archive.opcua.methods import Methods
from tools.archive.opcua.sessions import Server as Sessions
from tools.archive.opcua.space import URI, Space
from tools.archive.opcua.taken import Taken
from tools.archive.opcua.wire import Server
from tools.archive.web.login import Door, is_loopback
from tools.archive.web.reading import Reading
from tools.archive.web.users import UsersFile
from tools.base.installation import program_version
from tools.base.niceness import stand_back

FIGURES_EVERY_S = 10.0
_REFUSAL = "sending service fault response"
SAID_AGAIN_S = 60.0  # an error that the library logs
_SECURE = (
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
)
_LIMITS = {
    "MaxNodesPerRead": limits.NODES_MOST,
    "MaxNodesPerBrowse": limits.NODES_MOST,
    "MaxNodesPerTranslateBrowsePathsToNodeIds": limits.NODES_MOST,
    "MaxNodesPerMethodCall": limits.CALLS_MOST,
    "MaxMonitoredItemsPerCall": limits.ITEMS_MOST,
    "MaxNodesPerWrite": 0,
}


class CannotServe(Exception):
    """It cannot start this way; the text says why."""


@dataclass(frozen=True)
class Where:
    """Where it listens, who may come in, and what it keeps."""

    host: str
    port: int
    state: str  # the acknowledgements' file
    certificate: str | None = None
    key: str | None = None
    trusted: str | None = None  # folder of clients' certificates
    users_file: str | None = None
    anonymous: str | None = None
    zone: tzinfo | None = None  # of the stations' clocks; None: this machine's
    metrics: tuple[str, int] | None = None  # where Prometheus asks

    def checked(self) -> Where:
        """Return the same, with a role for anonymous clients; CannotServe if options conflict or one is missing."""
        if bool(self.certificate) != bool(self.key):
            raise CannotServe("--certificate and --key: both or none of them")
        if self.users_file and not self.certificate:
            raise CannotServe("--users-file needs --certificate and --key: a password goes over an encrypted channel")
        if self.trusted and not self.certificate:
            raise CannotServe("--trusted needs --certificate and --key")
        if self.users_file or self.anonymous:
            return self
        if not is_loopback(self.host):
            raise CannotServe(
                f"{self.host} can be reached from other machines: say who may come in by --users-file FILE, or "
                "--anonymous view if anyone may read"
            )
        same = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Where(**{**same, "anonymous": CHANGES})


class _Errors(logging.Handler):
    """The library's errors, all counted and the first in a minute logged."""

    def __init__(self, counted: Counted, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._counted = counted
        self._say = say
        self._said_s = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        """Count an error; refused requests are counted where they are refused."""
        if record.getMessage().startswith(_REFUSAL):
            return
        self._counted.library_errors += 1
        if time.monotonic() - self._said_s > SAID_AGAIN_S:
            self._said_s = time.monotonic()
            self._say(f"asyncua: {record.getMessage()[:300]}")


async def run(place: str, where: Where, say: Callable[[str], None], seconds: float | None = None) -> Counted:
    """Serve; CannotServe, OSError, taken.Unusable or database.Unusable if it cannot start."""
    where = where.checked()
    counted = Counted()
    errors = _Errors(counted, say)
    library = logging.getLogger("asyncua")
    library.addHandler(errors)
    library.setLevel(logging.ERROR)
    library.propagate = False
    stand_back(limits.BEHIND_RESULTS)
    reading = Reading(place)
    taken = Taken(where.state)
    try:
        server = await _server(where, counted)
        space = Space(server)
        await nodesets.load(server)
        await space.prepare()
        methods = Methods(space, reading, taken, counted, where.zone)
        feed = Feed(space, reading, taken, methods, counted, say, where.zone)
        await feed.begin()
        methods.register()
        await _listen(server, where)
        try:
            async with figures.served(where.metrics, lambda: figures.text_of(counted, _now(server, space))) as page:
                say(_said(server, where, space, reading) + (f", figures on {page}" if page else ""))
                gc.collect()
                gc.freeze()  # the address space stays: garbage collection need not look through it
                await _until(feed, seconds, counted, say)
        finally:
            await methods.requests.close()
            await server.stop()
    finally:
        taken.close()
        reading.close()
        library.removeHandler(errors)
    say(f"ends: {counted.line() or 'nothing happened'}")
    return counted


def _now(server: Server, space: Space) -> dict[str, int]:
    """Return the numbers of what is connected."""
    sessions = server.iserver
    assert isinstance(sessions, Sessions) and server.bserver is not None
    return {
        "joining_systems": len(space.systems),
        "connections": len(server.bserver.clients),
        "sessions": sessions.sessions,
        "subscriptions": len(sessions.subscription_service.subscriptions),
    }


def _said(server: Server, where: Where, space: Space, reading: Reading) -> str:
    assert server.bserver is not None
    host = f"[{where.host}]" if ":" in where.host else where.host
    secure = "sign and encrypt" if where.certificate else "no encryption"
    return (
        f"OPC UA on opc.tcp://{host}:{server.bserver.port}, {secure}, {len(space.systems)} joining systems, "
        f"archive {reading.shown}"
    )


async def _server(where: Where, counted: Counted) -> Server:
    door = Door(None, UsersFile(where.users_file)) if where.users_file else None
    sessions = Sessions(Access(door, where.anonymous, counted), counted)
    server = Server(iserver=sessions)
    await server.init()
    server.set_server_name("Toolcart archive")
    server.name = "Toolcart archive"
    await server.set_application_uri(f"urn:{socket.gethostname()}:toolcart:archive")
    now = datetime.now(UTC)
    await server.set_build_info(URI, "toolcart", "Toolcart archive", program_version(), "0", now)
    server.limits = TransportLimits(
        max_recv_buffer=limits.CHUNK_BYTES,
        max_send_buffer=limits.CHUNK_BYTES,
        max_chunk_count=limits.MESSAGE_BYTES // limits.CHUNK_BYTES + 1,
        max_message_size=limits.MESSAGE_BYTES,
    )
    tokens: list[type] = [ua.AnonymousIdentityToken] if where.anonymous else []
    server.set_identity_tokens(tokens + ([ua.UserNameIdentityToken] if door else []))
    for name, most in _LIMITS.items():
        node = ua.NodeId(getattr(ua.ObjectIds, f"Server_ServerCapabilities_OperationLimits_{name}"))
        await sessions.write_attribute_value(node, ua.DataValue(ua.Variant(most, ua.VariantType.UInt32)))
    await _secure(server, where)
    return server


async def _secure(server: Server, where: Where) -> None:
    """Set up certificates, if there are any; CannotServe if they cannot be used."""
    if where.certificate is None or where.key is None:
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        return
    named = where.certificate
    try:
        if os.stat(where.key).st_mode & 0o077:
            raise CannotServe(f"{where.key}: others may read it; chmod 600 {where.key}")
        await server.load_certificate(where.certificate, _format(where.certificate))
        named = where.key
        await server.load_private_key(where.key, format=_format(where.key))
    except OSError as error:
        raise CannotServe(f"{named}: {error.strerror}") from None
    except (ValueError, TypeError) as wrong:
        raise CannotServe(f"{named}: no certificate or key in PEM or DER, without a passphrase ({wrong})") from None
    server.set_security_policy(list(_SECURE))
    uri = _uri_of(server.iserver.certificate)
    if uri is None:
        raise CannotServe(f"{where.certificate}: has no URI among its subject alternative names, which OPC UA needs")
    await server.set_application_uri(uri)
    options = CertificateValidatorOptions.TIME_RANGE | CertificateValidatorOptions.PEER_CLIENT
    store = None
    if where.trusted:
        if not Path(where.trusted).is_dir():
            raise CannotServe(
                f"{where.trusted}: no folder; put the certificates of clients, or of who signed them, there"
            )
        store = TrustStore([Path(where.trusted)], [])
        await store.load()
        options |= CertificateValidatorOptions.TRUSTED
    server.iserver.certificate_validator = CertificateValidator(options, store).validate


def _format(file: str) -> str:
    return "pem" if b"-----BEGIN" in Path(file).read_bytes()[:4096] else "der"


def _uri_of(certificate: x509.Certificate) -> str | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), None)


async def _listen(server: Server, where: Where) -> None:
    host = f"[{where.host}]" if ":" in where.host else where.host
    server.set_endpoint(f"opc.tcp://{host}:{where.port}")
    server.socket_address = (where.host, where.port)
    await server.start()
    assert server.bserver is not None
    port = server.bserver.port
    for endpoint in server.iserver.endpoints:  # port 0 has become a real one
        endpoint.EndpointUrl = endpoint.EndpointUrl.replace(f":{where.port}", f":{port}")
        endpoint.Server.DiscoveryUrls = [f"opc.tcp://{host}:{port}"]


async def _until(feed: Feed, seconds: float | None, counted: Counted, say: Callable[[str], None]) -> None:
    """Look for what is new until the end; log the figures when they have changed."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    looking = asyncio.create_task(feed.run())
    said = counted.line()
    try:
        while not stop.is_set() and not looking.done():
            waiting = asyncio.create_task(stop.wait())
            await asyncio.wait({waiting, looking}, timeout=FIGURES_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            now = counted.line()
            if now != said:
                say(now)
            said = now
        if looking.done():
            looking.result()  # it only ends with an error
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
