"""The options of a client, checked when it is made: nothing is connected with one that means nothing."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from typing import Any

from toolcart.agent.link.header_layouts import HEADERS
from toolcart.client.errors import OptionError
from toolcart.client.topics import TOPICS

CURVES = {"angle": 1, "torque": 2, "current": 3, "gradient": 4, "stroke": 5, "force": 6}  # MID 0900 (OP 5.27.1 p. 258)
# Other ways to results and curves, which a session turns to by itself.
_OF_RESULTS = (60, 61, 63, 100, 101, 103, 105, 106, 107, 109, 1201, 1202)
_OF_CURVES = (900, 901)
_SECONDS_MOST = 432000  # five days: the session's clock of milliseconds compares moments up to six days apart
_POSITIVE_S = f"a number of seconds above 0, {_SECONDS_MOST} at most"
_SECONDS = f"a number of seconds, 0 to {_SECONDS_MOST}"
_REVISIONS = "revisions from 1 to 999, most wanted first"
_GENERIC = (8, 9)  # subscribe to the MID that their data names
_ALSO = "(MID that subscribes, MID that ends it, ((MID that is pushed, its acknowledgement), ...))"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What can be set of a client. Times are in seconds.

    `timeout`: of each request, and until the first session stands. `start_revisions`: of MID 0001, most wanted first.
    `link_level`: number what is sent (MID 9997 and 9998). `header`: "op-ford" or "op-bmw" where the spindle stands in
    front of the revision (Rexroth System 350). `station`, `spindle`: 1 to 99 in the header of what is sent, 0 leaves
    it blank. `keep_alive_s`: MID 9999 after so long without a message of ours. `silence_s`: a controller that answers
    none for so long is left. `response_s`: for an answer while a session begins. `pause_s`: before connecting again,
    doubled each time up to `pause_most_s`; `busy_pause_s` where the controller's slots are taken. `revisions`: of a
    topic, most wanted first. `curves`: what `curves()` subscribes to. `also`: further topics by their names. `scaled`:
    messages have Decimals, datetimes and names in place of raw numbers (`Message.scaled`).
    """

    timeout: float = 10.0
    start_revisions: tuple[int, ...] = (5, 6, 4, 3, 2, 1, 7)
    link_level: bool = False
    header: str = "standard"
    station: int = 0
    spindle: int = 0
    keep_alive_s: float = 7.0
    silence_s: float = 15.0
    response_s: float = 5.0
    pause_s: float = 1.0
    pause_most_s: float = 30.0
    busy_pause_s: float = 10.0
    revisions: dict[str, tuple[int, ...]] | None = None
    curves: tuple[str, ...] = ("angle", "torque")
    also: dict[str, tuple[Any, ...]] | None = None
    scaled: bool = False

    def __post_init__(self) -> None:
        for name in ("timeout", "keep_alive_s", "silence_s", "response_s"):
            seconds_of(name, getattr(self, name))
        for name in ("pause_s", "pause_most_s", "busy_pause_s"):
            if not _is_seconds(getattr(self, name)):
                raise OptionError(name, getattr(self, name), _SECONDS)
        for name in ("station", "spindle"):
            whole(name, getattr(self, name), 0, 99)
        for name in ("link_level", "scaled"):
            one_of(name, getattr(self, name), (False, True))
        one_of("header", self.header, ("standard", *HEADERS))
        if self.pause_s > self.pause_most_s:
            raise OptionError("pause_s", self.pause_s, f"at most pause_most_s, {self.pause_most_s:g}")
        _revisions("start_revisions", self.start_revisions)
        _list("curves", self.curves, tuple(CURVES))
        self._check_also()
        self._check_revisions()

    def _check_also(self) -> None:
        taken = (*TOPICS, "curves", "connections")
        owners = {mid: topic for topic, rows in TOPICS.items() for row, _ in rows for mid in _mids_of(row)}
        owners |= dict.fromkeys(_OF_RESULTS, "results") | dict.fromkeys(_OF_CURVES, "curves")
        for name, row in _dictionary("also", self.also).items():
            if not isinstance(name, str) or name in taken:
                raise OptionError("also", name, f"a name that is not one of {', '.join(taken)}")
            try:
                subscribe, end, pushes = row
                mids = [subscribe, end, *(mid for pushed, reply in pushes for mid in (pushed, reply))]
            except (TypeError, ValueError):
                raise OptionError(f"also[{name!r}]", row, _ALSO) from None
            if not pushes or not all(_is_whole(mid, 1, 9999) for mid in mids):
                raise OptionError(f"also[{name!r}]", row, _ALSO)
            for mid in {subscribe, end, *(pushed for pushed, _ in pushes)}:
                if mid in owners:
                    raise OptionError(f"also[{name!r}]", row, f"no MID of another topic: {mid} is of {owners[mid]!r}")
            if subscribe == end or any(reply in (pushed, subscribe, end) for pushed, reply in pushes):
                raise OptionError(f"also[{name!r}]", row, _ALSO + ", all different")
            owners |= dict.fromkeys((subscribe, end, *(pushed for pushed, _ in pushes)), name)

    def _check_revisions(self) -> None:
        names = (*TOPICS, *(self.also or {}))
        for name, wanted in _dictionary("revisions", self.revisions).items():
            one_of("revisions", name, names)
            _revisions(f"revisions[{name!r}]", wanted)


