"""What values and bits mean, by the name that stands behind `=` in a table: text, split when it is first asked for."""

from .errors import InvalidValue

SETS = {
    "OK": "0 NOK|1 OK",
    "LEVEL": "0 low|1 OK|2 high",
    "YES": "0 no|1 yes",
    "ON": "0 off|1 on",
    "ACTIVE": "0 not active|1 active",
    # 3 since release 2.9 (protocol.md 10.5)
    "BATCH": "0 NOK, not completed|1 OK|2 not used|3 running",
    "BATCH_LIGHT": "0 NOK, not completed|1 OK|2 not used",
    "ROTATION": "1 clockwise|2 counter-clockwise",
    "TORQUE_UNIT": "1 Nm|2 lbf.ft|3 lbf.in|4 kpm|5 kgf.cm|6 ozf.in|7 %|8 Ncm",
    # 9 and 10 since release 2.9
    "RESULT_TYPE": "1 tightening|2 loosening|3 batch increment|4 batch decrement|5 bypass parameter set|6 abort job|"
    "7 sync tightening|8 reference setup|9 batch reset|10 job restart",
    "POST_VIEW": "0 off|1 on|2 only high|3 only low",
    "STRATEGY": "1 torque control|2 torque control, angle monitoring|3 torque control AND angle control|"
    "4 angle control, torque monitoring|5 DS control|6 DS control, torque monitoring|7 reverse angle|"
    "8 reverse torque|9 click wrench|10 rotate spindle forward|11 torque control OR angle control|"
    "12 rotate spindle reverse|13 home position forward|14 EP monitoring|15 yield|16 EP fixed|17 EP control|"
    "18 EP angle shut off|19 yield OR torque control|20 snug gradient|21 residual torque, time|"
    "22 residual torque, angle|23 breakaway peak|24 loose and tightening|25 home position reverse|"
    "26 PVT compensation with snug|99 no strategy",
    "SYSTEM": "0 not set|1 Power Focus 4000|2 Power MACS 4000|3 Power Focus 6000|4 MT Focus 6000",
    "SUBSYSTEM": "0 none|1 normal tightening system|2 presses in place of spindles",
    "TOOL": "0 no tool|1 S|2 DS|3 reference transducer|4 ST|5 EP|6 ETX|7 SL|8 DL|9 IRC offline|10 STB|11 QST|12 STT|"
    "13 ST wrench|14 ES|15 ESB|16 SB|17 SB+|18 PST|19 STR|20 ETD M|21 ETD MC|22 ETD MT|23 QMC|24 QMT|25 BCV-RE|"
    "26 BCP-RE|27 E-LIT|28 ISB|29 ITB|30 ITP|31 QShield-C|32 DeltaWrench|33 STRWrench|34 XPBM",
    "PRIMARY_TOOL": "1 cable|2 IRC-B|3 IRC-W",
    "HEALTH": "0 not available|1 OK|2 NOK",
    "JOB_STATUS": "0 not completed|1 OK|2 NOK|3 aborted|4 restarted",
    "JOB_TIGHTENING": "0 off|1 OK|2 NOK|3 aborted|4 incremented|5 decremented|6 bypassed|7 reset batch|8 loosening|"
    "9 free batch|10 job aborted|11 job restart",
    "AUTO_NEXT": "0 no|1 yes|2 I/O|6 fieldbus|8 socket tray|9 end fittings|10 tool display",
    "JOB_ORDER": "0 free|1 forced|2 free and forced",
    "JOB_COUNT": "0 only OK tightenings|1 OK and NOK tightenings",
    "LOOSENING": "0 enabled|1 disabled|2 enabled on NOK only",
    "JOB_STEP": "1 batch step",
    "PAIRING": "1 start pairing|2 abort or disconnect|3 fetch latest status",
    "PAIRING_STATUS": "0 undefined|1 accepted|2 inquiry|3 send PIN|4 PIN OK|5 ready|6 aborted|7 denied|8 failed|"
    "9 unready",
    "RELAY": "0 off|1 on|2 flashing|3 keep",
    "LIGHT": "0 off|1 steady|2 flashing",
    "SOCKET": "0 not lifted|1 lifted",
    "IDENTIFIER": "0 not accepted|1 accepted|2 bypassed|3 reset|4 next|5 initial",
    "HISTOGRAM": "0 torque|1 angle|2 current|3 prevail torque|4 self tap|5 rundown angle",
    "POWERMACS": "0 OK|1 OKR|2 NOK|3 TERMNOK",
    "OPERATION": "0 not synchronized|1 synchronized|2 pressing|3 drilling|4 pulse",
    "OBJECT": "0 unknown|1 dual reading|2 tightening production|3 simulation|4 joint check|5 dimensional",
    "TRACE": "1 angle|2 torque|3 current|4 gradient|5 stroke|6 force",
    "NODE": "1 parameter set|2 multistage|3 job|100 tightening program|101 tightening step|102 restriction|103 check|"
    "104 speed ramp|105 monitoring|201 multistep program|301 parameter set, legacy",
    "ALTERNATIVE": "0 only new data|1 from an index|2 from a time|3 between indexes|4 between times",
    "LINK_ERROR": "1 invalid length|2 invalid revision|3 invalid sequence number|4 inconsistent message parts",
    # Masks: the number is the bit's. Strategy options count bits from 0, error bits from 1 (OP 5.8.2 p. 137, OP 5.8.2
    # p. 138).
    "OPTIONS": "0 torque|1 angle|2 batch|3 PVT monitoring|4 PVT compensate|5 self-tap|6 rundown|7 CM|8 DS control|"
    "9 click wrench|10 RBW monitoring",
    "ERRORS": "1 rundown angle max shut off|2 rundown angle min shut off|3 torque max shut off|4 angle max shut off|"
    "5 self-tap torque max shut off|6 self-tap torque min shut off|7 prevail torque max shut off|"
    "8 prevail torque min shut off|9 prevail torque compensate overflow|10 current monitoring max shut off|"
    "11 post view torque min torque shut off|12 post view torque max torque shut off|"
    "13 post view torque angle too small|14 trigger lost|15 torque less than target|16 tool hot|17 multistage abort|"
    "18 rehit|19 DS measure failed|20 current limit reached|21 end time out shut off|22 remove fastener limit exceeded|"
    "23 disable drive|24 transducer lost|25 transducer shorted|26 transducer corrupt|27 sync timeout|"
    "28 dynamic current monitoring min|29 dynamic current monitoring max|30 angle max monitor|31 yield nut off|"
    "32 yield too few samples",
    "ERRORS_2": "1 drive deactivated|2 tool stall|3 drive hot|4 gradient monitoring high|5 gradient monitoring low|"
    "6 reaction bar failed|7 snug max|8 cycle abort|9 necking failure|10 effective loosening|11 over speed|"
    "12 no residual torque|13 positioning fail|14 snug monitoring low|15 snug monitoring high|16 dynamic min current|"
    "17 dynamic max current|18 latent result",
}
# Sets that are longer than the rest together, in code_lists.py.
_ELSEWHERE = ("ERROR_CODE", "RELAY_FUNCTION", "INPUT_FUNCTION")
FIRST_BIT = {"OPTIONS": 0}
# Sets that products and releases extend: a number that is not among them may be right.
OPEN = (
    "ERROR_CODE RELAY_FUNCTION INPUT_FUNCTION STRATEGY RESULT_TYPE SYSTEM SUBSYSTEM TOOL"
    " JOB_STEP AUTO_NEXT OBJECT OPERATION TRACE NODE"
).split()

