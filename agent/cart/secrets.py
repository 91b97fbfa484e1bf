"""Knows which settings are secrets, and removes them from a configuration: what a chip shows of its own."""


def redacted(tree):
    """Return the same structure with every value under a secret's key as ***, at any depth."""
    top = [tree]
    work = [top]
    while work:
        part = work.pop()
        for key in list(part) if type(part) is dict else range(len(part)):
            value = part[key]
            if is_secret(key):
                part[key] = "***"
            elif type(value) in (dict, list):
                part[key] = value.copy()
                work.append(part[key])
    return top[0]


def is_secret(key):
    """True if a value under this key must never be shown."""
    for word in ("password", "secret", "token", "key") if type(key) is str else ():
        if word in key.lower():
            return True
    return False
