"""MIDs 0050 to 0054: the vehicle's number and the other identifiers (003:5592-5694)."""

TABLE = """
MID 0050 I C! 0005 Vehicle ID number download request @003:5595
REV 1 @003:5602
-- vin T*25

MID 0051 I S 0005 Vehicle ID number subscribe @003:5609
REV 1,2 20

MID 0052 C E 0053 Vehicle ID number @003:5627
REV 1 @003:5639
-- vin T25*40 on a PowerMACS up to 40 characters, never less than 25
REV 1 other @LIT-MAN177
01 vin T25
!LIT-MAN177 "Send MID with ID" of an AcraDyne Gen IV: some versions of the specification have the ID
REV 2 128 @003:5650
01 vin T25
02 identifier_2 T25
03 identifier_3 T25
!003:5672 printed 77-91 and the ones behind it 92-93/94-128: 25 octets each, 75-76/77-101 and 102-103/104-128
04 identifier_4 T25

MID 0053 I A - Vehicle ID number acknowledge @003:5683
REV 1 20

MID 0054 I S 0005 Vehicle ID number unsubscribe @003:5688
REV 1 20
"""
