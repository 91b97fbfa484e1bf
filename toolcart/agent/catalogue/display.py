"""MIDs 0110 to 0113: texts and lights for the operator (003:9097-9175)."""

TABLE = """
MID 0110 I C! 0005 Display user text on compact @003:9098
REV 1 24 @003:9113
-- text T4

MID 0111 I C! 0005 Display user text on graph @003:9119
REV 1 137 @003:9132
01 duration N4 *s
02 removal N1 =0:acknowledge_or_time|1:acknowledge
03 line_1 T25 header, in upper case
04 line_2 T25
05 line_3 T25
06 line_4 T25

MID 0113 I C! 0005 Flash green light on tool @003:9168
REV 1 20
"""
