"""The configuration as a JSON Schema (draft 7, which editors read), made from the tables that the agent checks with.

Rules
1. Names, types, ranges and defaults come from toolcart.agent.cart.settings, meanings from
   toolcart.tools.config.setting_texts; nothing is written twice.
2. It accepts every configuration that the agent accepts. What a schema cannot say (relations between settings, names
   that two stations may not share) is left to `toolcart config check`.
3. A secret is an object that names where it is (toolcart.tools.config.secrets).
"""

from __future__ import annotations

from typing import Any

from toolcart.agent.cart import config, settings
from toolcart.base.serial_settings import PROCEDURES
from toolcart.tools.config.secrets import is_written
from toolcart.tools.config.setting_texts import MEANINGS

FILE_NAME = "toolcart.schema.json"
DRAFT = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]

_SECRET_FORMS: list[Schema] = [
    {
        "type": "object",
        "properties": {form: {"type": "string", "minLength": 1}},
        "required": [form],
        "additionalProperties": False,
    }
    for form in ("file", "credential")
]


def schema() -> Schema:
    tables = dict(settings.TABLES)
    outlet = _object("stations[].outlets[]", tables["stations[].outlets[]"])
    outlet["required"] = ["kind"]
    outlet["properties"]["name"]["pattern"] = "^[a-z0-9-]+$"
    outlet["allOf"] = [{"if": _is("kind", kind), "then": _schema_of_kind(outlet, kind)} for kind in settings.OUTLETS]
    controller = _object("stations[].controller", tables["stations[].controller"])
    _requires_by_link(controller, "tcp", "host", default=True)
    for link in PROCEDURES:
        _requires_by_link(controller, link, "device")
    station = _object("stations[]", tables["stations[]"])
    station["properties"] |= {
        "controller": controller,
        "spool": _object("stations[].spool", tables["stations[].spool"]),
        "outlets": {"type": "array", "minItems": 1, "maxItems": config._OUTLETS_MAX, "items": outlet},
    }
    station["required"] += ["controller", "spool"]
    return {
        "$schema": DRAFT,
        "title": "Configuration of toolcart",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "system": _object("system", tables["system"]),
            "toolsnet": _object("toolsnet", tables["toolsnet"]),
            "stations": {"type": "array", "minItems": 1, "maxItems": config.STATIONS_MAX, "items": station},
            "board": _object("board", tables["board"]),
        },
        "required": ["stations"],
        "anyOf": [{"required": ["toolsnet"]}, {"properties": {"stations": {"items": {"required": ["outlets"]}}}}],
        "additionalProperties": False,
    }


def _schema_of_kind(outlet: Schema, kind: str) -> Schema:
    """Return what an outlet of this kind must have, and what it may not have."""
    rows = [line.split() for line in settings.OUTLETS[kind].split("\n") if line]
    not_allowed = set(outlet["properties"]) - {"kind", "name"} - {row[0] for row in rows}
    schema: Schema = {"required": [row[0] for row in rows if row[2] == "-"]} if rows else {}
    return schema | ({"properties": dict.fromkeys(sorted(not_allowed), False)} if not_allowed else {})


def _object(place: str, table: str) -> Schema:
    rows = [line.split() for line in table.split("\n")]
    return {
        "type": "object",
        "properties": {row[0]: _setting(place, row) for row in rows},
        "required": [row[0] for row in rows if row[2] == "-"],
        "additionalProperties": False,
    }


def _setting(place: str, row: list[str]) -> Schema:
    key, kind, default = row[:3]
    unit = config.unit(key)
    schema: Schema = {"description": MEANINGS[f"{place}.{key}"] + (f" In {unit}." if unit else "")}
    if is_written(key):
        return schema | _secret(default == "~")
    schema |= _TYPES[kind](*row[3:])
    if default == "~" or (default[0] == "-" and default != "-"):
        schema["type"] = [schema["type"], "null"]
    elif default[0] != "-":
        schema["default"] = _default(kind, default, row[3:])
    if default == "~":
        schema["default"] = None
    return schema


def _secret(may_be_null: bool) -> Schema:
    """Return the schema of a secret's place; for no secret it is null, or an empty text where that is the default."""
    none: Schema = {"type": "null"} if may_be_null else {"type": "string", "maxLength": 0}
    schema: Schema = {"type": ["object", none["type"]], "oneOf": [none, *_SECRET_FORMS]}
    return schema | ({"default": None} if may_be_null else {})


def _numbers(kind: str):
    def make_schema(low: str, high: str) -> Schema:
        return {"type": kind, "minimum": _number(low), "maximum": _number(high)}

    return make_schema


def _texts(pattern: str):
    def make_schema(least: str, most: str) -> Schema:
        return {"type": "string", "minLength": int(least), "maxLength": int(most), "pattern": pattern}

    return make_schema


def _lists(least: int):
    def make_schema(choices: str) -> Schema:
        items = {"enum": _choices(choices)}
        return {"type": "array", "items": items, "minItems": least, "uniqueItems": True}

    return make_schema


def _hosts(least: str, most: str) -> Schema:
    items = _TYPES["host"]("1", "253")
    return {"type": "array", "items": items, "minItems": int(least), "maxItems": int(most), "uniqueItems": True}


_TYPES = {
    "hosts": _hosts,
    "int": _numbers("integer"),
    "time": _numbers("number"),
    "text": _texts("^[ -~]*$"),
    "host": _texts("^[!-~]*$"),
    "bool": lambda: {"type": "boolean"},
    "one": lambda choices: {"enum": _choices(choices)},
    "list": _lists(1),
    "any": _lists(0),
}


def _default(kind: str, default: str, rest: list[str]) -> object:
    if kind == "bool":
        return default == "true"
    if kind in ("int", "time"):
        return _number(default)
    choices = _choices(rest[0] if default == "*" else default.strip('"'))
    return choices if kind in ("list", "any") else choices[0]


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _choices(text: str) -> list[int | str]:
    return [int(choice) if choice.isdigit() else choice for choice in text.split(",")]


def _is(key: str, value: str, default: bool = False) -> Schema:
    """Return a condition that the key has this value; `default` means that it may be missing as well."""
    return {"properties": {key: {"const": value}}, "required": [] if default else [key]}


def _requires_by_link(controller: Schema, link: str, wanted: str, default: bool = False) -> None:
    consequence = {"required": [wanted], "properties": {wanted: {"type": "string"}}}  # it may be null for the others
    controller.setdefault("allOf", []).append({"if": _is("link", link, default), "then": consequence})