def _mids_of(row: tuple) -> list[int]:
    """Return what subscribes to a row of TOPICS, ends it, and is pushed by it."""
    return [mid for mid in row[:2] if mid not in _GENERIC] + [pushed for pushed, _ in row[-1]]


def options_of(call: str, given: dict[str, Any]) -> Options:
    """Return the Options of these keywords; OptionError for one that there is none of."""
    names = [field.name for field in fields(Options)]
    for name, value in given.items():
        if name not in names:
            raise OptionError(name, value, f"one of the options of {call}: {', '.join(names)}")
    return Options(**given)


def accepts_options(function):
    """Show the options in the signature of a function that takes them as `**options`: for help and completion."""
    own = [one for one in inspect.signature(function).parameters.values() if one.kind is not one.VAR_KEYWORD]
    options = [one.replace(kind=one.KEYWORD_ONLY) for one in inspect.signature(Options).parameters.values()]
    function.__signature__ = inspect.signature(function).replace(parameters=[*own, *options])
    return function


def seconds_of(name: str, value: Any) -> float:
    """Return a time to wait; OptionError for what is none."""
    if not _is_seconds(value) or not value:
        raise OptionError(name, value, _POSITIVE_S)
    return value


def one_of(name: str, value: Any, allowed: tuple) -> None:
    """OptionError unless it is one of these."""
    if not any(value is one or (type(value) is type(one) and value == one) for one in allowed):
        raise OptionError(name, value, "one of " + ", ".join(str(one) for one in allowed))


def whole(name: str, value: Any, least: int, most: int) -> None:
    """OptionError unless it is a whole number in this range."""
    if not _is_whole(value, least, most):
        raise OptionError(name, value, f"{least} to {most}")


def not_empty(name: str, value: Any) -> None:
    """OptionError for None and for no text at all: a message would go out that says nothing."""
    if value is None or value in ("", b""):
        raise OptionError(name, value, "text that is not empty")


def text(name: str, value: Any, what: str) -> None:
    """OptionError unless it is text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise OptionError(name, value, what)


def address(name: str, value: Any) -> None:
    """OptionError unless it may be the name or the address of a machine: without a port, blanks or controls."""
    text(name, value, "a name or an address")
    if value.count(":") == 1 or "[" in value:
        raise OptionError(name, value, "a name or an address without a port: that is the argument `port`")
    if not value.isprintable() or any(one.isspace() for one in value):
        raise OptionError(name, value, "a name or an address, without blanks and control characters")


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _SECONDS_MOST


def _dictionary(name: str, value: Any) -> dict:
    if value is not None and not isinstance(value, dict):
        raise OptionError(name, value, "a dictionary by the names of topics")
    return value or {}


def _revisions(name: str, value: Any) -> None:
    if not isinstance(value, tuple | list) or not value or not all(_is_whole(one, 1, 999) for one in value):
        raise OptionError(name, value, _REVISIONS)


def _list(name: str, value: Any, allowed: tuple) -> None:
    if not isinstance(value, tuple | list) or not value or len(set(map(str, value))) != len(value):
        raise OptionError(name, value, "a list of " + ", ".join(allowed))
    for one in value:
        one_of(name, one, allowed)
