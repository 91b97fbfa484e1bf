"""A configuration file in the form the agent wants, or every mistake in it at once: place, found, allowed.

Rules:
1. Whatever is wrong with the file (missing, not JSON, wrong values) comes as `ConfigurationError` with the same three
   columns.
2. A key that appears twice in an object is a mistake: JSON readers take the last one, people see the first.
3. `read` returns what toolcart.agent.cart.config.complete does; what this machine cannot run is no mistake, but keeps
   `read_to_run` and `read_to_install` from it (CannotRunHere).
4. Secrets are put in here (toolcart.tools.config.secrets), so that no other code knows where they come from.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from toolcart.agent.cart import config
from toolcart.base import installation
from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_OTHER
from toolcart.base.path_access import obstacle
from toolcart.board import zone
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import regular_file, service
from toolcart.board.linux.plurals import counted
from toolcart.tools.config import (
    board_checks,
    kept_settings,
    no_effect,
    path_checks,
    peers,
    shared_controllers,
    socket_location,
)
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.config.file_text import NotText, text_of
from toolcart.tools.config.mistake_reasons import (
    NESTED_TOO_DEEPLY,
    constant_place,
    json_place,
    json_problem,
    nesting_place,
    not_json,
    value_problem,
)

SERVICE_FOLDER = Path("/etc/toolcart")
SERVICE_CONFIG = SERVICE_FOLDER / "config.json"  # of the Debian package
SERVICE_STATE = Path(path_checks.STATE_FOLDER)

Mistake = tuple[str, str, str]
WHOLE_FILE = "(file)"  # the place of what is wrong with all of it
_DIGITS_MOST = 600  # CPython's limit is 640 or more, as it is set; a float has 309 before its point


class ConfigurationError(Exception):
    """The file cannot be used; `mistakes` is a list of (place, found, allowed)."""

    exit_code = EXIT_CONFIGURATION  # of every command that has to end for it

    def __init__(self, path: str | Path, mistakes: list[Mistake]) -> None:
        self.path = str(path)
        self.mistakes = mistakes
        super().__init__("\n".join(lines(self.path, mistakes, self.headline())))

    def headline(self) -> str:
        """Say what is wrong with the file as a whole."""
        return counted(len(self.mistakes), "mistake")


class CannotRunHere(ConfigurationError):
    """The file is good in itself; `mistakes` says what only this machine lacks."""

    exit_code = EXIT_OTHER

    def headline(self) -> str:
        """Say that the file is not to blame."""
        return "good in itself, but it cannot run as it is on this machine:"


def lines(path: str, mistakes: list[Mistake], headline: str = "") -> list[str]:
    """Return a line with the number of mistakes, then one for each."""
    width = min(max(len(place) for place, _, _ in mistakes), 40)
    lines = [f"  {place:<{width}}  {sentence(found, allowed)}" for place, found, allowed in mistakes]
    return [f"{path}: {headline or counted(len(mistakes), 'mistake')}", *lines]


def sentence(found: str, allowed: str) -> str:
    """Return what is wrong in words, as all commands say it; without `found` it is `allowed` that says so."""
    if found == "nothing":
        return f"missing; expected {allowed}"
    if reason := value_problem(found, allowed):
        return f"{reason}: {found}; expected {allowed}"
    return f"found {found}; expected {allowed}" if found else allowed


def placed_sentence(mistake: Mistake) -> str:
    """Return what is wrong in words, and in which setting, if it is one."""
    place, found, allowed = mistake
    return sentence(found, allowed) if place == WHOLE_FILE else f"{place}: {sentence(found, allowed)}"


def as_object(error: ConfigurationError) -> dict:
    """Return the mistakes for machines."""
    return {"file": error.path, "mistakes": [mistake_as_object(mistake) for mistake in error.mistakes]}


def mistake_as_object(mistake: Mistake) -> dict:
    return dict(zip(("place", "found", "allowed"), mistake, strict=True))


def parse(path: str | Path) -> object:
    """Return the JSON tree of the file; ConfigurationError if it is none, or a key appears twice in an object."""
    return parse_text(path, _text(path))


def parse_text(path: str | Path, text: str) -> object:
    """Do as `parse` for the text of this file."""
    tree, mistakes = _parse(path, text)
    if mistakes:
        raise ConfigurationError(path, mistakes)
    return tree


def _text(path: str | Path) -> str:
    try:
        return text_of(regular_file.argument_content_of(path))
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError)
        problem = "file not found" if is_missing else f"cannot be read: {error.strerror or error}"
        if isinstance(error, PermissionError) and not obstacle(path):
            problem += f": {linux_refusal.reading_command(path, 'u+r')}"
        raise ConfigurationError(path, [(WHOLE_FILE, "", problem)]) from None
    except NotText as error:
        place = _line_and_column(error.at) if error.at else WHOLE_FILE
        raise ConfigurationError(path, [(place, "", error.problem)]) from None


def _line_and_column(at: tuple[int, int]) -> str:
    return "line {}, column {}".format(*at)


class _NoNumber(Exception):
    """NaN or an infinity: Python reads it, JSON does not have it."""


def _parse(path: str | Path, text: str) -> tuple[object, list[Mistake]]:
    """Return the tree of the file's text, and a mistake for every key that appears twice."""
    doubled: list[tuple[dict, list[str]]] = []  # objects with their repeated keys

    def make_object(pairs: list[tuple[str, object]]) -> dict:
        key_counts = Counter(key for key, _ in pairs)
        tree = dict(pairs)
        if len(tree) < len(pairs):
            doubled.append((tree, [key for key, count in key_counts.items() if count > 1]))
        return tree

    def refuse(name: str) -> None:
        raise _NoNumber(name)

    try:
        tree = json.loads(text, object_pairs_hook=make_object, parse_int=_whole_number, parse_constant=refuse)
    except json.JSONDecodeError as error:
        if whole := not_json(text):
            raise ConfigurationError(path, [(WHOLE_FILE, "", whole)]) from None
        at, problem = json_place(text, error.pos), f"not JSON: {json_problem(text, error.pos, error.msg)}"
    except _NoNumber as error:
        at, problem = constant_place(text, str(error)), f"not JSON: {error} is no number of JSON; write digits"
    except RecursionError:
        at = nesting_place(text)
        problem = NESTED_TOO_DEEPLY
    else:
        return tree, _repeated_keys(tree, doubled) if doubled else []
    raise ConfigurationError(path, [(_line_and_column(at), "", problem)])


