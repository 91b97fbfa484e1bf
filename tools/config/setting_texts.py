"""The meaning of every setting and whom it is for, once for `toolcart config explain` and docs/configuration.md.

1. Names, types, defaults and ranges come from toolcart.agent.cart.config; only the meanings are here: they cost no
   flash.
2. `python -m toolcart.tools.config.setting_texts > docs/configuration.md` writes the page; a test checks that it is
   up to date.
"""

import re

from toolcart.agent.cart import config
from toolcart.agent.linux.outlets import OUTLETS
from toolcart.base.command_line import CommandLine
from toolcart.base.serial_settings import NAMED
from toolcart.tools.config import secrets as config_secrets

# Whom a setting is for: anyone else leaves it at its default.
EVERYONE, PLANT, CONTROLLER, SERIAL = "everyone", "plant", "controller", "serial"
TOOLSNET, EXTRAS, CHIP = "ToolsNet", "extras", "chip"

AUDIENCES = {
    EVERYONE: "look at it on every cart",
    PLANT: "a choice of the plant",
    CONTROLLER: "some makes of controllers need it ([controllers.md](controllers.md))",
    SERIAL: "serial lines",
    TOOLSNET: "some ToolsNets need it, or networks in front of one",
    EXTRAS: "more than results: curves, events, names, files",
    CHIP: "boards",
}

# By section; `*` is for its other settings.
_OF = {
    "system": {"*": EVERYONE},
    "toolsnet": {
        EVERYONE: "pim_host pim_port",
        PLANT: "refused clock rewind parameters",
        EXTRAS: "events extras",
        "*": TOOLSNET,
    },
    "stations[]": {"*": EVERYONE},
    "stations[].controller": {
        EVERYONE: "link host port",
        PLANT: "recover clock limits commands",
        SERIAL: "device baud parity stop_bits flow rs485 invert priority payload",
        EXTRAS: "events traces",
        "*": CONTROLLER,
    },
    "stations[].spool": {EVERYONE: "path", EXTRAS: "graphs_kib", "*": PLANT},
    "stations[].outlets[]": {"*": EXTRAS},
    "board": {"*": CHIP},
}


def audience(place: str) -> str:
    """Return whom the setting at this place is for, a key of MEANINGS."""
    section, key = place.rsplit(".", 1)
    groups = _OF[section]
    return next((who for who, keys in groups.items() if who != "*" and key in keys.split()), groups["*"])


def named() -> list[str]:
    """Return the places named above."""
    return [
        f"{section}.{key}"
        for section, groups in _OF.items()
        for who, keys in groups.items()
        if who != "*"
        for key in keys.split()
    ]


