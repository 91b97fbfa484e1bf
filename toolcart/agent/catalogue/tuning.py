"""MIDs 0500 to 0504: motor tuning (003:12015-12061)."""

TABLE = """
MID 0500 I S 0005 Motor tuning result data subscribe @003:12017
!003:12022 0005 is not named as the answer: every other subscription has it
REV 1 20

MID 0501 C E 0502 Motor tuning result data @003:12025
REV 1 23 @003:12029
01 motor_tuning N1 =0:failed|1:success

MID 0502 I A - Motor tuning result data acknowledge @003:12040
REV 1 20

MID 0503 I S 0005 Motor tuning result data unsubscribe @003:12047
REV 1 20

MID 0504 I C 0005 Motor tuning request @003:12053
REV 1 20
"""
