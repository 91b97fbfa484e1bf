"""MIDs 0150 to 0157, 1601 and 1602: identifiers and work orders (003:9494-9602; beyond-2.8.md 4)."""

TABLE = """
MID 0150 I C! 0005 Identifier download request @003:9495
REV 1 @003:9501
-- identifier T*100

MID 0151 I S 0005 Multiple identifier and result parts subscribe [20] @003:9508

MID 0152 C E 0153 Multiple identifier and result parts @003:9517
REV 1 148 @003:9525
01 type_1 N1 identifier type number
-- included_1 N2 =YES included in the work order
-- status_1 N2 =IDENTIFIER status in the work order
-- part_1 T25 result part 1
02 type_2 N1 identifier type number
-- included_2 N2 =YES included in the work order
-- status_2 N2 =IDENTIFIER status in the work order
-- part_2 T25 result part 2
03 type_3 N1 identifier type number
-- included_3 N2 =YES included in the work order
-- status_3 N2 =IDENTIFIER status in the work order
-- part_3 T25 result part 3
04 type_4 N1 identifier type number
!003:9564 parameter ID 03 is printed a second time: the fourth is 04
-- included_4 N2 =YES included in the work order
-- status_4 N2 =IDENTIFIER status in the work order
-- part_4 T25 result part 4

MID 0153 I A - Multiple identifiers and result parts acknowledge [20] @003:9571
MID 0154 I S 0005 Multiple identifier and result parts unsubscribe [20] @003:9577
MID 0155 I C! 0005 Bypass identifier [20] @003:9585
MID 0156 I C! 0005 Reset latest identifier [20] @003:9590
MID 0157 I C! 0005 Reset all identifiers [20] @003:9596

MID 1601 C E 1602 Dynamic identifier @beyond 4, 002:1329
REV 1 since=2.9 @beyond 4
-- message_count N3
-- message_number N3
-- format N1
-- data_field_count N3
-- data_fields V[data_field_count]

MID 1602 I A - Dynamic identifier acknowledge @beyond 4, 002:1329
REV 1 20 since=2.9 @beyond 4
"""