MEANINGS = {
    "system.type": "System type that is reported to ToolsNet; 3 is Open Protocol, undefined.",
    "system.number": "Number of this system in ToolsNet.",
    "system.name": "Name of this system in ToolsNet.",
    "toolsnet.pim_host": "Host of the PIM, which names the server to report to.",
    "toolsnet.pim_port": "Port of the PIM; it has no default, ask the plant.",
    "toolsnet.reconnect_s": "Pause after a failed connection before the next attempt at the PIM.",
    "toolsnet.refused": (
        "A result that ToolsNet refuses four times: park keeps it in the quarantine and lets others pass as soon as "
        "one of them is taken; block waits, to keep the order."
    ),
    "toolsnet.host_override": ("Connect to this host in place of the server address the PIM gives (behind NAT)."),
    "toolsnet.allow_hosts": (
        "Hosts that the PIM may give as server beside its own, as it writes them; the connection goes nowhere else."
    ),
    "toolsnet.tls_ca": (
        "File with the certificates (PEM) that the other side's is checked against; with it both connections are TLS,"
        " to a tunnel in front of the PIM. On Linux, and on boards whose firmware has TLS."
    ),
    "toolsnet.tls_name": "Name in the other side's certificate, where it is not the host that is connected to.",
    "toolsnet.tls_certificate": "File with our own certificate (PEM), where the other side asks for one.",
    "toolsnet.tls_key": (
        "File with its private key (PEM); only its owner may read it. On a board whoever holds the board can."
    ),
    "toolsnet.rewind": "Send again what a server restored from an old backup no longer has.",
    "toolsnet.parameters": "Additional parameters sent with each result, in this order.",
    "toolsnet.clock": (
        "Compare the system's clock with the server's answers, every ten minutes; set it where it is more than 2 s "
        "off and no NTP keeps it (needs CAP_SYS_TIME). Linux; boards always take them where NTP is silent."
    ),
    "toolsnet.events": (
        "Events that go to ToolsNet (telegram 09), of those that `controller.events` asks for, results that are "
        "gone, and commands; null sends none. Linux only, and with one file at most beside."
    ),
    "toolsnet.extras": (
        "What else goes to ToolsNet; null: nothing. `targets`: those of torque and angle (02000, 02010) with results "
        "that have them. `names`: of system and station, and of parameter sets as far as the controller has told them "
        "(telegrams 01 and 02); they replace what its map has. `curves`: those that `controller.traces` asks for, "
        "torque and angle, each behind its result (telegram 13). Linux only."
    ),
    "stations[].number": "Station number in ToolsNet; different for each station.",
    "stations[].name": "Station name in ToolsNet.",
    "stations[].outlets[].kind": (
        "What gets the results: at least one outlet that is durable, ToolsNet once at most, three others at most; "
        "without a list ToolsNet alone."
    ),
    "stations[].outlets[].name": (
        "What the outlet is known by, in the spool and in all that is shown: of a to z, 0 to 9 and -, its kind if none "
        "is given. Required where several are of one kind. Under another name it is another outlet."
    ),
    "stations[].controller.link": "Link to the controller: TCP, serial ASCII or serial 3964R.",
    "stations[].controller.host": "Host of the controller.",
    "stations[].controller.port": "TCP port of the controller's Open Protocol.",
    "stations[].controller.device": (
        "Serial device, such as /dev/ttyUSB0; on a chip the number of a UART, and its pins (transmit, receive, RTS, "
        "CTS) where the board's own are not wanted: `1`, `1:8,9`, `1:8,9,11,10`. On Linux also a line behind a "
        "device server: `socket://host:port` (raw TCP) or `rfc2217://host:port`. One for each station."
    ),
    "stations[].controller.baud": "Speed of the serial line.",
    "stations[].controller.parity": "Parity of the serial line.",
    "stations[].controller.stop_bits": "Stop bits of the serial line.",
    "stations[].controller.flow": "Hardware flow control of the serial line; on a chip its pins are part of `device`.",
    "stations[].controller.rs485": (
        "RS485 with two wires: what switches the transmitter on, high while we send: `rts` on Linux (the driver does "
        "it), a pin's number on a chip; empty where the adapter does it by itself."
    ),
    "stations[].controller.invert": "Levels of both directions inverted. Chips only.",
    "stations[].controller.priority": ("3964R: priority when both start to send; the integrator's is low."),
    "stations[].controller.payload": (
        "3964R: form of the payload sent; auto tries v2, v0 and v1 and keeps what is answered."
    ),
    "stations[].controller.header": (
        "How the controller lays out the 20 bytes in front of a message: `op-ford` and `op-bmw` (Rexroth System 350) "
        "have the spindle in front of the revision; there `spindle_id` null is sent as 00, the controller itself."
    ),
    "stations[].controller.start_revisions": (
        "Revisions of MID 0001 to try, in this order; then it is sent once without a revision."
    ),
    "stations[].controller.result_revisions": (
        "Revisions of the result subscription (MID 0060) to try, in this order; 999 is light. The first one that the "
        "controller accepts is kept. 3 is the shortest of the others with all that is stored. 998 at the end, and "
        "none in the header, are tried only where every other way to ask for results was rejected too."
    ),
    "stations[].controller.results": (
        "How results are asked for: `auto` tells by the controller's answers. `operations` is MID 1201 first, each "
        "tightening with all its bolts, where MID 0060 is known too (Flex, StepSync since 3.10). `sync` is MID 0100, "
        "the result of a sync master with all its spindles; `powermacs` is MID 0105, `powermacs-bolts` with the data "
        "of each bolt (MID "
        "0107). On a board a spool is read with the same setting only, and `auto` keeps up to 26 spindles of a sync "
        "master, 9 of a PowerMACS."
    ),
    "stations[].controller.station_id": "Station ID in our message headers; null sends blanks.",
    "stations[].controller.spindle_id": "Spindle ID in our message headers; null sends blanks.",
    "stations[].controller.recover": "Fetch results missed while away, with MID 0064.",
    "stations[].controller.tightening_ids": (
        "Whether the controller counts tightening IDs for each station (`own`) or for all of them (`shared`, Power "
        "Focus 6000 up to software 2.8); `auto` tells by its answers."
    ),
    "stations[].controller.events": (
        "What to ask the controller for beside results: alarms, jobs, selected parameter sets, vehicles (VIN), where a "
        "file or `toolsnet.events` wants them."
    ),
    "stations[].controller.commands": (
        "Commands that others may send to the controller through the agent (`toolcart command`); null: none."
    ),
    "stations[].controller.clock": (
        "Compare the controller's clock with ours, on each connection and once a day; set it where it is more than 5 s "
        "off. Only while NTP or ToolsNet keep ours."
    ),
    "stations[].controller.limits": (
        "Ask for the limits of each parameter set, where results come in revision 999, which has none."
    ),
    "stations[].controller.buffer_bytes": (
        "Receive buffer, and so the longest message taken; longer ones are drained and counted."
    ),
    "stations[].controller.traces": (
        "Curves to ask for (MID 0900), over TCP only; null asks for none. They need `spool.graphs_kib`."
    ),
    "stations[].spool.path": (
        "File or partition that keeps the results; relative to the configuration file; one for each station. On boards "
        "`raw`, `raw@KIB` or the name of a folder."
    ),
    "stations[].spool.size_kib": "Size of the spool; four blocks of it are its state. 1024 on boards. A file grows at "
    "the next start where this is larger; it never shrinks.",
    "stations[].spool.when_full": (
        "Full: refuse further results (the controller keeps them), or overwrite the oldest."
    ),
    "stations[].spool.parked_kib": (
        "Part of the spool for the quarantine: results that ToolsNet refuses. null is a quarter of `size_kib`, 16 on "
        "boards; 12 without ToolsNet."
    ),
    "stations[].spool.graphs_kib": (
        "Part of the spool for curves, in which the oldest make room for the newest; an existing spool keeps its own."
    ),
    "stations[].spool.unit": (
        "Files only: bytes that no two records share, see below; a spool keeps the unit it was made with."
    ),
    "board.network": "Chips only: how the network is reached; none for serial lines and on a Raspberry Pi.",
    "board.ssid": "Name of the Wi-Fi network.",
    "board.password": "Password of the Wi-Fi network, see Secrets; never shown, never logged.",
    "board.country": "Two capital letters for the radio's channels, such as DE.",
    "board.address": (
        "Fixed IPv4 address with its prefix, gateway and name server, such as `10.0.0.5/24, gateway 10.0.0.1, dns "
        "10.0.0.2`; empty asks DHCP, `dns 10.0.0.2` alone as well. Without `dns` the gateway is asked for names."
    ),
    "board.ntp_hosts": (
        "Time servers, the next one asked where one does not answer; null leaves the clock to ToolsNet and the"
        " controllers."
    ),
    "board.time_zone": (
        "Time zone in POSIX form: CET-1CEST,M3.5.0,M10.5.0/3 is Central Europe, IST-5:30 is India, all "
        "year; empty is UTC. NTP gives UTC, a plant's archive wants local time."
    ),
    "board.lamp": "Pin of the status lamp; empty is the board's own.",
    "board.ethernet_pins": (
        "Pins of a W5500 or LAN8720 that differ from those of its usual board, such as `sck 10, mosi 11, miso 12` or "
        "`power 12, address 0, clock_out 17`; docs/boards.md has all names."
    ),
    "board.supply": (
        "Supply below which a chip writes nothing to its flash and takes no result, such as `min_mv 4400, pin 29, "
        "ratio 3`: limit, pin of the ADC, and the supply divided by the voltage there (default: a Pico's VSYS). Empty: "
        "not measured."
    ),
}

