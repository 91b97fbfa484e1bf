"""MIDs 0240 to 0245: data of the PLC in a PowerMACS (003:10971-11192)."""

TABLE = """
MID 0240 I C 0005 User data download @003:11099
!003:2747 Table 7 has no mark of a category for it, nor for 0245
REV 1 @003:11107
-- user_data H* two hexadecimal digits a byte, at most 200 digits

MID 0241 I S 0005 User data subscribe @003:11117
REV 1 20

MID 0242 C E 0243 User data @003:11125
REV 1 @003:11131
-- user_data H* two hexadecimal digits a byte, at most 200 digits

MID 0243 I A - User data acknowledge @003:11142
REV 1 20

MID 0244 I S 0005 User data unsubscribe @003:11147
!003:11151 the refusal is called "subscription already exists": it does not exist
REV 1 20

MID 0245 I C 0005 User data download with offset @003:11153
REV 1 @003:11174
-- offset N3 bytes behind address 13000
!003:11172 the example shows the data of 0240's, without an offset
-- user_data H* two hexadecimal digits a byte
"""
