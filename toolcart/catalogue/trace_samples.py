"""The samples of a trace as numbers, and as physical values (OP 5.27.1 p. 258-259; protocol.md 6.3).

Rules
1. Samples are two octets each, signed, big endian; little endian on MT Focus 6000 (MT notes on MID 0900).
2. PID 02213 divides them, 02214 multiplies them. It stands among the parameters behind the unit, or among the fields
   before it; it changes from trace to trace.
"""

from .errors import FieldError, InvalidValue, message_of

DIVIDES = 2213
MULTIPLIES = 2214


def samples_of(raw, little=False):
    """Return the samples in these bytes, from -32768 to 32767; FieldError if they are not pairs of bytes.

    >>> import toolcart
    >>> toolcart.samples_of(b"\\x00\\x01\\xff\\xff")
    [1, -1]
    """
    if not isinstance(raw, (bytes, bytearray, memoryview)) or len(raw) % 2:
        raise FieldError(900, 0, "samples", "", raw, "octets, two for each sample")
    values = []
    high, low = (1, 0) if little else (0, 1)
    for at in range(0, len(raw), 2):
        value = raw[at + high] << 8 | raw[at + low]
        values.append(value - 65536 if value & 32768 else value)
    return values


def octets_of_samples(values):
    """Return such numbers as octets, big endian; octets stay what they are."""
    if isinstance(values, (bytes, bytearray, memoryview)):
        return bytes(values)
    if not isinstance(values, (list, tuple)):
        raise InvalidValue("a list of samples, or their octets")
    out = bytearray()
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or not -32768 <= value <= 65535:
            raise InvalidValue("samples of -32768 to 32767")
        out.extend(bytes((value >> 8 & 255, value & 255)))
    return bytes(out)


def physical_values(message, little=False):
    """Return the samples of a MID 0900 in its unit; None if they or their coefficient cannot be read.

    FrameError for what is no Message.

    >>> import toolcart
    >>> scale = toolcart.data_field(2213, 100.0)
    >>> given = {"result_id": 1, "sample_count": 2, "samples": [1250, 1300], "parameters": [scale]}
    >>> trace = toolcart.decode(toolcart.encode(900, 1, time=(2024, 3, 14, 9, 26, 53), trace_type=2, **given))
    >>> toolcart.physical_values(trace)
    [12.5, 13.0]
    """
    raw = message_of(message).get("samples")
    pid, factor = coefficient_of(message)
    if not isinstance(raw, bytes) or not pid:
        return None
    values = samples_of(raw, little)
    return [value / factor if pid == DIVIDES else value * factor for value in values]


def coefficient_of(message):
    """Return the PID and the value of what scales the samples of a MID 0900; (0, 0) if nothing readable does."""
    for name in ("parameters", "data_fields"):
        fields = message.get(name)
        for field in fields if isinstance(fields, list) else ():
            factor = field.value() if field.pid in (DIVIDES, MULTIPLIES) else None
            if isinstance(factor, (int, float)) and (factor or field.pid == MULTIPLIES):
                return field.pid, factor
    return 0, 0
