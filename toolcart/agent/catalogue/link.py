"""MIDs 9997 to 9999: the link level and the keep alive (003:3026-3072, 003:12526)."""

TABLE = """
MID 9997 IC L - Communication acknowledge @003:3056
!003:1145 called 0997 there and 0007 at 003:1221: 9997 in all other places
REV 1 24 @003:3066
-- acknowledged_mid N4

MID 9998 IC L - Communication acknowledge error @003:3026
REV 1 28 @003:3034
-- failed_mid N4
-- error_code N4 =LINK_ERROR
!003:3051 "not 0 to 99": revisions 998 and 999 are none the less requested

MID 9999 IC X * Keep alive @003:12526
!003:12538 the controller mirrors it; what comes back is not answered again
REV 1 20
"""
