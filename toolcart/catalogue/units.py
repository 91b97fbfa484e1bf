"""Units of variable data fields and traces (OP 6.2 p. 267-270), with those of later releases and of MT Focus 6000."""

UNITS = {}

_TEXT = """001 Nm|002 ft.lbf|003 cNm|004 kNm|005 MNm|006 in.lbf|007 kpm|008 kfcm|009 %|010 ozf.in|011 dNm
012 mNm|013 kgf.cm|014 gf.cm|015 ft.ozf|050 deg|051 rad|090 mNm|100 Hz|101 rpm
150 Nm/deg|151 ft.lbf/deg|152 cNm/deg|153 kNm/deg|154 MNm/deg|155 in.lbf/deg|160 Nm/rad|161 ft.lbf/rad|162 cNm/rad
200 s|201 min|202 ms|203 h|250 K|251 °C|252 °F
300 N|301 kN|302 lbf|303 kgf|304 ozf|305 MN|350 m|351 mm|352 in|400 m/s|401 mm/s
450 N/mm|451 kN/mm|452 lbf/in|453 kgf/mm|454 ozf/in|455 MN/mm|500 m/s2|501 mm/s2|550 kg|551 lb|600 L|601 m3|650 m2
700 W|750 A|751 V|752 Ω|753 F|754 H|800 %|850 kPa
900 Nm/ms|901 ft.lbf/ms|902 cNm/ms|903 kNm/ms|904 MNm/ms|905 in.lbf/ms|910 deg/ms|911 rad/ms
920 N/ms|921 kN/ms|922 lbf/ms|923 kgf/ms|924 ozf/ms|925 MN/ms"""


def unit_of(number):
    """Return the sign of a unit, empty for none; a number that is not listed is given back as text."""
    if not UNITS:
        for one in _TEXT.replace("\n", "|").split("|"):
            UNITS[int(one[:3])] = one[4:]
    if not number:
        return ""
    return UNITS.get(number, "%03d" % number)
