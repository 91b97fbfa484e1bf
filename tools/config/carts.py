"""Makes the configurations of all carts from a template and the inventory, and checks each alone and all together.

The template is a configuration whose texts may name columns: "{name}" is replaced by the column's text, and a text that
is only "{station:int}" becomes a whole number. A literal brace is written twice.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from toolcart.tools.config import file as config_file
from toolcart.tools.config.inventory import Cart, InventoryError
from toolcart.tools.config.mistake_reasons import NESTED_TOO_DEEPLY
from toolcart.tools.config.shared_controllers import plain_host


class _UnfilledText(Exception):
    """A text that cannot be filled in: the column, and what is wrong with it."""


def configurations(template_path: str | Path, carts: list[Cart]) -> dict[str, str]:
    """Return the text of each cart's configuration by its name; ConfigurationError with all mistakes of all carts."""
    try:
        template = config_file.parse(template_path)
    except config_file.ConfigurationError as error:
        raise InventoryError(
            template_path,
            [config_file.placed_sentence(mistake) for mistake in error.mistakes],
        ) from None
    mistakes: list[str] = []
    texts: dict[str, str] = {}
    completed: list[tuple[Cart, dict]] = []
    folder = Path(os.path.realpath(template_path)).parent  # secrets' names are relative to it
    for cart in carts:
        try:
            texts[cart.name] = json.dumps(_filled(template, cart, ""), indent=2) + "\n"
            completed.append((cart, config_file.read_text(folder / f"{cart.name}.json", texts[cart.name])))
        except _UnfilledText as absent:
            mistakes.append(f"row {cart.row} ({cart.name}): {absent}")
        except RecursionError:
            raise InventoryError(template_path, [NESTED_TOO_DEEPLY]) from None
        except config_file.ConfigurationError as error:
            mistakes += [_mistake_in_row(cart, template, mistake) for mistake in error.mistakes]
    mistakes += _conflicts(completed)
    if mistakes:
        raise InventoryError(template_path, mistakes)
    return texts


def _filled(part: object, cart: Cart, place: str) -> object:
    if isinstance(part, dict):
        return {key: _filled(value, cart, f"{place}.{key}" if place else key) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, cart, f"{place}[{index}]") for index, value in enumerate(part)]
    return _text(part, cart, place) if isinstance(part, str) else part


def _text(text: str, cart: Cart, place: str) -> str | int:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise _UnfilledText(f"{place} has a brace alone in {text!r}; a literal one is written twice") from None
    message = ""
    for literal, column, kind, conversion in parts:
        message += literal
        if column is None:
            continue
        if kind == "int" and len(parts) == 1 and not literal:
            return _whole_number(column, cart, place)
        if kind or conversion:
            raise _UnfilledText(
                f"{place} has {text!r}; allowed are {{column}}, and {{column:int}} with nothing around it"
            )
        message += _value(column, cart, place)
    return message


def _whole_number(column: str, cart: Cart, place: str) -> int:
    value = _value(column, cart, place)
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        raise _UnfilledText(f"column {column!r} is {value!r}; {place} wants a whole number")
    return int(value)


def _value(column: str, cart: Cart, place: str) -> str:
    if not cart.columns.get(column):
        columns = ", ".join(cart.columns)
        raise _UnfilledText(f"column {column!r}, which {place} wants, is empty or not there; there are {columns}")
    return cart.columns[column]


def _mistake_in_row(cart: Cart, template: object, mistake: config_file.Mistake) -> str:
    place, found, allowed = mistake
    columns = [name for text in _texts_at(template, place) for name in re.findall(r"\{([^{}:]+)", text)]
    location = f"column {columns[0]!r}, {place}" if columns else place
    return f"row {cart.row} ({cart.name}), {location}: {config_file.sentence(found, allowed)}"


def _texts_at(template: object, place: str) -> Iterator[str]:
    part = template
    for key in re.findall(r"[^.\[\]]+", place):
        if isinstance(part, list) and key.isdigit() and int(key) < len(part):
            part = part[int(key)]
        elif isinstance(part, dict) and key in part:
            part = part[key]
        else:
            return
    if isinstance(part, str):
        yield part


def _conflicts(completed: list[tuple[Cart, dict]]) -> list[str]:
    """Say which carts are the same station to ToolsNet, or want the same controller's place."""
    first_cart: dict[tuple, Cart] = {}
    mistakes: list[str] = []
    for cart, tree in completed:
        claims = set()
        for station in tree["stations"]:
            controller = station["controller"]
            claims.add(("station", f"{tree['system']['number']}/{station['number']} (system/station)"))
            if controller["link"] == "tcp":
                claims.add(("controller", f"{plain_host(controller['host'])}:{controller['port']}"))
        for kind, value in sorted(claims):
            other = first_cart.setdefault((kind, value), cart)
            if other is not cart:
                mistakes.append(
                    f"row {cart.row} ({cart.name}): {kind} {value} is that of row {other.row} ({other.name})"
                )
    return mistakes
