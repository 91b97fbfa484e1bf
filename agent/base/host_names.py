"""What may be a host: a name or an address alone, without a port, a scheme or brackets (RFC 1123, 2.1)."""

_LABEL_MAX = 63


def is_host(text):
    """True if it may be looked up, or connected to: no number above 255, no part that a name cannot have."""
    if text.count(":") > 1:  # IPv6
        return not text.partition("%")[0].strip("0123456789abcdefABCDEF:.") and "/" not in text and "[" not in text
    parts = text.split(".")
    numbers = [int(part) for part in parts if part.isdigit() and len(part) < 4]
    if len("".join(parts).strip("0123456789")) == 0:
        return len(numbers) == len(parts) == 4 and max(numbers) < 256
    if parts[-1] == "":
        parts.pop()  # a name may end with its dot
    for part in parts:
        if not 1 <= len(part) <= _LABEL_MAX:
            return False
    for c in text:
        if not ("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c in "-._"):
            return False
    return True
