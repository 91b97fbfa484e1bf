"""Telegram 13: a curve of the ring of graphs as ToolsNet wants it (TN 5.13, protocol.md 9.4). No floats.

    octet 4        11                      26      30      34      48       53
          |13|ident|116|type|system|station|spindle|program|time 14|sequence|kind ..
          54    64  74  84  92  100    108       116    120
          |shift|Dom|Nom|min|max|offset|sample ms|octets|samples of two octets, big endian

Rules
1. A value is 2**shift * Dom / Nom * sample, in Nm or degrees: the unit of the curve goes into Dom and Nom (UNITS).
2. There are at most SAMPLES_MOST samples: of more only every k-th is kept, and the time between two is k times as long.
3. Samples at uneven times are brought to even ones, on straight lines between neighbours: to the shortest step, or to a
   longer one if they would be too many.
4. Limits have one decimal, rounded; so has the time between two samples if that is exact, else as many as fit.
"""

from fractions import Fraction
from math import lcm
from struct import pack

from toolcart.agent.base.fields import get_u32, unpack_digits
from toolcart.agent.linux.curve_assembly import samples_in, steps_in
from toolcart.agent.linux.toolsnet_source import telegram
from toolcart.agent.record import graph as gr
from toolcart.agent.toolsnet.result04 import PROGRAM_FOR_ZERO

CPYTHON_ONLY = True  # no board sends curves anywhere

ID_GRAPH = 13
SAMPLES_MOST = 4000
KINDS = {gr.TORQUE: 0, gr.ANGLE: 1}  # TN 5.13: no others are accepted

GENERAL_BYTES = 116
_FACTOR_MOST = 0x7FFFFFFF
_FIELD = 8

# Nm or degrees of one unit, as numerator and denominator (OP 6.3 p. 267, protocol.md 9.5); any other is sent as it is.
UNITS = {
    2: (1355818, 1000000),
    3: (1, 100),
    4: (1000, 1),
    5: (1000000, 1),
    6: (112985, 1000000),
    7: (980665, 100000),
    10: (706155, 100000000),
    11: (1, 10),
    12: (1, 1000),
    13: (980665, 10000000),
    51: (5729578, 100000),
    90: (1, 1000),
}


def write(lead, data, ident, system_type, system, sequence):
    """Return telegram 13 of the curve whose first piece begins with `lead`, with its length in front.

    `sequence` is that of its result's telegram 04. There must be at least one sample, and its kind must be in KINDS.
    """
    unit = lead[gr.UNIT] | lead[gr.UNIT + 1] << 8
    shift = lead[gr.SHIFT] - (lead[gr.SHIFT] >> 7 << 8)
    shift, dom, nom = scale(shift, get_u32(lead, gr.NUMERATOR), get_u32(lead, gr.DENOMINATOR), unit)
    samples, distance = even(samples_in(data), steps_in(lead))
    program = bytes(lead[gr.PROGRAM : gr.PROGRAM + 4])
    time = bytearray(14)
    unpack_digits(time, 0, lead, gr.RESULT_TIME, 14)
    body = "%03d%04d%04d%04d%04d%04d%s%05d%d%s%010d%010d%s%s%s%s%04d" % (
        GENERAL_BYTES,
        system_type,
        system,
        lead[4] | lead[5] << 8,
        gr.spindle_of(lead, 0),
        (int(program) if program.isdigit() else 0) or PROGRAM_FOR_ZERO,
        time.decode(),
        sequence,
        KINDS[lead[gr.WHAT]],
        "%010d" % shift,
        dom,
        nom,
        _limit(lead, gr.LOW),
        _limit(lead, gr.HIGH),
        "000000.0",
        milliseconds(distance),
        2 * len(samples),
    )
    return telegram(ID_GRAPH, ident, body.encode() + pack(">%dh" % len(samples), *samples))


def scale(shift, numerator, denominator, unit):
    """Return bit shift, Dom and Nom of a curve in this unit; Dom and Nom are reduced and below 2**31."""
    factor = Fraction(numerator or 1, denominator or 1) * Fraction(*UNITS.get(unit, (1, 1)))
    dom, nom = factor.as_integer_ratio()
    while dom > _FACTOR_MOST:
        dom = (dom + 1) >> 1
        shift += 1
    while nom > _FACTOR_MOST:
        nom = (nom + 1) >> 1
        shift -= 1
    return shift, dom, nom


def even(samples, steps):
    """Return samples at even distances, and the distance in ms, 0 if it is not known.

    `steps` are (count, numerator, denominator): how many samples, and the ms from each of them to the next.
    """
    steps = [step for step in steps if step[0]]
    lengths = [(count, Fraction(numerator, divisor)) for count, numerator, divisor in steps if numerator and divisor]
    if len(lengths) < len(steps) or not lengths:
        distance = Fraction(0)
    elif len({ms for _, ms in lengths}) == 1:
        distance = lengths[0][1]
    else:
        samples, distance = _resampled(samples, lengths)
    keep = max(1, (len(samples) + SAMPLES_MOST - 1) // SAMPLES_MOST)
    return samples[::keep], distance * keep


def _resampled(samples, steps):
    """Bring samples with several steps to one step: straight lines between neighbours."""
    unit = lcm(*[ms.denominator for _, ms in steps])  # so many to a ms: whole numbers are much faster
    times = [0]
    for count, ms in steps:
        for _ in range(count):
            times.append(times[-1] + ms.numerator * (unit // ms.denominator))
    while len(times) < len(samples):
        times.append(2 * times[-1] - times[-2])
    last = times[len(samples) - 1]
    distance = int(min(ms for _, ms in steps) * unit)
    most = SAMPLES_MOST - 1
    if last // distance > most:
        distance *= (last // distance + most - 1) // most
    found = []
    at = 0
    for time in range(0, last + 1, distance):
        while at + 2 < len(samples) and times[at + 1] <= time:
            at += 1
        if at + 1 == len(samples):
            found.append(samples[at])
            continue
        apart = times[at + 1] - times[at]
        found.append(samples[at] + _rounded((samples[at + 1] - samples[at]) * (time - times[at]), apart))
    return found, Fraction(distance, unit)


def milliseconds(ms):
    """Return a time in eight characters: `000002.0`, `00000.25`; as many decimals as it needs and as fit."""
    decimals = 1
    while decimals < 6 and (ms * 10**decimals).denominator > 1:
        decimals += 1
    while decimals > 1 and ms >= 10 ** (_FIELD - 1 - decimals):
        decimals -= 1
    value = _rounded(ms.numerator * 10**decimals, ms.denominator)
    return _point(min(value, 10 ** (_FIELD - 1) - 1), decimals)


def _limit(lead, at):
    digits = bytes(lead[at : at + gr.LIMIT_BYTES])
    value = int(digits) if digits.isdigit() else 0
    return _point(_rounded(value * 10, 10 ** lead[gr.DECIMALS]), 1)


def _point(value, decimals):
    digits = "%07d" % value
    return digits[:-decimals] + "." + digits[-decimals:]


def _rounded(numerator, denominator):
    """Return the nearest integer; halves go away from 0."""
    half = denominator // 2
    return (numerator + half) // denominator if numerator >= 0 else -((-numerator + half) // denominator)
