"""Bytes that should be text: what is printable, what is a number, how the rest is shown."""

PORTABLE = True


if hasattr(bytes, "translate"):  # at once: who plays ToolsNet, and the archive, reads every field with these
    _PRINTABLE = bytes(range(0x20, 0x7F))
    _SHOWN = bytes([octet if octet in _PRINTABLE else ord("?") for octet in range(256)])

    def printable(octets):
        """True if every byte is 0x20..0x7E."""
        return not bytes(octets).translate(None, _PRINTABLE)

    def digits_only(octets):
        """True if there is at least one byte and all are 0..9."""
        return bytes(octets).isdigit()

    def text_of(octets):
        """Return bytes as text, one character each; what is not ASCII is shown as a question mark."""
        return bytes(octets).translate(_SHOWN).decode()

else:

    def printable(octets):
        """True if every byte is 0x20..0x7E."""
        for octet in octets:
            if octet < 0x20 or octet > 0x7E:
                return False
        return True

    def digits_only(octets):
        """True if there is at least one byte and all are 0..9."""
        for octet in octets:
            if octet < 0x30 or octet > 0x39:
                return False
        return len(octets) > 0

    def text_of(octets):
        """Return bytes as text, one character each; what is not ASCII is shown as a question mark."""
        return "".join([chr(octet) if 0x20 <= octet <= 0x7E else "?" for octet in octets])