MASK_BITS = 64  # more than ten digits tell
_split = {}


def names_of(values):
    """Return number -> words of a set, by its name or as it stands in a table: `0:no|1:yes`."""
    if not values:
        return {}
    names = _split.get(values)
    if names is None:
        names = {}
        text = SETS.get(values, "")
        if values in _ELSEWHERE:
            from .code_lists import SETS as LONG

            text = LONG[values]
        elif not text:
            text = values.replace(":", " ").replace("_", " ")
        for one in text.replace("\n", "|").split("|"):
            number, _, words = one.strip().partition(" ")
            names[int(number)] = words
        _split[values] = names  # when it is whole: other threads look here
    return names


def meaning_of(values, value):
    """Return the words for a value, empty where there are none; a list of them for a list."""
    if isinstance(value, list):
        return [meaning_of(values, one) for one in value]
    if isinstance(value, str) and value.isdigit():  # one character that may be a letter too (OP 5.5.4 p. 112)
        value = int(value)
    return names_of(values).get(value, "") if isinstance(value, int) else ""


def number_of(values, words):
    """Return the number that these words stand for; InvalidValue if none does."""
    names = names_of(values)
    for number in names:
        if names[number] == words:
            return number
    raise InvalidValue(
        "a number" + (" or one of: " + ", ".join([names[number] for number in sorted(names)]) if names else "")
    )


def mask_of(values, words):
    """Return the mask in which these bits are set, named as by bits_of."""
    mask, first = 0, FIRST_BIT.get(values, 1)
    for one in words:
        is_numbered = isinstance(one, str) and one[:4] == "bit " and one[4:].isdigit()
        bit = int(one[4:]) if is_numbered else number_of(values, one)
        if not 0 <= bit - first < MASK_BITS:
            raise InvalidValue("bits from %d to %d" % (first, first + MASK_BITS - 1))
        mask |= 1 << (bit - first)
    return mask


def bits_of(values, mask):
    """Return the words for the bits that are set, by its number for a bit without words; [] for what is no mask."""
    if not isinstance(mask, int) or mask < 0:
        return []
    names = names_of(values)
    bit = first = FIRST_BIT.get(values, 1)
    names_of_bits = []
    while mask >> (bit - first):
        if mask >> (bit - first) & 1:
            names_of_bits.append(names.get(bit, "bit %d" % bit))
        bit += 1
    return names_of_bits