def _whole_number(digits: str) -> int | float:
    """Return the number; infinity if it has more digits than Python converts, which no setting takes."""
    return int(digits) if len(digits) <= _DIGITS_MOST else float(digits)


def _repeated_keys(tree: object, doubled: list[tuple[dict, list[str]]]) -> list[Mistake]:
    """Return the places of these keys, which objects do not know; one inside a value that was lost has none."""
    keys_of = {id(part): keys for part, keys in doubled}
    return [
        (f"{place}{_name(key)}", "", "given more than once")
        for place, part in config_secrets.objects(tree, _name)
        for key in keys_of.get(id(part), ())
    ]


def _name(key: str) -> str:
    return config.value_text(key).strip('"') or '""'


def folder_of(path: str | Path) -> Path:
    """Return the folder that relative paths in this configuration start from: its own, or the service's state folder.

    /etc/toolcart is for what people write; the service may not write there.
    """
    folder = Path(os.path.realpath(path)).parent
    return SERVICE_STATE if folder == SERVICE_FOLDER else folder


def read(path: str | Path) -> dict:
    """Return the completed configuration, or raise ConfigurationError; a secret need not be readable."""
    return read_text(path, _text(path))


def read_text(path: str | Path, text: str) -> dict:
    """Do as `read` for a text that will be written to this path."""
    return _complete(path, text, unread=[])[0]


def read_whole(path: str | Path) -> tuple[dict, dict]:
    """Return as `read`, and also the file's own tree with its secrets, which a chip gets.

    CannotRunHere if one cannot be read.
    """
    unread: list[Mistake] = []
    configuration, tree, absent = _complete(path, _text(path), unread=unread, judges_board=True)
    if unread or absent:
        raise CannotRunHere(path, [*unread, *map(_without_credential, absent)])
    tree.pop("$schema", None)
    return configuration, tree


