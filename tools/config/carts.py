"""Makes the configurations of all carts from a template and the inventory, and checks each alone and all together.

Rules
1. The template is a configuration whose texts may name columns: "{name}" is replaced by the column's text, and a text
   that is only "{station:int}" becomes a whole number. A literal brace is written twice.
2. A mistake is that of the inventory, with row and column, where a column's value makes it, or no such column is there;
   else it is the template's, and said once.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from toolcart.tools.config import file as config_file
from toolcart.tools.config.inventory import Cart, Inventory, InventoryError
from toolcart.tools.config.mistake_reasons import NESTED_TOO_DEEPLY
from toolcart.tools.config.shared_controllers import plain_host


class _Mistakes:
    """The mistakes of an inventory and of a template."""

    def __init__(self, inventory: Inventory, template_path: str | Path, template: object) -> None:
        self._inventory = inventory
        self._template_path = template_path
        self.template = template
        self.checked = 0  # carts with a value for each column
        self._of_inventory: list[str] = []
        self._of_template: list[str] = []
        self._of_neither: dict[str, list[tuple[int, str]]] = {}  # no column is at their place: in which rows they are

    def in_row(self, cart: Cart, columns: list[str], words: str) -> None:
        """Add one that the values of these columns make."""
        self._of_inventory.append(f"row {cart.row} ({cart.name}), {_named(columns)}: {words}")

    def in_names(self, words: str) -> None:
        """Add one of the inventory's columns, once."""
        row = self._inventory.names_row
        line = f"row {row}: {words}" if row else words
        if line not in self._of_inventory:
            self._of_inventory.append(line)

    def in_template(self, words: str) -> None:
        """Add one of the template, once."""
        if words not in self._of_template:
            self._of_template.append(words)

    def of_configuration(self, cart: Cart, mistake: config_file.Mistake) -> None:
        """Add what is wrong with a cart's configuration."""
        place, found, _ = mistake
        columns = _columns_at(self.template, place)
        words = config_file.placed_sentence(mistake)
        if not found:
            self.in_template(words)  # it is the setting, not its value
        elif columns:
            self.in_row(cart, columns, words)
        else:
            self._of_neither.setdefault(words, []).append((cart.row, cart.name))

    def no_column(self, column: str, place: str) -> None:
        """Add that no cart has this column."""
        there = ", ".join(dict.fromkeys(name for cart in self._inventory.carts for name in cart.columns))
        self.in_names(f"no column {column!r}, which {place} of {self._template_path} wants; there are {there}")

    def ensure_none(self) -> None:
        """Raise InventoryError if there are any."""
        for words, rows in self._of_neither.items():
            if len(rows) == self.checked:
                self.in_template(words)
            else:
                self._of_inventory += [f"row {row} ({name}): {words}" for row, name in rows]
        if self._of_inventory or self._of_template:
            of_template = (self._template_path, self._of_template)
            raise InventoryError(self._inventory.path, self._of_inventory, of_template)


def configurations(template_path: str | Path, inventory: Inventory) -> dict[str, str]:
    """Return the text of each cart's configuration by its name; InventoryError with all mistakes of all carts."""
    try:
        template = config_file.parse(template_path)
    except config_file.ConfigurationError as error:
        raise InventoryError(
            template_path,
            [config_file.placed_sentence(mistake) for mistake in error.mistakes],
        ) from None
    mistakes = _Mistakes(inventory, template_path, template)
    known = {name for cart in inventory.carts for name in cart.columns}
    texts: dict[str, str] = {}
    completed: list[tuple[Cart, dict]] = []
    folder = Path(os.path.realpath(template_path)).parent  # secrets' names are relative to it
    for cart in inventory.carts:
        filling = _Filling(cart, known, mistakes)
        try:
            texts[cart.name] = json.dumps(filling.filled(template, ""), indent=2) + "\n"
            if filling.is_whole:
                mistakes.checked += 1
                completed.append((cart, config_file.read_text(folder / f"{cart.name}.json", texts[cart.name])))
        except RecursionError:
            raise InventoryError(template_path, [NESTED_TOO_DEEPLY]) from None
        except config_file.ConfigurationError as error:
            for mistake in error.mistakes:
                mistakes.of_configuration(cart, mistake)
    _add_conflicts(completed, mistakes)
    mistakes.ensure_none()
    return texts


