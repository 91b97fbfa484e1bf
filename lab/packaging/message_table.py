"""Prints the library's table of all messages: `python -m lab.packaging.message_table > docs/library/messages.md`."""

from toolcart import catalogue
from toolcart.base.command_line import CommandLine
from toolcart.catalogue import desoutter, nexo
from toolcart.catalogue.index import categories
from toolcart.catalogue.pids_mt_focus import NOT_DESCRIBED
from toolcart.codec.commands import ranges
from toolcart.codec.rendering import SENDERS

HEAD = """# Messages

Every message the library knows, with the revisions whose fields it reads and builds; "raw": no document at hand
describes it, its bytes are kept. `toolcart mid 61` shows the fields and where they come from. `toolcart.messages` has a
function for each that is not raw, by its name, such as `select_job` ([types.md](types.md)). `register` adds a message
([custom.md](custom.md)). Two makers' own messages at the end need `register(nexo)` or `register(desoutter)` and have no
functions: `toolcart.encode` builds them, also where a message of the standard has the same name. A controller refuses
what it lacks ([../controllers.md](../controllers.md)).

This page is made by `python -m lab.packaging.message_table`.
"""


VENDORS = (("Bosch Rexroth Nexo and System 350", nexo), ("Desoutter CVIxII and CVI3", desoutter))
WITHOUT = "raw"


def page() -> str:
    """Return the page in Markdown."""
    lines = [HEAD]
    for category in categories():
        lines += _section(category.replace("_", " ").capitalize(), catalogue.STANDARD, category)
    for name, table in VENDORS:
        own = catalogue.Catalogue()
        own.register(table)
        lines += _section(name, own, "registered")
    lines += ["", "## PIDs without a layout", "", "| PIDs | of | layout |", "|---|---|---|"]
    lines += [f"| {first} to {last} | {owner} | {WITHOUT} |" for first, last, owner in NOT_DESCRIBED]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _section(title: str, own: catalogue.Catalogue, category: str) -> list[str]:
    lines = ["", f"## {title}", "", "| MID | name | sent by | revisions |", "|---|---|---|---|"]
    alike: dict[str, list[int]] = {}
    for mid in own.mids(category):
        about = own.about(mid)
        revisions = ranges(own.revisions(mid)) or WITHOUT
        sender = SENDERS.get(about.sender, about.sender)
        line = f"{about.name} | {sender} | {revisions}"
        alike.setdefault(line, []).append(mid)
    return [*lines, *[f"| {ranges(mids, '04d')} | {line} |" for line, mids in alike.items()]]


if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    print(page(), end="")
