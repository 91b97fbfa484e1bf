"""What goes onto a chip: the compiled version with its configuration and hashes, and the few files beside it.

Rules
1. The same checkout and the same configuration give the same bytes, so that what has not changed is not sent.
2. The configuration is completed here: a chip has neither the tables of settings nor the code that checks them.
3. A version is named by the digest of all its files; its configuration counts, its place (a or b) does not.
4. It contains only what the chip needs: MQTT if such an outlet is configured, TLS and its certificates if `tls_ca` is
   set. If the firmware has exactly this core frozen, it is only configuration and certificates; safe_mode is then
   frozen as well, and its code takes no heap.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import click

from toolcart.agent.cart import config
from toolcart.agent.cart.settings import SERIAL
from toolcart.base.mpy_files import compiled as mpy_of
from toolcart.base.mpy_files import compiled_files
from toolcart.base.sources import ROOT, Source
from toolcart.board.uart import parse_device
from toolcart.tools.config import board_certificates, board_checks, board_network
from toolcart.tools.config import file as config_file
from toolcart.tools.flash import hardware, pins
from toolcart.tools.flash.frozen import SAFE_MODE_SOURCE, core_digest, sha256, sources_for

PLATFORMS = ("rp2", "esp32")
BOARD_OPTION = click.option(
    "--board", "platform", type=click.Choice(PLATFORMS), required=True, help="The kind of chip."
)
CONFIG_OPTION = click.option(
    "--config",
    "config_path",
    required=True,
    type=click.Path(readable=False),
    metavar="FILE",
    help="The cart's configuration.",
)
VERSION_FILE = "version.json"
SAFE_MODE = "/safe_mode.mpy"
CONFIG_FILE = "config.json"
MAIN = b"""# Starts toolcart: see docs/boards.md. `toolcart flash` wrote this.
try:
    import safe_mode

    safe_mode.start()
except MemoryError:
    import machine
    import time

    print("toolcart: out of memory")
    time.sleep(5)  # Ctrl-C gives the REPL
    machine.reset()
"""

# What the agent needs from micropython-lib: nothing. `toolcart flash` and mip install what is listed here.
DEPENDENCIES: tuple[str, ...] = ()

# Loaded if board.supply is set; a version without it does not have them.
SUPPLY_FILES = ("toolcart/board/supplied_flash.mpy",)

OUTLETS_OF_CHIPS = ("mqtt",)  # apart from ToolsNet

# Prefixes of the sources that only an outlet of this kind needs, or a station that allows commands.
OPTIONAL_SOURCES = {
    "mqtt": (
        "toolcart/agent/mqtt/",
        "toolcart/agent/outlets/mqtt",
        "toolcart/agent/outlets/batch.py",
        "toolcart/agent/outlets/redelivery.py",
        "toolcart/agent/record/json_line.py",
    ),
    "commands": ("toolcart/agent/openprotocol/commands.py", "toolcart/agent/station/command"),
}

_TOOLSNET_OF_LINUX = ("events", "extras")
_CONTROLLER_OF_LINUX = ("events", "traces")


@dataclass(frozen=True)
class Version:
    """The files of one version, named relative to its folder, and the files in the root.

    The latter are the two that MicroPython itself looks for, and safe_mode, which chooses the version.
    """

    platform: str
    digest: str
    files: dict[str, bytes]  # without version.json, which is written last
    root: dict[str, bytes]

    @property
    def is_frozen(self) -> bool:
        """True if the firmware has the core: then only the configuration and what belongs to it are installed."""
        return SAFE_MODE not in self.root

    @property
    def unwanted(self) -> tuple[str, ...]:
        """Return the files of the root that would hide the firmware's own."""
        return (SAFE_MODE,) if self.is_frozen else ()

    @property
    def configuration(self) -> dict:
        """The configuration as the board gets it; nothing in a version without one."""
        return json.loads(self.files.get(CONFIG_FILE, b"{}"))

    def manifest(self) -> bytes:
        """Return the content of version.json."""
        digests = {name: [len(content), sha256(content)] for name, content in sorted(self.files.items())}
        return json.dumps({"digest": self.digest, "board": self.platform, "files": digests}).encode()


