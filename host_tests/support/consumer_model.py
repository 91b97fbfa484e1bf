"""What a consumer of batches has to do, as the contract has it (docs/library/consumers.md).

It knows a database as a dict and nothing of the consumer's code: a test runs both side by side.
"""


class Model:
    """`take` is given a batch's numbers and says what the consumer has to answer."""

    def __init__(self):
        self.have = {}  # (topic, identity) -> number
        self.stored = []  # (topic, identity, number), in the order in which they are stored

    def take(self, topic, identity, after, last, numbers, waits=True):
        """Take a batch that can be read; the receipt's number, and what it was.

        `waits` is False where nothing is sent again (confirm: "broker"): a gap is passed then.
        """
        key = (topic, identity)
        have = self.have.get(key, 0)
        if after > have and waits:
            return have, "gap"
        if last <= have:
            return have, "repeated"
        for number in numbers:
            if number > have:
                self.stored.append((topic, identity, number))
        self.have[key] = last
        return last, "stored"
