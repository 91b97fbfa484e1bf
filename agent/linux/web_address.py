"""The parts of an address `https://host:port/path?query`; refuses what an HTTP request cannot carry."""

from toolcart.agent.base.host_names import is_host
from toolcart.agent.link.port import decimal

CPYTHON_ONLY = True  # a board has ToolsNet

_PORTS = {"http": 80, "https": 443}


class WebAddress:
    """`fault` says what is wrong with the text; "" if nothing is."""

    def __init__(self, text):
        self.is_secure = False
        self.host = ""
        self.number = 0
        self.path = "/"
        self.name = ""  # of the host, as the request writes it
        self.fault = self._read(text)

    def _read(self, text):
        scheme, separator, rest = text.partition("://")
        if not separator or scheme.lower() not in _PORTS:
            return "an address that begins with http:// or https://"
        if [letter for letter in text if not "!" <= letter <= "~"] or "#" in text:
            return "printable ASCII characters without blanks and #; others as %XX"
        self.is_secure = scheme.lower() == "https"
        self.name = rest.replace("?", "/").partition("/")[0]
        path = rest[len(self.name) :]
        self.path = path if path.startswith("/") else "/" + path
        if "@" in self.name:
            return "an address without a user: the settings user and password are for that"
        host, number = self.name, ""
        if host.startswith("["):
            host, bracket, number = host[1:].partition("]")
            if not bracket or (number and not number.startswith(":")):
                return "a host; an address of IPv6 in brackets"
            number = number[1:]
        elif ":" in host:
            host, _, number = host.rpartition(":")
        if number and not (number.isdigit() and 1 <= int(number) <= 65535):
            return "a port of 1 to 65535"
        self.number = int(number) if number else _PORTS[scheme.lower()]
        self.host = decimal(host)
        return "" if is_host(host) else "a name or an address as host"
