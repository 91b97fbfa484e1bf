"""Prints the library's table of all messages: `python -m toolcart.codec.table > docs/library/messages.md`."""

from toolcart.agent import catalogue
from toolcart.agent.catalogue.index import categories
from toolcart.base.command_line import CommandLine
from toolcart.codec.shown import KINDS, SENDERS

HEAD = """# Messages

Every message the library knows, by category, with the revisions whose fields it reads and builds. The source is the
place in the documents: part and line, or the release that added it. `toolcart mid 61` shows the fields of one; a
message that is not here is kept raw, and `register` adds one ([custom.md](custom.md)). A controller need not have them
all: it refuses what it lacks, and what it says in MID 0002 tells more ([../controllers.md](../controllers.md)).

This page is made from the tables by `python -m toolcart.codec.table`.
"""


def page() -> str:
    """Return the page in Markdown."""
    lines = [HEAD]
    for category in categories():
        lines += ["", f"## {category.replace('_', ' ').capitalize()}", ""]
        lines += ["| MID | name | sent by | kind | revisions | source |", "|---|---|---|---|---|---|"]
        for mid in catalogue.mids(category):
            about = catalogue.about(mid)
            revisions = ", ".join(map(str, catalogue.revisions(mid)))
            sender = SENDERS.get(about.sender, about.sender)
            lines.append(
                f"| {mid:04d} | {about.name} | {sender} | {KINDS[about.kind]} | {revisions} | {about.source} |"
            )
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    print(page(), end="")
