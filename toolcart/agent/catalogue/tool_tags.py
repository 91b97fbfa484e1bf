"""MIDs 0260 to 0265: the tool location system (003:11562-11636)."""

TABLE = """
MID 0260 I Q 0262 Tool tag ID request @003:11564
REV 1 20

MID 0261 I S 0005 Tool tag ID subscribe @003:11570
REV 1 20

MID 0262 C E 0263 Tool tag ID @003:11578
!003:11582 acknowledged when subscribed; after a request it wants no answer
REV 1 30 @003:11584
01 tag_id H8 hexadecimal, 3200078D is 50-0-7-141

MID 0263 I A - Tool tag ID acknowledge @003:11598
REV 1 20

MID 0264 I S 0005 Tool tag ID unsubscribe @003:11603
REV 1 20

MID 0265 I C 0005 External tool tag ID and status @003:11613
REV 1 34 @003:11620
01 tag_id H8 hexadecimal, 3200078D is 50-0-7-141
02 status N2 =1:operable|2:inoperable
"""