def installed_sources(platform: str, kinds: Collection[str] = ()) -> list[Source]:
    """Return those of `sources_for` that a version with these `kinds` of OPTIONAL_SOURCES has."""
    return [source for source in sources_for(platform) if not source.name.startswith(left_out(kinds))]


def build(platform: str, architecture: str, config_path: str | Path, frozen: str = "") -> Version:
    """Check the configuration and compile everything; config_file.Wrong for mistakes, ValueError from the compiler."""
    tree, authorities = _checked(config_path, platform)
    is_frozen = bool(frozen) and frozen == core_digest(platform)
    kinds = {outlet["kind"] for station in tree["stations"] for outlet in station["outlets"]}
    if any(station["controller"].get("commands") for station in tree["stations"]):
        kinds.add("commands")
    files = {} if is_frozen else compiled(platform, architecture, kinds)
    if not tree["board"]["supply"]:
        files = {name: content for name, content in files.items() if name not in SUPPLY_FILES}
    if not authorities:
        files = {name: content for name, content in files.items() if name not in board_certificates.MODULES}
    files |= authorities
    files[CONFIG_FILE] = json.dumps(tree, separators=(",", ":"), sort_keys=True).encode()
    listed = "\n".join(f"{name} {sha256(content)}" for name, content in sorted(files.items()))
    root = {"/boot.py": (ROOT / "toolcart/board/boot.py").read_bytes(), "/main.py": MAIN}
    if not is_frozen:
        root = {SAFE_MODE: compiled_safe_mode(), **root}
    return Version(platform, sha256(listed.encode())[:16], files, root)


def left_out(kinds: Collection[str] = ()) -> tuple[str, ...]:
    """Return the prefixes of the sources that a version with these `kinds` of OPTIONAL_SOURCES does not have."""
    return tuple(part for kind, parts in OPTIONAL_SOURCES.items() if kind not in kinds for part in parts)


def checked_config(path: str | Path, platform: str = "") -> dict:
    """Return the configuration as a chip gets it: completed, and checked that a chip can do what it says."""
    return _checked(path, platform)[0]


def completed(tree: dict) -> dict:
    """Return a good tree with every default that a chip has and without the settings that no chip reads."""
    configuration = config.complete(board_checks.with_defaults(tree))
    for station in configuration["stations"]:
        for key in (*_CONTROLLER_OF_LINUX, *(SERIAL if station["controller"]["link"] == "tcp" else ())):
            del station["controller"][key]
        if not station["controller"]["commands"]:
            del station["controller"]["commands"]
        del station["spool"]["graphs_kib"]
    for key in _TOOLSNET_OF_LINUX if configuration["toolsnet"] else ():
        del configuration["toolsnet"][key]
    return {**configuration, "completed": True}


def _checked(path: str | Path, platform: str) -> tuple[dict, dict[str, bytes]]:
    """Return that and the certificates it names; the configuration then has the names that the board uses."""
    configuration, tree = config_file.read_whole(path)
    of_no_board = board_checks.mistakes(tree)  # told already of what says itself that it is for one
    mistakes = [*of_no_board]
    board = configuration["board"]
    over_network = [s for s in configuration["stations"] if s["controller"]["link"] == "tcp"]
    if board["network"] == "none" and over_network:
        mistakes.append(("board.network", '"none"', "wifi or ethernet: outlets and a controller are reached over TCP"))
    elif "network" not in tree.get("board", {}):
        mistakes.append(("board.network", "nothing", "wifi, ethernet, or none: results then stay on the board"))
    for index, station in enumerate(configuration["stations"]):
        if not of_no_board:
            mistakes += _line_mistakes(f"stations[{index}].controller", station["controller"], platform)
        mistakes += _outlet_mistakes(f"stations[{index}]", station)
    mistakes += _linux_mistakes(configuration)
    wants_pins = platform and board["network"] == "ethernet"
    numbers: dict[str, list] = {}
    for key, compute in (
        ("ethernet_pins", lambda: pins.pins_of(platform, board["ethernet_pins"]) if wants_pins else []),
        ("supply", lambda: pins.supply_of(platform, board) if platform else []),
        ("address", lambda: board_network.addresses_of(board["address"])),
    ):
        try:
            numbers[key] = compute()
        except ValueError as error:
            mistakes.append((f"board.{key}", json.dumps(board[key]), str(error)))
    if mistakes:
        raise config_file.ConfigurationError(path, mistakes)
    authorities: dict[str, bytes] = {}
    try:
        if configuration["toolsnet"]:
            authorities, named = board_certificates.for_board(config_file.folder_of(path), configuration["toolsnet"])
            tree["toolsnet"].update(named)
    except board_certificates.CertificateError as unusable:
        raise config_file.CannotRunHere(path, [unusable.mistake]) from None
    complete_tree = completed(tree)
    complete_tree["board"].update(numbers)
    if platform and (mistakes := hardware.mistakes(platform, complete_tree)):
        raise config_file.ConfigurationError(path, mistakes)
    return complete_tree, authorities


