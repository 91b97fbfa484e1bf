"""The questions of `toolcart config new`, and the configuration that the answers make.

Rules
1. An answer is checked at once, by the agent's own check; after a wrong one the question is asked again with what is
   allowed, but a wrong option ends the command.
2. What is not asked keeps its default, and is not written: the file has only what is specific to this cart.
3. If options have answered the six questions that every cart needs, the last one is not asked, unless the cart has no
   ToolsNet: at least one place has to get the results.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from toolcart.agent.cart import config
from toolcart.agent.linux.web_address import WebAddress
from toolcart.base.privileges import as_root
from toolcart.base.serial_settings import PROCEDURES, WITH_DEVICE
from toolcart.tools.config import path_checks, peers
from toolcart.tools.config.file import SERVICE_CONFIG, sentence
from toolcart.tools.config.schema import FILE_NAME

PASSWORD_FILE = "wifi.password"
EXIT_CONFIGURATION = 2
NO = "no"


@dataclass(frozen=True)
class Question:
    """A question, the option that answers it, and where the answer goes."""

    option: str
    text: str
    default: str | None
    put: Callable[[dict, str], None]  # its ValueError says what is allowed


def _name(tree: dict, answer: str) -> None:
    station = tree["stations"][0]
    station["name"] = answer
    station["spool"]["path"] = (re.sub(r"[^a-z0-9]+", "", answer.lower()) or "cart") + ".spool"


def _controller(tree: dict, answer: str) -> None:
    link, _, device = answer.partition(":")
    if link in PROCEDURES:
        tree["stations"][0]["controller"] = {"link": link, "device": device}
        return
    host, port = _address(answer)
    tree["stations"][0]["controller"] = {"host": host, **({} if port is None else {"port": port})}


def _pim(tree: dict, answer: str) -> None:
    tree["stations"][0].pop("outlets", None)
    if answer == NO:
        tree.pop("toolsnet", None)
        tree["stations"][0]["outlets"] = [{"kind": "mqtt", "host": "broker"}]  # until the last question
        return
    host, port = _address(answer)
    if port is None:
        raise ValueError("HOST:PORT, as the protocol names no port and the plant does; or no")
    tree["toolsnet"] = {"pim_host": host, "pim_port": port}


def _system(tree: dict, answer: str) -> None:
    tree["system"] = {"number": _number(answer)}


def _station(tree: dict, answer: str) -> None:
    tree["stations"][0]["number"] = _number(answer)


def _machine(tree: dict, answer: str) -> None:
    kind, _, ssid = answer.partition(":")
    tree.pop("board", None)
    if kind == "linux" and not ssid:
        return
    if kind == "ethernet" and not ssid:
        tree["board"] = {"network": "ethernet"}
    elif kind == "wifi" and ssid:
        tree["board"] = {"network": "wifi", "ssid": ssid, "password": {"file": PASSWORD_FILE}}
    else:
        raise ValueError("linux, ethernet or wifi:NAME")
    tree["stations"][0]["spool"] = {"path": "raw", "size_kib": CHIP_KIB}


def _other_outlet(tree: dict, answer: str) -> None:
    station = tree["stations"][0]
    kind, _, address = answer.partition("://")
    toolsnet = [{"kind": "toolsnet"}] if "toolsnet" in tree else []
    if answer == NO and toolsnet:
        station.pop("outlets", None)
        return
    if kind == "mqtt" and address and "/" not in address:
        host, port = _address(address)
        outlet = {"kind": "mqtt", "host": host, **({} if port is None else {"port": port})}
    elif kind in ("http", "https") and "board" not in tree:
        fault = WebAddress(answer).fault
        if fault:
            raise ValueError(fault)
        outlet = {"kind": "webhook", "url": answer}
    else:
        mqtt_hint = "; mqtts and users: docs/outlets.md" if kind.startswith("mqtt") else ""
        no_choice = f"{NO}, " if toolsnet else ""
        raise ValueError(f"{no_choice}mqtt://BROKER or mqtt://BROKER:PORT, on Linux https://HOST/PATH{mqtt_hint}")
    station["outlets"] = [*toolsnet, outlet]


_WITHOUT_TOOLSNET = "7. Results to (mqtt://BROKER, or a webhook: https://HOST/PATH)"
CHIP_KIB = 512  # what our image of the RP2040 leaves after its file system

QUESTIONS = (
    Question("name", "1. Name of the cart", "Cart 1", _name),
    Question("controller", f"2. Controller (HOST, HOST:PORT, or a line: {', '.join(WITH_DEVICE)})", None, _controller),
    Question("pim", "3. PIM of ToolsNet (HOST:PORT, or no)", None, _pim),
    Question("system", "4. Number of the system in ToolsNet", "1", _system),
    Question("station", "5. Number of the station in ToolsNet", "1", _station),
    Question("machine", "6. Runs on (linux, or a chip: ethernet, wifi:NAME)", "linux", _machine),
    Question(
        "also",
        "7. Results to another place as well (mqtt://BROKER, or a webhook: https://HOST/PATH)",
        NO,
        _other_outlet,
    ),
)


def ask(options: dict[str, str | None], folder: Path) -> tuple[dict, str | None]:
    """Return the configuration, and its Wi-Fi password if it needs one that is not there yet."""
    tree: dict[str, Any] = {
        "$schema": f"./{FILE_NAME}",
        "system": {"number": 1},
        "toolsnet": {"pim_host": "pim", "pim_port": 1},
        "stations": [{"number": 1, "name": "", "controller": {"host": "controller"}, "spool": {"path": "a"}}],
    }
    is_asking = False
    for question in QUESTIONS:
        answer = options.get(question.option)
        text, default = question.text, question.default
        if question.put is _other_outlet:
            if "toolsnet" not in tree:
                text, default = _WITHOUT_TOOLSNET, None
            elif not is_asking:
                answer = answer or NO
        while True:
            is_prompted = answer is None
            is_asking = is_asking or is_prompted
            reply = click.prompt(text, default=default, err=True) if answer is None else answer
            allowed = _put_answer(tree, question, reply)
            if allowed is None:
                break
            click.echo(f"  {sentence(config.value_text(reply), allowed)}", err=True)
            if not is_prompted:
                option = "on" if question.option == "machine" else question.option
                click.echo(f"toolcart: --{option} cannot be that.", err=True)
                sys.exit(EXIT_CONFIGURATION)
    needs_password = tree.get("board", {}).get("network") == "wifi" and not (folder / PASSWORD_FILE).exists()
    return tree, _password(tree) if needs_password else None


def _put_answer(tree: dict, question: Question, reply: str) -> str | None:
    """Put the answer in; return what is allowed if the agent would not take it."""
    try:
        question.put(tree, reply.strip())
    except ValueError as allowed:
        return str(allowed)
    checked = json.loads(json.dumps(tree))
    checked.get("board", {}).pop("password", None)
    mistakes = config.check(checked)
    if not mistakes:
        completed = config.complete(checked)
        mistakes = path_checks.odd_names(completed) + peers.mistakes(completed)
    return "; ".join(allowed for _, _, allowed in mistakes) or None


def _password(tree: dict) -> str:
    while True:
        password = click.prompt(f"   Password of {tree['board']['ssid']}", hide_input=True, err=True)
        if not config.check({**tree, "board": {**tree["board"], "password": password}}):
            return password
        click.echo("  expected 1 to 63 printable ASCII characters", err=True)


def next_step(tree: dict, file: Path) -> str:
    if "board" in tree:
        return f"Next: toolcart flash --board rp2 --port PORT --config {shlex.quote(str(file))} (or --board esp32)"
    if os.path.realpath(file) == str(SERVICE_CONFIG):  # its spools belong to the service's user
        return f"Next: {as_root('systemctl restart toolcart')}"
    return f"Next: toolcart run --config {shlex.quote(str(file))}"


def _address(answer: str) -> tuple[str, int | None]:
    if answer.count(":") > 1 and "]:" not in answer:  # IPv6 without a port
        return answer.strip("[]"), None
    host, colon, port = answer.rpartition(":")
    if not colon:
        return answer, None
    if not (port.isascii() and port.isdigit()) or not host:
        raise ValueError("HOST or HOST:PORT, such as 10.0.0.10:4545")
    return host.strip("[]"), int(port)


def _number(answer: str) -> int:
    if not (answer.isascii() and answer.isdigit()):
        raise ValueError("a whole number from 1 to 9999")
    return int(answer)
