"""MIDs 0080 to 0082: the controller's clock (003:7636-7666)."""

TABLE = """
MID 0080 I Q 0081 Read time upload request @003:7637
REV 1 20

MID 0081 C P - Read time upload reply @003:7642
REV 1 39 @003:7648
-- time D19

MID 0082 I C! 0005 Set time @003:7654
REV 1 39 @003:7659
-- time D19
"""
