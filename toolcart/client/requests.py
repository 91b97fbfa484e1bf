"""What is no request: the messages by which a session begins, lives and ends, subscriptions, acknowledgements.

The session sends these itself: a second one would end it, or bring messages that no one reads and acknowledges. Each is
refused in words that name the right call.
"""

from __future__ import annotations

from toolcart.catalogue.message import Message
from toolcart.client.errors import StateError

_OF_THE_SESSION = {
    1: "entering the client, with `with` or `async with`, begins the session",
    3: "leaving `with` or `async with`, or close(), ends the session",
    4: "a client refuses nothing: leave out acknowledge(), and the message comes again",
    9997: "the option link_level=True acknowledges each message",
    9998: "the option link_level=True asks for what is missing",
    9999: "it is sent when nothing else was for keep_alive_s seconds",
}
_RESULTS = (60, 63, 100, 103, 105, 109, 1201, 1202)  # what results() subscribes to, and ends, by itself
_CURVES = (900, 901)
_NAMED = ("results", "alarms", "parameter_sets", "jobs", "vins", "curves")  # streams with a call of their own
_ALSO = "the option `also` makes a topic of it, and stream(name) reads that"


def check_request(request: Message, topics: dict[int, str]) -> None:
    """StateError if this is none; `topics` has the name of the topic by the MIDs that subscribe and end it."""
    instead = _instead(request, topics)
    if instead:
        raise StateError(f"{request.mid:04d} is no request: {instead}")


def _instead(request: Message, topics: dict[int, str]) -> str:
    about = request.form.about
    if request.mid in _OF_THE_SESSION:
        return _OF_THE_SESSION[request.mid]
    if about.kind == "A":
        return "acknowledge() of a message that was pushed sends it"
    if about.kind == "S" or (request.mid in topics and about.sender != "C"):
        mid = request.get("subscribed_mid") or request.mid
        topic = topics.get(mid) or ("results" if mid in _RESULTS else "curves" if mid in _CURVES else "")
        if not topic:
            return _ALSO
        read = f"{topic}()" if topic in _NAMED else f"stream({topic!r})"
        return f"reading controller.{read} subscribes, and leaving it ends that"
    if about.name and "I" not in about.sender:
        return "the controller sends it"
    return ""
