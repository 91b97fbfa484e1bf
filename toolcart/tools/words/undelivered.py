"""Log entries of a station that have only a name and a number, in words."""

from __future__ import annotations

from toolcart.agent.quarantine.entries import reason_text
from toolcart.board.linux import refusal as linux_refusal
from toolcart.tools.words import controller as controller_words
from toolcart.tools.words import server as server_words

REVISIONS_UNSUPPORTED = (76, 97)  # in MID 0004: of what MID 0008 subscribes to, and of the MID itself

# What such an entry means, and what helps.
EXPLAINED = {
    "refused by server": "ToolsNet refused what was sent with code {value}; it is offered again",
    "controller refusals": "the controller rejected MID {mid:04d} with code {code}",
    "server silent": "ToolsNet did not acknowledge result {value} in time; the next connection shows whether it has it",
    "server foreign": "ToolsNet's 05 named another telegram than the outstanding one; it acknowledges nothing",
    "server unknown": "ToolsNet sent a telegram that was not asked for; it was ignored",
    "server malformed": "ToolsNet sent something that is not a telegram; it stores and acknowledges nothing",
    "other host": "the PIM names a server on another host than its own, port {value}; results go there",
    "parking failed": "the quarantine has no room: what ToolsNet refuses stays in the spool",
    "refused full": "a result was not taken: the spool is full, and the controller keeps it",
    "flash failed": "a result was not stored and not acknowledged: {refusal}; `toolcart doctor` looks at the disk",
    "not saved": "something that has to be durable could not be written; it is tried again",
    "parked": "a result was set aside: {reason}",
    "clock apart": "the clock of the controller and ours are {value} s apart",
}


def is_search(name: str, value: int) -> bool:
    """True if a revision was rejected: at every start the agent searches for one that both sides have."""
    return name == "controller refusals" and value % 1000 in REVISIONS_UNSUPPORTED


def explained(name: str, value: int, number: int) -> str:
    """Return a log entry of station `number` in words for people."""
    if is_search(name, value):
        return (
            f"the controller does not have a revision of MID {value // 1000:04d} that was asked for; "
            "an older one is asked for where there is one"
        )
    if name == "server silent" and not value:
        return "ToolsNet did not acknowledge an event, a curve or a description in time"
    text = EXPLAINED.get(name)
    if text is None:
        return controller_words.sentence(name, value) or server_words.sentence(name, value, number)
    from toolcart.tools.words.reasons import told_code  # the table of codes is large, and rarely wanted

    code = told_code(value % 1000) if "{code}" in text else value
    refusal = linux_refusal.meaning(value) if value in linux_refusal.WORDS else "the flash could not be read or written"
    return text.format(value=value, mid=value // 1000, code=code, reason=reason_text(value), refusal=refusal)
