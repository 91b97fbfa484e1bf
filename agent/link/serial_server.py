"""The address of a serial line behind a device server, `socket://host:port` or `rfc2217://host:port`, taken apart.

`socket` is raw TCP: the server has baud, parity and all else in its own settings. `rfc2217` is telnet with RFC 2217:
they are set over the connection.
"""

from toolcart.agent.link.port import is_address

RAW = "socket"
RFC2217 = "rfc2217"


def server_of(device):
    """Return scheme, host and port; None if the address is none."""
    scheme, _, place = device.partition("://")
    host, _, number = place.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if scheme not in (RAW, RFC2217) or not number.isdigit() or len(number) > 5 or not is_address(host, int(number)):
        return None
    for letter in "/?#@[]":
        if letter in host:
            return None
    return scheme, host, int(number)


def setting_errors(controller):
    """Return the settings that a line behind a server cannot have, each with what is right."""
    server = server_of(controller["device"])
    if server is None:
        return [("device", "socket://host:port or rfc2217://host:port, or a device of this machine")]
    wrong = []
    if controller.get("rs485"):
        wrong.append(("rs485", '"", as a device server switches the direction by itself'))
    if controller.get("invert"):
        wrong.append(("invert", "false, as a device server cannot be told to"))
    if server[0] == RAW and controller.get("flow") == "rts_cts":
        wrong.append(("flow", "none: with socket:// the server's own settings say it; rfc2217:// sets it from here"))
    return wrong