def _complete(
    path: str | Path,
    text: str,
    lenient: bool = False,
    unread: list[Mistake] | None = None,
    judges_board: bool = False,
) -> tuple[dict, dict, list[str]]:
    """Return the completed configuration, the tree it came from, and the places of secrets only the service has.

    What only a board cannot have is a mistake if it `judges_board`: an agent runs on Linux without minding that.
    """
    tree, doubled = _parse(path, text)
    folder = Path(os.path.realpath(path)).parent
    awaits: dict[str, dict] = {}
    named = config_secrets.named(tree, "file")
    secret, absent = config_secrets.resolve(tree, folder, awaits if lenient else None, unread)
    doubtful = {place for place, *_ in doubled}
    hidden = {place for place, *_ in secret}  # a mistake in a secret's name hides those that follow from it
    secret = [mistake for mistake in secret if mistake[0] not in doubtful]
    mistakes = [*doubled, *secret, *[mistake for mistake in config.check(tree) if mistake[0] not in hidden]]
    mistakes = mistakes or _time_zone(config.complete(tree)["board"])
    if not mistakes:
        assert isinstance(tree, dict)
        here = folder_of(path)
        files = [("this configuration", Path(path))]
        files += [("the agent's status socket", Path(socket)) for socket in socket_location.all_of(path)]
        read = [(what, file, file.name if file.parent.resolve() == here else str(file)) for what, file in files]
        read += [("a secret", folder / name, name) for name in named]
        completed = config.complete(tree)
        mistakes = path_checks.odd_names(completed) + peers.mistakes(completed)
        mistakes += shared_controllers.shared(completed) + path_checks.shared(completed, here, read)
        if judges_board and path_checks.is_of_a_chip(completed):
            mistakes += board_checks.mistakes(tree)
    if mistakes:
        raise ConfigurationError(path, mistakes)
    assert isinstance(tree, dict)
    completed = path_checks.plain_spools(config.complete(tree))
    return config_secrets.attach_pending(completed, awaits, folder), tree, absent


def read_to_check(
    path: str | Path, credentials: Iterable[str] = (), text: str | None = None
) -> tuple[dict, list[Mistake], list[Mistake]]:
    """Do as `read`; return also why secrets cannot be read here, and which settings have no effect beside others.

    The latter are also those that a spool which is there does not take. Neither is a mistake in the file.
    `credentials` are the names of those that only the service will have. With `text` that is checked as if it were the
    file's.
    """
    unread: list[Mistake] = []
    text = _text(path) if text is None else text
    configuration, tree, absent = _complete(path, text, unread=unread, judges_board=True)
    named = {place: parent[key] for place, parent, key in config_secrets.secrets(_parse(path, text)[0])}
    missing = [place for place in absent if named[place]["credential"] not in credentials]
    lacks = [*unread, *map(_without_credential, missing)]
    places, here = {place for place, _, _ in lacks}, Path(os.path.realpath(path)).parent
    files = {place: here / value["file"] for place, value in named.items() if "file" in value and place not in places}
    lacks += [lost for place, file in files.items() for lost in _lost(place, file)]
    kept = kept_settings.found(configuration, tree, folder_of(path))
    places = {place for place, _, _ in kept}  # what is said of a new spool is not so of this one
    idle = [warning for warning in no_effect.found(tree, configuration) if warning[0] not in places]
    return configuration, lacks, [*kept, *idle]


def _lost(place: str, file: Path) -> list[Mistake]:
    """Say that the next start of the service will not find this file, which can be read now."""
    kept_from = service.kept_from(file)
    return [(place, f"{file}: {kept_from}", service.instead())] if kept_from else []


def text_to_check(path: str | Path) -> str:
    """Return the text of this file, or raise ConfigurationError."""
    return _text(path)


def _time_zone(board: dict) -> list[Mistake]:
    if not board["time_zone"] or zone.parsed(board["time_zone"]) is not None:
        return []
    allowed = "a POSIX TZ with both changes, such as CET-1CEST,M3.5.0,M10.5.0/3, or without summer time, IST-5:30"
    return [("board.time_zone", json.dumps(board["time_zone"]), allowed)]


def _without_credential(place: str) -> Mistake:
    return place, "no credential", "one that systemd hands over (LoadCredential=), or a file"


def read_to_run(path: str | Path) -> dict:
    """Do as `read`; every station must also be one that this machine can run.

    The secret of an outlet beside ToolsNet may be missing: the outlet then has `awaits`
    (toolcart.tools.config.secrets), which tries again. No outlet keeps an agent from collecting. What else this machine
    lacks is CannotRunHere.
    """
    unread: list[Mistake] = []
    configuration, _, absent = _complete(path, _text(path), lenient=True, unread=unread)
    lacks = [*unread, *_not_built(configuration), *[_without_credential(place) for place in absent]]
    if lacks:
        raise CannotRunHere(path, lacks)
    return configuration