class _Filling:
    """A cart's values for the template's columns. `is_whole`: there was one for each."""

    def __init__(self, cart: Cart, known: set[str], mistakes: _Mistakes) -> None:
        self._cart = cart
        self._known = known
        self._mistakes = mistakes
        self.is_whole = True

    def filled(self, part: object, place: str) -> object:
        """Return the same part of the template with the cart's values."""
        if isinstance(part, dict):
            return {key: self.filled(value, f"{place}.{key}" if place else key) for key, value in part.items()}
        if isinstance(part, list):
            return [self.filled(value, f"{place}[{index}]") for index, value in enumerate(part)]
        return self._text(part, place) if isinstance(part, str) else part

    def _text(self, text: str, place: str) -> str | int:
        try:
            parts = list(Formatter().parse(text))
        except ValueError:
            self._refuse(f"{place}: a brace alone in {text!r}; a literal one is written twice")
            return ""
        message = ""
        for literal, column, kind, conversion in parts:
            message += literal
            if column is None:
                continue
            if kind == "int" and len(parts) == 1 and not literal:
                return self._whole_number(column, place)
            if kind or conversion:
                self._refuse(f"{place}: {text!r}; allowed are {{column}}, and {{column:int}} with nothing around it")
            else:
                message += self._value(column, place)
        return message

    def _refuse(self, words: str) -> None:
        self.is_whole = False
        self._mistakes.in_template(words)

    def _whole_number(self, column: str, place: str) -> int:
        value = self._value(column, place)
        if value and not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            self.is_whole = False
            self._mistakes.in_row(self._cart, [column], f"{place}: found {value!r}; expected a whole number")
        return int(value) if self.is_whole else 0

    def _value(self, column: str, place: str) -> str:
        value = self._cart.columns.get(column, "")
        self.is_whole = self.is_whole and value != ""
        if column not in self._known:
            self._mistakes.no_column(column, place)
        elif not value:
            self._mistakes.in_row(self._cart, [column], f"nothing is in it, and {place} wants it")
        return value


def _columns_at(template: object, *places: str) -> list[str]:
    """Return the columns that the template's texts at these places name."""
    texts = [text for place in places for text in _texts_at(template, place)]
    return list(dict.fromkeys(column for text in texts for _, column, *_ in Formatter().parse(text) if column))


def _named(columns: list[str]) -> str:
    """Return these columns in words."""
    if len(columns) == 1:
        return f"column {columns[0]!r}"
    return f"columns {', '.join(map(repr, columns[:-1]))} and {columns[-1]!r}"


def _texts_at(template: object, place: str) -> Iterator[str]:
    part = template
    for key in re.findall(r"[^.\[\]]+", place):
        if isinstance(part, list) and key.isdigit() and int(key) < len(part):
            part = part[int(key)]
        elif isinstance(part, dict) and key in part:
            part = part[key]
        else:
            return
    yield from _texts_in(part)


def _texts_in(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, (dict, list)):
        for value in part.values() if isinstance(part, dict) else part:
            yield from _texts_in(value)


def _add_conflicts(completed: list[tuple[Cart, dict]], mistakes: _Mistakes) -> None:
    """Add which carts are the same station to ToolsNet, or want the same controller's place."""
    first_cart: dict[tuple, Cart] = {}
    for cart, tree in completed:
        claims: dict[tuple[str, str], tuple[str, ...]] = {}  # with the places of the values
        for index, station in enumerate(tree["stations"]):
            place, controller = f"stations[{index}]", station["controller"]
            words = f"{tree['system']['number']}/{station['number']} (system/station)"
            claims["station", words] = f"{place}.number", "system.number"
            if controller["link"] == "tcp":
                words = f"{plain_host(controller['host'])}:{controller['port']}"
                claims["controller", words] = f"{place}.controller.host", f"{place}.controller.port"
        for (kind, value), places in sorted(claims.items()):
            other = first_cart.setdefault((kind, value), cart)
            if other is cart:
                continue
            columns = _columns_at(mistakes.template, *places)
            if columns:
                mistakes.in_row(cart, columns, f"{kind} {value} is that of row {other.row} ({other.name})")
            else:
                mistakes.in_template(f"{places[0]}: {kind} {value} is that of every cart; name a column here")
