"""MIDs 0270, 2100 and 8000 to 8003: the controller as a device (003:11637-11730, 003:12013)."""

TABLE = """
MID 0270 I C! 0005 Controller reboot request @003:11638
REV 1 20

MID 2100 I C 0005 Device command @003:11650
REV 1 @003:11662
-- command N4 =1:reboot|2:enter_standby|3:leave_standby
-- data_field_count N3
-- data_fields V[data_field_count]

MID 8000 I S - Audi emergency status subscribe @003:2989
MID 8001 C E 8002 Audi emergency status @003:2993
MID 8002 I A - Audi emergency status acknowledge @003:2997
MID 8003 I S - Audi emergency status unsubscribe @003:3001
"""