def read_to_install(path: str | Path) -> tuple[dict, str]:
    """Do as `read_to_run` for a service, which will get its credentials; return also the text that was checked.

    A second read might find a different text.
    """
    text = _text(path)
    unread: list[Mistake] = []
    configuration, _, _ = _complete(path, text, unread=unread)
    lacks = [*unread, *not_runnable(configuration, None)]
    if lacks:
        raise CannotRunHere(path, lacks)
    return configuration, text


def not_runnable(configuration: dict, folder: Path | None) -> list[Mistake]:
    """List what the tables allow but this machine does not have; without a folder no files are checked."""
    mistakes = [*_not_built(configuration), *_without_library(configuration), *_not_settable(configuration)]
    if folder is not None:
        for place, section in _with_files_of_tls(configuration):
            is_of_board = place == "toolsnet" and path_checks.is_of_a_chip(configuration)
            mistakes += (_board_tls_mistakes if is_of_board else _tls_mistakes)(place, section, folder)
    return mistakes


def _not_built(configuration: dict) -> list[Mistake]:
    """List what no start can make on this machine."""
    mistakes = []
    for index, station in enumerate(configuration["stations"]):
        link = station["controller"]["link"]
        if link != "tcp" and not has_serial_lines():
            mistakes.append((f"stations[{index}].controller.link", f'"{link}"', f"tcp; {serial_missing()}"))
    return mistakes


def _without_library(configuration: dict) -> list[Mistake]:
    """List the webhooks of a machine that lacks what they need: an agent collects without them, and says why."""
    if has_webhooks():
        return []
    return [
        (f"stations[{index}].outlets[{number}].kind", '"webhook"', f"another kind; {webhook_missing()}")
        for index, station in enumerate(configuration["stations"])
        for number, outlet in enumerate(station["outlets"])
        if outlet["kind"] == "webhook"
    ]


def _not_settable(configuration: dict) -> list[Mistake]:
    """List what only a chip can do with a serial line: the port of this machine will not open it."""
    mistakes = []
    for index, station in enumerate(() if path_checks.is_of_a_chip(configuration) else configuration["stations"]):
        controller = station["controller"]
        if controller["link"] == "tcp" or "://" in controller["device"]:
            continue
        place = f"stations[{index}].controller."
        if controller["invert"]:
            mistakes.append((f"{place}invert", "true", "false, as Linux cannot invert a line"))
        if controller["rs485"] not in ("", "rts"):
            mistakes.append(
                (f"{place}rs485", f'"{controller["rs485"]}"', '"" or rts, as a pin number belongs to a chip')
            )
    return mistakes


def _with_files_of_tls(configuration: dict) -> Iterator[tuple[str, dict]]:
    if configuration["toolsnet"] and configuration["toolsnet"]["tls_ca"]:
        yield "toolsnet", configuration["toolsnet"]
    for index, station in enumerate(configuration["stations"]):
        for number, outlet in enumerate(station["outlets"]):
            if outlet.get("tls_ca") or outlet.get("tls_certificate"):
                yield f"stations[{index}].outlets[{number}]", outlet


def _board_tls_mistakes(place: str, section: dict, folder: Path) -> list[Mistake]:
    from toolcart.tools.config import board_certificates  # few configurations have it

    try:
        board_certificates.for_board(folder, section)
    except board_certificates.CertificateError as error:
        return [error.mistake]
    return []


def _tls_mistakes(place: str, section: dict, folder: Path) -> list[Mistake]:
    from toolcart.board.linux.tls import TlsUnusable, context_of  # few configurations have it

    try:
        context_of(str(folder), section)
    except TlsUnusable as error:
        whose = " that only its owner may read" if error.setting == "tls_key" else ""
        return [(f"{place}.{error.setting}", error.reason, f"a file in PEM{whose}")]
    named = [(f"{place}.{key}", folder / section[key]) for key in path_checks.TLS_FILES if section.get(key)]
    return [lost for setting, file in named for lost in _lost(setting, file)]


def serial_missing() -> str:
    """Say what a serial line needs, and how to get it."""
    return f"serial lines need pyserial: {installation.how_to_get('serial')}"


def webhook_missing() -> str:
    """Say what a webhook needs, and how to get it."""
    return f"webhooks need h11, of the extra `webhook`: {installation.how_to_get('webhook')}"


def has_webhooks() -> bool:
    """True if this machine can speak to a webhook's server."""
    return find_spec("h11") is not None


def has_serial_lines() -> bool:
    """True if this machine can speak to a controller over a serial line."""
    return find_spec("serial") is not None
