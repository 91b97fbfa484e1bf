"""The errors that a client raises: each names the MID, and what the controller or the network said."""


class ClientError(Exception):
    """The base of all of them."""


class Refused(ClientError):
    """The controller answered MID 0004, or 9998: `mid` is the request, `code` the error's number, `said` its words."""

    def __init__(self, mid: int, code: int, said: str = "") -> None:
        self.mid = mid
        self.code = code
        self.said = said
        words = f', "{said}"' if said else ""
        super().__init__(f"0004 for {mid:04d}: code {code:02d}{words}")


class Unanswered(ClientError, TimeoutError):
    """No answer came to `mid` within `seconds`; whether the controller has done what was asked is not known."""

    def __init__(self, mid: int, seconds: float) -> None:
        self.mid = mid
        self.seconds = seconds
        super().__init__(f"{mid:04d}: no answer within {seconds:g} s")


class ConnectionLost(ClientError, ConnectionError):
    """The connection ended, or could not be made; `mid` is the request that was under way, 0 for none."""

    def __init__(self, reason: str, mid: int = 0) -> None:
        self.reason = reason
        self.mid = mid
        super().__init__(f"{mid:04d}: {reason}" if mid else reason)


class OutOfOrder(ClientError):
    """An older message of the same kind is not acknowledged yet: its acknowledgement has no number (MID 0062)."""

    def __init__(self, mid: int) -> None:
        self.mid = mid
        super().__init__(f"{mid:04d}: one that came before is not acknowledged, and an acknowledgement names none")