SECRET = "secret"

_TYPES = {
    "int": "whole number",
    "time": "number",
    "text": "text",
    "host": "text",
    "hosts": "list",
    "bool": "true or false",
    "one": "choice",
    "list": "list",
    "any": "list",
}

_DEFAULTS = {
    "-": "required",
    "-tcp": "required for tcp",
    "-serial": f"required for {NAMED}",
    "~": "null",
    "*": "all, in this order",
    '""': "empty",
}

for _module in OUTLETS.values():
    MEANINGS.update({f"stations[].outlets[].{key}": said for key, said in _module.MEANINGS.items()})

# How many results fit a spool of 1 MiB, by unit: light ones, and full ones with their limits. A test measures them.
ROOM = {16: (7800, 5500), 64: (7800, 5000), 256: (4000, 3800), 512: (2000, 2000)}

# Of what is allowed, as `config check` says it, and as the page does.
_SHORTER = (
    (r"^a name or an address alone, such as 10.0.0.5$", "a host: name or address"),
    (r"^a whole number from ", ""),
    (r"\b[01] to (\d+) printable ASCII characters", r"text, up to \1"),
    (r"^a list with any of (.*), each once$", r"some of \1"),
    (r"^one of ", ""),
)

_HEAD = "| setting | for | default | allowed | meaning |"

