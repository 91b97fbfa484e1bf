"""What an HTTP request says besides its body, and when an answer asks us to come again."""

import re
from base64 import b64encode
from email.utils import mktime_tz, parsedate_tz

CPYTHON_ONLY = True  # a board has ToolsNet

SHOWN_MOST = 120  # characters of an answer that are shown to people
_VISIBLE = re.compile("[!-~]")


def fields_of(address, octets, authorization):
    """Return the fields of a POST of so many bytes to this address, as (name, value)."""
    fields = [
        ("Host", address.name),
        ("User-Agent", "toolcart"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("Content-Type", "application/x-ndjson"),
        ("Content-Length", "%d" % octets),
    ]
    return fields + [("Authorization", authorization)] if authorization else fields


def authorization(token, user, password):
    """Return the credentials for the server (RFC 6750, 7617); "" if there are none."""
    if token:
        return "Bearer " + token
    if user:
        return "Basic " + b64encode(("%s:%s" % (user, password)).encode()).decode()
    return ""


def retry_after_ms(fields, wall_s=None):
    """Return for how long the server asks us to wait; 0 if it does not say (RFC 9110, 10.2.3).

    A date is counted from the date of the answer itself: both are by the server's clock. Without that ours has to do,
    seconds since 1970 by `wall_s`.
    """
    text = fields.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return int(text[:9]) * 1000
    until, made = _seconds(text), _seconds(fields.get("date", ""))
    if made is None and wall_s is not None:
        made = int(wall_s())
    return max(0, until - made) * 1000 if until is not None and made is not None else 0


def excerpt(body):
    """Return the beginning of an answer's body, made printable; what it is if there is nothing to show."""
    return printable(bytes(body).decode("latin-1")) or ("only what cannot be shown" if body else "nothing")


def printable(text):
    """Return the beginning of a text of the other side as it may be shown, from its first visible character on."""
    first = _VISIBLE.search(text)
    begins = text[first.start() :][:SHOWN_MOST] if first else ""
    return "".join([letter if " " <= letter <= "~" else " " for letter in begins]).strip()


def _seconds(text):
    parts = parsedate_tz(text)
    try:
        return None if parts is None else mktime_tz(parts)
    except (ValueError, OverflowError):
        return None