def _outlet_mistakes(place: str, station: dict) -> list[tuple[str, str, str]]:
    """List what a chip's outlets cannot be: it has ToolsNet, one broker without TLS, or both."""
    mistakes = []
    kinds = [outlet["kind"] for outlet in station["outlets"]]
    if len(set(kinds)) < len(kinds) or not set(kinds) <= {"toolsnet", *OUTLETS_OF_CHIPS}:
        words = "toolsnet, one mqtt, or both: a chip has no files for lines"
        return [(f"{place}.outlets", ", ".join(kinds), words)]
    for index, outlet in enumerate(station["outlets"]):
        if outlet["kind"] == "toolsnet":
            continue
        if outlet["tls_ca"]:
            words = "null: a chip has the memory for one TLS, ToolsNet's"
            mistakes.append((f"{place}.outlets[{index}].tls_ca", json.dumps(outlet["tls_ca"]), words))
        if outlet["graphs"]:
            mistakes.append((f"{place}.outlets[{index}].graphs", "true", "false: a chip keeps no curves"))
        controller = station["controller"]
        if controller["results"] != "auto":
            words = "auto with mqtt: a chip writes lines of one spindle"
            mistakes.append((f"{place}.controller.results", json.dumps(controller["results"]), words))
    return mistakes


def _line_mistakes(place: str, controller: dict, platform: str) -> list[tuple[str, str, str]]:
    """List what a UART of this platform cannot do."""
    if controller["link"] == "tcp" or controller["flow"] != "rts_cts" or platform != "esp32":
        return []
    device = controller["device"]
    if len(parse_device(device)[1]) == 4:
        return []
    return [(f"{place}.device", json.dumps(device), "with four pins, as an ESP32 has none for RTS and CTS")]


def _linux_mistakes(configuration: dict) -> list[tuple[str, str, str]]:
    """List settings for Linux only: a board would not start with them."""
    toolsnet = configuration["toolsnet"] or {}
    mistakes = [
        (f"toolsnet.{name}", json.dumps(toolsnet[name]), "null: a chip sends results alone")
        for name in _TOOLSNET_OF_LINUX
        if toolsnet.get(name)
    ]
    for index, station in enumerate(configuration["stations"]):
        if station["controller"]["traces"]:
            traces = json.dumps(station["controller"]["traces"])
            mistakes.append((f"stations[{index}].controller.traces", traces, "null: a chip keeps no curves"))
    return mistakes


def compiled(platform: str, architecture: str, kinds: Collection[str] = ()) -> dict[str, bytes]:
    """Return every .mpy of a version by its name below the version's folder.

    `kinds` are those of OPTIONAL_SOURCES that it has. Without an `architecture` it has no machine code.
    """
    return compiled_files(installed_sources(platform, kinds), architecture)


def compiled_safe_mode() -> bytes:
    """Return safe_mode, which chooses the version, compiled for firmware that does not have it."""
    return mpy_of(Source(SAFE_MODE_SOURCE.name, SAFE_MODE_SOURCE.read_text(encoding="utf-8")))