_INTRODUCTION = """\
# Configuration

<!-- Written by `python -m toolcart.tools.config.setting_texts`. -->

One JSON file in UTF-8, the same on a Raspberry Pi and on a board. `toolcart config new FILE` asks seven questions and
writes one; `toolcart config check FILE` lists the mistakes, each with its place, what was found and what is expected;
where there are none, it tries the files that are named. A key that is not listed here is a mistake, and so is one that
stands twice. `toolcart config schema` prints a JSON Schema, with which an editor completes keys. Whatever is left out
has the default below.

- Times end in `_s` and are seconds; fractions are allowed, and a millisecond is the least that counts.
- Relative paths, of a spool or of an outlet's file, start from the configuration file's folder; those of a
  configuration in `/etc/toolcart` from `/var/lib/toolcart`.
- No two stations share their number, their spool, their controller (host and port, unless `station_id` or `spindle_id`
  differs), their serial device, a file of lines or an MQTT topic. Two spellings of one file, device or address are one.
  The virtual stations of a Power Focus 6000 have one host and a port each.
- `parked_kib` is at most half of `size_kib`, and with `graphs_kib` at most three quarters of it.
- No peer is at 0.0.0.0, a multicast or a broadcast address, and no port has two kinds of them (a controller, the PIM,
  a broker, a web server). A name of a file, device or topic has no blank around it.
- A setting without effect beside others, such as `host` beside `"link": "3964r"`, is a warning of `config check`.
- There are 1 to 250 stations (16 on a board), and 1 to 4 outlets for each ([outlets.md](outlets.md)): at least one
  that is durable, ToolsNet once at most, three others at most. Without ToolsNet there is no section `toolsnet`.
- Text is printable ASCII. A setting whose default is null may be null, which switches it off.
- "For" says who needs a setting:
"""

_SECRETS = """
## Secrets

The configuration names a secret, it does not hold it:

- `{{"file": "wifi.password"}}`: a file of one line, named from the configuration's folder, with mode 0600, of the user
  that runs the agent (`sudo chown toolcart FILE` for the Debian package). `toolcart install-service` gives the service
  a copy of its own.
- `{{"credential": "wifi"}}`: a credential of systemd, which the unit loads from `/etc/credstore/wifi`. Where no unit of
  this configuration loads it, it is a secret that cannot be read here.

An outlet beside ToolsNet whose secret cannot be read, or is none that the setting takes (two lines, an umlaut, too
long), is not started: the agent collects without it, says why, and tries
again every 10 s. `toolcart config check` calls such a configuration good in itself and ends with 1; a reload is refused
with the setting that it is about, and the agent goes on with what it has. The same goes for a certificate that cannot
be used, ToolsNet's too. What the running agent has to do without already refuses no reload: the rest of the
configuration can be mended meanwhile.

`toolcart flash` puts the secret itself into the chip's configuration, as a chip has no other place for it;
`toolcart board config` does not show it. Settings of this kind: {secrets}.
"""

_UNITS = """
## What `spool.unit` is for

**With the default of 16 a new result shares a sector of the disk with acknowledged results.** A medium that leaves a
sector unreadable when power fails while it is written loses them with the new one. With 512 every result has its
sectors to itself: only the new result is spoiled, and the controller brings it again. 64 and 256 do the same for media
that write such pieces whole.

No unit helps where the medium spoils more than 512 bytes: most disks have sectors of 4096 bytes, cheap cards write
still larger pieces. A medium that is rated for power loss is worth more than any unit.

Results that fit a spool of 1 MiB:

| `unit` | light results | full results with limits |
|---|---|---|
"""


def rows():
    """Yield (place, type, unit, default, allowed, meaning) of every setting, all as text for people."""
    for place, kind, unit, default, allowed in config.describe():
        default_text, limits = "", allowed
        if config_secrets.is_written(place.rsplit(".", 1)[1]):
            default_text, limits = SECRET, f"{config_secrets.FORMS}, of {allowed}"
        yield place, default_text or _TYPES[kind], unit, _DEFAULTS.get(default, default), limits, MEANINGS[place]


def _shorter(allowed):
    """What is allowed, as a table has room for it."""
    allowed = re.sub(r"(, or an empty list)?( or null)?$", "", allowed)
    for long, short in _SHORTER:
        allowed = re.sub(long, short, allowed)
    return allowed


def page():
    """Return the text of docs/configuration.md."""
    lines = [_INTRODUCTION, *(f"  - {who}: {text}\n" for who, text in AUDIENCES.items())]
    section = ""
    for place, _, _, default, allowed, meaning in rows():
        parent, key = place.rsplit(".", 1)
        if parent != section:
            section = parent
            lines.append(f"\n## `{section}`\n\n{_HEAD}\n|---|---|---|---|---|\n")
        lines.append(f"| `{key}` | {audience(place)} | {default} | {_shorter(allowed)} | {meaning} |\n")
    room = [f"| {unit} | {light:,} | {full:,} |\n" for unit, (light, full) in ROOM.items()]
    secrets = ", ".join(f"`{place}`" for place, kind, *_ in rows() if kind == SECRET)
    return "".join([*lines, _SECRETS.format(secrets=secrets), _UNITS, *room])


if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    print(page(), end="")
