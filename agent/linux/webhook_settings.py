"""The settings of a webhook; its code is loaded where one is configured."""

from toolcart.agent.linux import tls_settings
from toolcart.agent.linux.web_address import WebAddress

CPYTHON_ONLY = True  # a board has ToolsNet

SETTINGS = """url text - 1 500
token text ~ 1 4096
user text ~ 1 100
password text ~ 1 1000
tls_ca text ~ 1 128
tls_name host ~ 1 253
tls_certificate text ~ 1 128
tls_key text ~ 1 128
durable bool true"""

MEANINGS = {
    "url": "Address that every record is sent to in batches, by POST: https://host:port/path (Linux only).",
    "token": "Secret that is sent as `Authorization: Bearer`, in place of user and password.",
    "user": "User: of the broker, or for `Authorization: Basic`.",
    "password": "That user's password; to a broker it goes in plain text unless `tls_ca` is set.",
    "tls_ca": (
        "File with the certificates (PEM) that the other side's is checked against. Webhook: without it those of the "
        "system. MQTT: without it there is no TLS."
    ),
    "tls_name": "Name in the other side's certificate, where it is not the host.",
    "tls_certificate": "File with our own certificate (PEM), where the other side asks for one.",
    "tls_key": "File with its private key (PEM); only its owner may read it.",
}


def wrong(settings):
    """Return (key, what is allowed) for what is wrong with these settings, as far as it shows without their files."""
    faults = []
    address = WebAddress(settings["url"] or "")
    if address.fault:
        faults.append(("url", address.fault))
    else:
        faults += tls_settings.faults(settings, "" if address.is_secure else "without https:// in the url")
    if settings["token"] and settings["user"]:
        faults.append(("token", "a token, or a user with a password"))
    if bool(settings["user"]) != bool(settings["password"]):
        faults.append(("user", "a user and its password, or neither"))
    for key in ("token", "user"):
        if [letter for letter in settings[key] or "" if not "!" <= letter <= "~" or (key == "user" and letter == ":")]:
            faults.append((key, "printable ASCII characters without blanks, a user without a colon"))
    return faults


def make(settings, station, index):
    """Make the outlet of these settings (toolcart.agent.linux.outlets)."""
    from toolcart.agent.linux.http_client import is_missing
    from toolcart.agent.linux.webhook import MISSING, WebhookOutlet

    address = WebAddress(settings["url"])
    unusable = "; ".join(["%s: %s" % fault for fault in wrong(settings)])
    port = None
    if not unusable and address.is_secure:
        port = station.board.tls(settings)
    owner = station.settings["spool"]["owner"]
    made = WebhookOutlet(station.log, index, port or station.board.tcp(), station.counters, owner, settings, address)
    made.wall_s = station.board.wall_s
    made.unusable = unusable or (MISSING if is_missing() else "")
    return made
