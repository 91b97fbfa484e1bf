"""Counts in words for people: nouns and verbs that agree with them."""

CPYTHON_ONLY = True

_PLURALS = {
    "does": "do",
    "goes": "go",
    "is": "are",
    "makes": "make",
    "stays": "stay",
    "waits": "wait",
    "was": "were",
}


def counted(count: int, noun: str) -> str:
    """Return how many there are: 1 result, 2 results."""
    return "%d %s%s" % (count, noun, "" if count == 1 else "s")


def agreeing(count: int, verb: str) -> str:
    """Return the verb as it agrees with how many there are: 1 was, 2 were."""
    return verb if count == 1 else _PLURALS[verb]
