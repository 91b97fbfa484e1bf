"""The name server of a simulated chip's network: what the port asks through lwIP, and what the board asks itself."""


class NameServer:
    """It knows `names`, each with its address, and is silent unless `answers`."""

    def __init__(self):
        self.names: dict[str, str] = {}
        self.answers = True
        self.questions = 0

    def address(self, name: str) -> str:
        """Return the address of a name; "" if there is none, or no answer."""
        return self.names.get(name, "") if self.answers else ""

    def reply(self, question: bytes) -> bytes:
        """Return the answer to a DNS question for one name."""
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        address = self.names.get(".".join(labels))
        head = question[:2] + (b"\x81\x80" if address else b"\x81\x83") + b"\0\1" + (b"\0\1" if address else b"\0\0")
        answer = head + b"\0\0\0\0" + question[12 : at + 5]
        if address:
            answer += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes(int(part) for part in address.split("."))
        return answer
