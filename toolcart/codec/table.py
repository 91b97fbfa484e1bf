"""Prints the library's table of all messages: `python -m toolcart.codec.table > docs/library/messages.md`."""

from toolcart.agent import catalogue
from toolcart.agent.catalogue import desoutter, nexo
from toolcart.agent.catalogue.index import categories
from toolcart.agent.catalogue.pids_mt_focus import NOT_DESCRIBED
from toolcart.base.command_line import CommandLine
from toolcart.codec.shown import KINDS, SENDERS

HEAD = """# Messages

Every message the library knows, by category, with the revisions whose fields it reads and builds. The source is the
place in the documents: part and line, or the release that added it. `toolcart mid 61` shows the fields of one; a
message that is not here is kept raw, and `register` adds one ([custom.md](custom.md)). Two makers' own messages stand
at the end; they are read after `register(nexo)` or `register(desoutter)`, and the two files say what their sources
are. A controller need not have them all: it refuses what it lacks, and what it says in MID 0002 tells more
([../controllers.md](../controllers.md)).

This page is made from the tables by `python -m toolcart.codec.table`.
"""


VENDORS = (("Bosch Rexroth Nexo and System 350", nexo), ("Desoutter CVIxII and CVI3", desoutter))
WITHOUT = "described by the maker, not in the documents at hand"


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
    lines = ["", f"## {title}", "", "| MID | name | sent by | kind | revisions | source |", "|---|---|---|---|---|---|"]
    for mid in own.mids(category):
        about = own.about(mid)
        revisions = ", ".join(map(str, own.revisions(mid))) or WITHOUT
        sender = SENDERS.get(about.sender, about.sender)
        lines.append(f"| {mid:04d} | {about.name} | {sender} | {KINDS[about.kind]} | {revisions} | {about.source} |")
    return lines


if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    print(page(), end="")
