"""The errors that a client raises: each names the MID or the option, and what the controller or the network said.

Each can be pickled, so it also reaches another process as it is.
"""

from toolcart.catalogue.errors import Error


class ClientError(Error):
    """The base of all that a client raises.

    >>> import toolcart
    >>> issubclass(toolcart.Refused, toolcart.ClientError)
    True
    """


class Refused(ClientError):
    """The controller answered MID 0004, or 9998: `mid` is the request, `code` the error's number, `text` its words.

    `code` is None where the controller gave none: blanks, letters or nothing in its place.

    >>> import toolcart
    >>> with toolcart.simulated.controller(refuse={18: 3}) as simulated:
    ...     with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
    ...         try:
    ...             controller.select_pset(7)
    ...         except toolcart.Refused as error:
    ...             print(error.mid, error.code)
    18 3
    """

    def __init__(self, mid: int, code: int | None, text: str = "") -> None:
        super().__init__(mid, code, text)
        self.mid = mid
        self.code = code
        self.text = text

    def __str__(self) -> str:
        if self.code is None:
            return f"0004 for {self.mid:04d}, without a code"
        words = f', "{self.text}"' if self.text else ""
        return f"0004 for {self.mid:04d}: code {self.code:02d}{words}"


class Unanswered(ClientError, TimeoutError):
    """No answer came to `mid` within `seconds`; whether the controller has done what was asked is not known.

    >>> import toolcart
    >>> print(toolcart.Unanswered(18, 5.0))
    0018: no answer within 5 s
    """

    def __init__(self, mid: int, seconds: float) -> None:
        super().__init__(mid, seconds)
        self.mid = mid
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.mid:04d}: no answer within {self.seconds:g} s"


class NotSent(ClientError, TimeoutError):
    """The request `mid` was not sent within `seconds`: another one is not answered yet. `reason` has the words.

    >>> import toolcart
    >>> print(toolcart.NotSent(18, 5.0, "MID 0042 is not answered yet"))
    0018: not sent within 5 s: MID 0042 is not answered yet
    """

    def __init__(self, mid: int, seconds: float, reason: str) -> None:
        super().__init__(mid, seconds, reason)
        self.mid = mid
        self.seconds = seconds
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.mid:04d}: not sent within {self.seconds:g} s: {self.reason}"


class WrongAnswer(ClientError):
    """The answer to `mid` is not what was asked for: its `field` has `found`, where `allowed` is wanted.

    >>> import toolcart
    >>> print(toolcart.WrongAnswer(64, "tightening_id", 7, "5"))
    0064: its answer has tightening_id 7, wanted 5
    """

    def __init__(self, mid: int, field: str, found: object, allowed: str) -> None:
        super().__init__(mid, field, _plain(found), allowed)
        self.mid = mid
        self.field = field
        self.found = found
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.mid:04d}: its answer has {self.field} {self.found!r}, wanted {self.allowed}"


class NothingCame(ClientError, TimeoutError):
    """The controller pushed no message of this `topic` within `seconds`.

    `was_lost` is True if the connection was lost since the reading began: what was made meanwhile may not have come.

    >>> import toolcart
    >>> with toolcart.simulated.controller() as simulated:
    ...     with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
    ...         try:
    ...             controller.results().next(timeout=0.05)
    ...         except toolcart.NothingCame as error:
    ...             print(error)
    results: nothing came within 0.05 s
    """

    def __init__(self, topic: str, seconds: float, was_lost: bool = False) -> None:
        super().__init__(topic, seconds, was_lost)
        self.topic = topic
        self.seconds = seconds
        self.was_lost = was_lost

    def __str__(self) -> str:
        lost = "; the connection was lost since the reading began" if self.was_lost else ""
        return f"{self.topic}: nothing came within {self.seconds:g} s{lost}"


class ConnectionLost(ClientError, ConnectionError):
    """The connection ended, or could not be made; `mid` is the request that was outstanding, 0 for none.

    >>> import toolcart
    >>> try:
    ...     with toolcart.connect_blocking("127.0.0.1", 1, timeout=0.2):
    ...         pass
    ... except toolcart.ConnectionLost as error:
    ...     error.mid
    0
    """

    def __init__(self, reason: str, mid: int = 0) -> None:
        super().__init__(reason, mid)
        self.reason = reason
        self.mid = mid

    def __str__(self) -> str:
        return f"{self.mid:04d}: {self.reason}" if self.mid else self.reason


class OutOfOrder(ClientError):
    """An older message of the same kind is not acknowledged yet: its acknowledgement has no number (MID 0062).

    >>> import toolcart
    >>> print(toolcart.OutOfOrder(61))
    0061: an older one is not acknowledged yet, and an acknowledgement does not name one
    """

    def __init__(self, mid: int) -> None:
        super().__init__(mid)
        self.mid = mid

    def __str__(self) -> str:
        return f"{self.mid:04d}: an older one is not acknowledged yet, and an acknowledgement does not name one"


class OptionError(ClientError, ValueError):
    """An option has an invalid value: `option`, `found` and `allowed`.

    >>> import toolcart
    >>> try:
    ...     toolcart.connect("192.0.2.10", timeout="soon")
    ... except toolcart.OptionError as error:
    ...     error.option, error.found
    ('timeout', 'soon')
    """

    def __init__(self, option: str, found: object, allowed: str) -> None:
        super().__init__(option, _plain(found), allowed)
        self.option = option
        self.found = found
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.option}: found {self.found!r}, allowed {self.allowed}"


class StateError(ClientError, RuntimeError):
    """The call does not fit what the client or the stream is doing, such as reading a stream outside its `with`.

    >>> import toolcart
    >>> try:
    ...     toolcart.connect("192.0.2.10").started
    ... except toolcart.StateError as error:
    ...     print(error)
    this client is not connected yet: use it inside `async with`
    """


def _plain(found: object) -> object:
    """Return a value that another process has as well."""
    return found if isinstance(found, int | float | str | bytes | tuple | list | dict | None) else repr(found)


for _error in (
    ClientError,
    Refused,
    Unanswered,
    NotSent,
    WrongAnswer,
    NothingCame,
    ConnectionLost,
    OutOfOrder,
    OptionError,
    StateError,
):
    _error.__module__ = "toolcart"  # where who catches it gets it from
